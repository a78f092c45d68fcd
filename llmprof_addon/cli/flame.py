"""A component tree as a text flame: one line a component, its bar as long as its share."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from llmprof_addon.cli.grid import Column
from llmprof_addon.cli.terminal import console, plain, print_grid
from llmprof_addon.export import text
from llmprof_addon.export.text import KIND_COLOURS, KIND_NAMES
from llmprof_addon.model.component import Component, Kind
from llmprof_addon.model.usage import Source

_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the flame: a component, or what was folded under its parent."""

    depth: int
    name: str
    kind: Kind
    tokens: int
    estimated: bool
    cost: int | None
    read: int
    write: int
    fresh: int
    path: str | None = None


def lines(components: Sequence[Component], *, depth: int, most: int | None) -> Iterator[Line]:
    """Lines of the tree down to `depth` levels; of each component the `most` largest children, the rest folded."""
    # An explicit stack: a tree from the wire may be as deep as it likes.
    stack: list[tuple[int, Component | Line]] = [(0, component) for component in reversed(components)]
    while stack:
        level, item = stack.pop()
        if isinstance(item, Line):
            yield item
            continue
        yield _line(item, level)
        if level + 1 >= depth or _says_nothing_new(item):
            continue
        below: list[tuple[int, Component | Line]] = [(level + 1, child) for child in item.children]
        if most is not None and len(item.children) > most + 1:
            largest = sorted(range(len(below)), key=lambda index: -item.children[index].tokens)[:most]
            folded = [child for index, child in enumerate(item.children) if index not in largest]
            below = [below[index] for index in sorted(largest)] + [(level + 1, _folded(folded, level + 1))]
        stack += reversed(below)


def _says_nothing_new(component: Component) -> bool:
    """A single child that is all of its parent and has no name of its own."""
    return len(component.children) == 1 and not component.children[0].name


def _line(component: Component, level: int) -> Line:
    return Line(
        depth=level,
        name=KIND_NAMES[component.kind] if level == 0 else component.name or KIND_NAMES[component.kind],
        kind=component.kind,
        tokens=component.tokens,
        estimated=component.token_source is Source.ESTIMATED,
        cost=component.cost,
        read=component.read_tokens,
        write=component.write_tokens,
        fresh=component.fresh_tokens,
        path=component.path,
    )


def _folded(components: Sequence[Component], level: int) -> Line:
    costs = [component.cost for component in components if component.cost is not None]
    return Line(
        depth=level,
        name=f"… {len(components)} smaller ones",
        kind=components[0].kind,
        tokens=sum(component.tokens for component in components),
        estimated=any(component.token_source is Source.ESTIMATED for component in components),
        cost=sum(costs) if costs else None,
        read=sum(component.read_tokens for component in components),
        write=sum(component.write_tokens for component in components),
        fresh=sum(component.fresh_tokens for component in components),
    )


def bar(part: int, whole: int, cells: int) -> str:
    """A bar of `part` in `whole`, to an eighth of a cell; something is never nothing."""
    if not whole or not part:
        return ""
    eighths = max(1, round(part * cells * 8 / whole))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def bar_cells(width: int) -> int:
    """How long the bar of a whole is on a terminal of this width."""
    return min(32, max(8, width // 8))


def print_flame(shown: Iterable[Line], total: int, *, answer: bool = False) -> None:
    """The lines with name, bar, tokens, share, cache split, dollars."""
    cells = bar_cells(console().width)
    split = () if answer else ("read", "write", "fresh")
    columns = (
        Column(name="answer" if answer else "prompt", least=12),
        # Of a fixed width, whatever the longest bar: bars of both trees compare.
        Column(name=" " * cells, least=cells),
        Column(name="tokens"),
        Column(name="share", leaves=1),
        *(Column(name=name, leaves=2) for name in split),
        Column(name="cost"),
    )
    rows = []
    for line in shown:
        colour = KIND_COLOURS[line.kind]
        rows.append(
            (
                Text("  " * line.depth, style="bold" if line.depth == 0 else "") + plain(line.name),
                Text(bar(line.tokens, total, cells), style=colour if line.depth == 0 else f"dim {colour}"),
                text.tokens(line.tokens, estimated=line.estimated),
                text.share(line.tokens, total),
                *((text.tokens(n) if n else "·" for n in (line.read, line.write, line.fresh)) if split else ()),
                text.dollars(line.cost),
            )
        )
    print_grid(columns, rows)
