"""Facts on as many lines as they need, none of them broken."""

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from llmprof_tui.widgets.call_header import GAP, Fact, flowed
from llmprof_tui.widgets.looks import blended


class FactLines(Static):
    """`show` gives it groups of facts; each group begins on a line of its own."""

    DEFAULT_CSS = """
    FactLines {
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

    def __init__(self, *, id: str | None = None, most: int = 3) -> None:
        """`most`: lines that it takes at most; what is last does not fit then."""
        super().__init__("", markup=False, id=id)
        self._groups: Sequence[Sequence[Fact]] = ()
        self._most = most

    def show(self, *groups: Sequence[Fact]) -> None:
        """Show these."""
        self._groups = groups
        self._draw()

    def on_resize(self) -> None:
        """Fill the lines anew."""
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        width = max(self.size.width or self.app.size.width - 2, 20)
        found = [self._line(line) for group in self._groups for line in flowed(group, width)][: self._most]
        for line in found:
            line.truncate(width, overflow="ellipsis")
        self.update(Text("\n").join(found))

    def _line(self, line: Sequence[Fact]) -> Text:
        out = Text(no_wrap=True)
        for index, fact in enumerate(line):
            out.append(GAP if index else "")
            for said, look in fact:
                out.append(said, blended(self, f"facts--{look}") if look else "")
        return out
