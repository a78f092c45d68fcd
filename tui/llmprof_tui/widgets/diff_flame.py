"""Two calls, or two runs, as one flame graph: colour and mark say what has grown, shrunk, come or gone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from llmprof_addon.export import text
from llmprof_addon.export.diff_tree import Delta, Shift, merged_root
from llmprof_addon.model.component import Component
from llmprof_addon.model.usage import Source
from llmprof_tui.widgets.explorable import Explorable
from llmprof_tui.widgets.flame_layout import Chart, Frame

SHIFT_MARKS = {
    Shift.SAME: "",
    Shift.CHANGED: "~",
    Shift.GROWN: "▲",
    Shift.SHRUNK: "▼",
    Shift.NEW: "+",
    Shift.GONE: "−",
}
SHIFT_WORDS = {
    Shift.SAME: "unchanged",
    Shift.CHANGED: "changed",
    Shift.GROWN: "grown",
    Shift.SHRUNK: "shrunk",
    Shift.NEW: "new",
    Shift.GONE: "gone",
}
_COLOURS = {
    Shift.SAME: "foreground",
    Shift.CHANGED: "warning",
    Shift.GROWN: "accent",
    Shift.SHRUNK: "primary",
    Shift.NEW: "success",
    Shift.GONE: "error",
}
"""Theme variables, so that every theme is told apart by those who see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    key: str
    weigh: Callable[[Delta], int | None]
    difference: Callable[[Delta], int | None]
    now: Callable[[Component], int | None]
    write: Callable[[int], str]


_MEASURES = (
    _Measure(
        key="tokens",
        weigh=lambda delta: delta.wide_tokens,
        difference=lambda delta: delta.tokens,
        now=lambda component: component.tokens,
        write=lambda count: text.tokens(count),
    ),
    _Measure(
        key="dollars",
        weigh=lambda delta: delta.wide_cost,
        difference=lambda delta: delta.cost,
        now=lambda component: component.cost,
        write=lambda pico: text.dollars(pico),
    ),
)


class DiffFlame(Explorable[Delta]):
    """`show` gives it the merged tree. Posts what an `Explorable` posts, about `Delta`s."""

    DEFAULT_CSS = """
    DiffFlame { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "next_metric", "Metric", id="flame.metric", tooltip="What width stands for"),
        Binding(
            "s", "next_order", "Order", id="flame.order", tooltip="In the order of the prompt, or the largest first"
        ),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.by_size = False
        self._measure = _MEASURES[0]
        self._tops: Sequence[Delta] = ()
        self._root_name = ""
        self._sources: tuple[Source | None, Source | None] = (None, None)

    def show(
        self,
        tops: Sequence[Delta],
        *,
        name: str = "prompt",
        sources: tuple[Source | None, Source | None] = (None, None),
    ) -> None:
        """Draw these under one root. `sources`: of both totals, which may be reported where the parts are estimates."""
        self._tops, self._root_name, self._sources = tops, name, sources
        self._draw()

    def go_to(self, path: str) -> None:
        """Put the cursor on the node of a JSON path in the later call, or in the earlier one."""
        if self.chart is None:
            return
        for frame in self.chart.frames():
            delta = self.chart.node(frame)
            shown = delta.after or delta.before
            if shown is not None and shown.path == path:
                self.cursor = frame
                return

    def _draw(self) -> None:
        measure = self._measure
        root = merged_root(self._root_name, self._tops, self._sources)
        if not measure.weigh(root):
            self.draw(None)
            return
        self.draw(
            Chart(root, lambda delta: delta.children, lambda delta: measure.weigh(delta) or 0, by_size=self.by_size)
        )

    def label(self, node: Delta) -> str:
        return text.plain(text.KIND_NAMES[node.kind] if node.name == node.kind.value else node.name)

    def amount(self, node: Delta) -> str:
        measure = self._measure
        difference = measure.difference(node)
        # An unchanged text may have a token more or less, since the whole was reconciled with another total; its price
        # does change, with the cache.
        if node.shift is Shift.SAME and node.after is not None and (measure.key == "tokens" or not difference):
            now = measure.now(node.after)
            return text.UNKNOWN if now is None else measure.write(now)
        return text.signed(difference, measure.write)

    def mark(self, node: Delta) -> str:
        return SHIFT_MARKS[node.shift]

    def hue(self, node: Delta, frame: Frame) -> str:
        # The root always differs where anything does; its colour would only say so again.
        if not frame.depth or node.shift is Shift.SAME:
            return self.neutral
        return shift_colour(node.shift, self.app.theme_variables)

    def axis(self, width: int) -> str:
        if self.chart is None:
            missing = (
                "no price is known for one of them" if self._measure.key == "dollars" else "there is nothing in them"
            )
            return f" {self._measure.key}: {missing}"
        legend = "  ".join(f"{mark} {SHIFT_WORDS[shift]}" for shift, mark in SHIFT_MARKS.items() if mark)
        said = f" {legend}   {self._measure.key}, the larger of both"
        order = f"{said}, {'largest first' if self.by_size else 'in prompt order'}"
        return order if len(order) <= width else said

    def action_next_metric(self) -> None:
        self._measure = _MEASURES[(_MEASURES.index(self._measure) + 1) % len(_MEASURES)]
        self._draw()

    def action_next_order(self) -> None:
        self.by_size = not self.by_size
        self._draw()


def shift_colour(shift: Shift, variables: dict[str, str]) -> str:
    """The colour of a shift in a theme."""
    return variables.get(_COLOURS[shift], "#808080")
