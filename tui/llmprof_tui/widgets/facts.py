"""Facts as stretches of text with looks, on as many lines as they need, none of them broken."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from llmprof_tui.widgets.looks import blended

type Fact = tuple[tuple[str, str], ...]
"""Stretches of text with the name of their look: `strong`, `dim`, `good`, `bad`, `warn`, `accent`, or none."""

GAP = "   "


def flowed(facts: Iterable[Fact], width: int) -> Iterator[list[Fact]]:
    """The facts on as many lines as they need; none is broken."""
    line: list[Fact] = []
    used = 0
    for fact in facts:
        cells = sum(cell_len(said) for said, _ in fact)
        if line and used + len(GAP) + cells > width:
            yield line
            line, used = [], 0
        used += cells + (len(GAP) if line else 0)
        line.append(fact)
    if line:
        yield line


class Told(Static):
    """Lines that are made of facts; a subclass has `told`, and calls `tell` when it would say something else."""

    DEFAULT_CSS = """
    Told {
        height: auto;
        padding: 0 1;
        & > .facts--strong { text-style: bold; }
        & > .facts--dim { color: $foreground 60%; }
        & > .facts--good { color: $success; }
        & > .facts--bad { color: $error; }
        & > .facts--warn { color: $warning; }
        & > .facts--accent { color: $accent; }
    }
    """
    COMPONENT_CLASSES = {f"facts--{name}" for name in ("strong", "dim", "good", "bad", "warn", "accent")}  # noqa: RUF012  # as Textual declares it

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self._said = Text()

    def told(self, width: int) -> Sequence[Text]:
        """The lines, at most so many cells wide; what is wider is cut."""
        raise NotImplementedError

    def tell(self) -> None:
        """Make the lines anew."""
        width = max(self.size.width or self.app.size.width - 2, 20)
        lines = self.told(width)
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        said, height = Text("\n").join(lines), self.styles.height
        if said != self._said:  # an update while the screen is laid out may swallow the layout that the next one needs
            self._said = said
            self.update(said, layout=height is None or height.is_auto)

    def on_resize(self) -> None:
        """Fill the lines anew."""
        self.tell()

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self.tell()

    def look(self, name: str) -> Style | str:
        """The style of a look."""
        return blended(self, f"facts--{name}") if name else ""

    def flow(self, facts: Iterable[Fact], width: int) -> list[Text]:
        """The facts, on as many lines as they need."""
        return [self.joined(line) for line in flowed(facts, width)]

    def joined(self, facts: Iterable[Fact], gap: str = GAP) -> Text:
        """The facts on one line."""
        out = Text(no_wrap=True)
        for index, fact in enumerate(facts):
            out.append(gap if index else "")
            for said, look in fact:
                out.append(said, self.look(look))
        return out


class FactLines(Told):
    """`show` gives it groups of facts; each group begins on a line of its own."""

    def __init__(self, *, id: str | None = None, most: int = 3) -> None:
        """`most`: lines that it takes at most; what is last does not fit then."""
        super().__init__(id=id)
        self._groups: Sequence[Sequence[Fact]] = ()
        self._most = most

    def show(self, *groups: Sequence[Fact]) -> None:
        """Show these."""
        self._groups = groups
        self.tell()

    def told(self, width: int) -> Sequence[Text]:
        """The first lines of all groups."""
        return [line for group in self._groups for line in self.flow(group, width)][: self._most]
