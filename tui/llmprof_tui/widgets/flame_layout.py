"""A tree of weighted nodes -> the frames of an icicle, and which of them each cell of a line shows. Pure geometry.

Frames of one depth are a layer: sorted starts and ends in the tree's own units, so that a line, a point of the mouse
and a step of the cursor each cost a bisection, however large the tree is. Edges are rounded from running sums: children
stand under their parents exactly, neighbours neither overlap nor leave a gap.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple


class Frame(NamedTuple):
    """Which frame: its layer, and its index there."""

    depth: int
    place: int


class View(NamedTuple):
    """The stretch of the tree that fills the width, in its units; `end` is beyond it."""

    start: int
    end: int

    @property
    def span(self) -> int:
        """Its length."""
        return self.end - self.start


class Run(NamedTuple):
    """Cells of a line that show one frame, or several in one cell each."""

    start: int
    end: int
    frame: int
    """Index in the layer; of several in a cell, the last one that begins in it; negative where there is none."""
    narrow: bool = False
    """Whether frames are narrower than their cell, which then stands for all that begin in it."""


class Layer[N]:
    """The frames of one depth, from left to right."""

    __slots__ = ("ends", "nodes", "parents", "starts")

    def __init__(self) -> None:
        self.starts = array("q")
        self.ends = array("q")
        self.nodes: list[N] = []
        self.parents = array("q")
        """Index of each frame's parent in the layer above."""


class Chart[N]:
    """A laid out tree."""

    def __init__(
        self,
        root: N,
        children: Callable[[N], Sequence[N]],
        weight: Callable[[N], int],
        *,
        by_size: bool = False,
    ) -> None:
        """Lay out a tree in the order of its children, or the heaviest first. Nodes without weight have no frame.

        Children lie side by side from their parent's start; where they weigh less than it, its right end stays bare.
        """
        self.total = max(0, weight(root))
        self.whole = View(0, max(1, self.total))
        self.layers: list[Layer[N]] = []
        # An explicit stack: a tree from the wire may be as deep as it likes. The last pushed is laid out first, so that
        # every layer grows from left to right.
        stack: list[tuple[N, int, int, int, int]] = [(root, 0, 0, self.whole.end, -1)]
        while stack:
            node, depth, start, end, parent = stack.pop()
            if depth == len(self.layers):
                self.layers.append(Layer())
            layer = self.layers[depth]
            index = len(layer.nodes)
            layer.starts.append(start)
            layer.ends.append(end)
            layer.nodes.append(node)
            layer.parents.append(parent)
            below: list[tuple[N, int, int, int, int]] = []
            inner: Sequence[N] = children(node)
            if by_size and len(inner) > 1:
                inner = sorted(inner, key=weight, reverse=True)
            for child in inner:
                child_end = min(start + weight(child), end)
                if child_end > start:
                    below.append((child, depth + 1, start, child_end, index))
                    start = child_end
            below.reverse()
            stack += below

    # -- one frame

    def node(self, frame: Frame) -> N:
        """What a frame stands for."""
        return self.layers[frame.depth].nodes[frame.place]

    def view(self, frame: Frame) -> View:
        """The stretch that a frame takes."""
        layer = self.layers[frame.depth]
        return View(layer.starts[frame.place], layer.ends[frame.place])

    def parent(self, frame: Frame) -> Frame | None:
        """The frame above."""
        return Frame(frame.depth - 1, self.layers[frame.depth].parents[frame.place]) if frame.depth else None

    def trail(self, frame: Frame) -> list[Frame]:
        """The frames from the root down to this one."""
        trail: list[Frame] = []
        at: Frame | None = frame
        while at is not None:
            trail.append(at)
            at = self.parent(at)
        trail.reverse()
        return trail

    def heaviest_child(self, frame: Frame) -> Frame | None:
        """The widest frame right below, the first of equals."""
        below = frame.depth + 1
        if below == len(self.layers):
            return None
        layer = self.layers[below]
        inner = range(bisect_left(layer.parents, frame.place), bisect_right(layer.parents, frame.place))
        return Frame(below, max(inner, key=lambda i: layer.ends[i] - layer.starts[i])) if inner else None

    def neighbour(self, frame: Frame, step: int) -> Frame | None:
        """The frame so many places to the right in the same layer, or to the left."""
        index = frame.place + step
        return Frame(frame.depth, index) if 0 <= index < len(self.layers[frame.depth].nodes) else None

    def frames(self) -> Iterator[Frame]:
        """All frames, layer by layer."""
        for depth, layer in enumerate(self.layers):
            for index in range(len(layer.nodes)):
                yield Frame(depth, index)

    # -- cells

    def runs(self, depth: int, view: View, width: int) -> Iterator[Run]:
        """The line of a layer, from left to right without a gap: O(width · log frames)."""
        layer = self.layers[depth]
        starts, ends, count = layer.starts, layer.ends, len(layer.nodes)
        first, span = view
        span -= first
        x, low = 0, 0
        while x < width:
            # The last frame that begins before the cell's right edge has the cell, if it reaches beyond it.
            index = bisect_right(starts, first + ((x + 1) * span - 1) // width, low) - 1
            low = max(index, 0)
            end = min(width, (ends[index] - first) * width // span) if index >= 0 else 0
            if index >= 0 and _crowded(layer, index, x, view, width):
                yield Run(x, x + 1, index, narrow=True)
                x += 1
            elif end > x:
                yield Run(x, end, index)
                x = end
            else:
                following = (starts[index + 1] - first) * width // span if index + 1 < count else width
                end = max(x + 1, min(width, following))
                yield Run(x, end, -1)
                x = end

    def at(self, x: int, depth: int, view: View, width: int) -> Frame | None:
        """The frame that is drawn in a cell; of several in one cell the widest. The inverse of `runs`."""
        if not 0 <= depth < len(self.layers) or not 0 <= x < width:
            return None
        layer = self.layers[depth]
        first, span = view.start, view.span
        index = bisect_right(layer.starts, first + ((x + 1) * span - 1) // width) - 1
        if index < 0:
            return None
        if not _crowded(layer, index, x, view, width):
            return Frame(depth, index) if (layer.ends[index] - first) * width // span > x else None
        narrow = range(bisect_left(layer.starts, first - (-x * span // width)), index + 1)
        return Frame(depth, max(narrow, key=lambda i: layer.ends[i] - layer.starts[i], default=index))

    def cells(self, frame: Frame, view: View, width: int) -> tuple[int, int]:
        """Where a frame begins and ends on a line of so many cells; outside of it for one that is not in view."""
        start, end = self.view(frame)
        return (start - view.start) * width // view.span, (end - view.start) * width // view.span

    # -- views

    def clamped(self, start: int, span: int) -> View:
        """A view of about this length from about there, inside the tree."""
        span = max(1, min(span, self.whole.end))
        start = max(0, min(start, self.whole.end - span))
        return View(start, start + span)

    def showing(self, frame: Frame, view: View) -> View:
        """The view, moved no further than it must be for a frame to be in it."""
        start, end = self.view(frame)
        if start >= view.end:
            return self.clamped(max(start, end - view.span) if end - start < view.span else start, view.span)
        if end <= view.start:
            return self.clamped(start if end - start < view.span else end - view.span, view.span)
        return view


def _crowded[N](layer: Layer[N], index: int, x: int, view: View, width: int) -> bool:
    """Whether a cell holds frames that are too narrow for it: the last that begins in it ends there too, or begins
    behind others and is not a cell wide, so that its right edge is in the next cell by chance."""
    first, span = view.start, view.span
    start, end = layer.starts[index], layer.ends[index]
    if (start - first) * width // span != x:
        return False
    edge = (end - first) * width // span
    beside = index > 0 and (layer.starts[index - 1] - first) * width // span == x
    return edge == x or (edge == x + 1 and beside and (end - start) * width < span)
