"""What a prompt is made of, as one stacked line and a legend: width is tokens, colour is the kind."""

from collections.abc import Sequence
from itertools import pairwise

from rich.style import Style
from rich.text import Text
from textual import events
from textual.color import Color
from textual.widget import Widget

from llmprof_addon.export import text
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source
from llmprof_tui.themes import KIND_MARKS, kind_colour


def stretches(amounts: Sequence[int], width: int) -> list[tuple[int, int]]:
    """First cell and end of each amount on a line: running sums are rounded, so that edges never drift."""
    whole = sum(amounts)
    edges, reached = [0], 0
    for amount in amounts:
        reached += amount
        edges.append(reached * width // whole if whole else 0)
    return list(pairwise(edges))


class Totals(Widget):
    """Base of what shows a prompt's kinds; empty until `show`."""

    totals: Sequence[KindTotal] = ()

    def show(self, totals: Sequence[KindTotal]) -> None:
        """Show these kinds, in this order."""
        self.totals = [total for total in totals if total.tokens]
        self.refresh()

    def notify_style_update(self) -> None:
        """Draw anew after a change of theme."""
        super().notify_style_update()
        self.refresh()

    @property
    def whole(self) -> int:
        """Tokens of all kinds."""
        return sum(total.tokens for total in self.totals)

    @property
    def monochrome(self) -> bool:
        """Whether letters have to do what colours cannot."""
        return bool(getattr(self.app, "monochrome", False))

    def said(self, total: KindTotal) -> str:
        """A kind in one line, exactly."""
        line = f"{text.KIND_NAMES[total.kind]}: {text.exact(total.tokens, estimated=total.source is Source.ESTIMATED)}"
        line += f" tokens, {text.share(total.tokens, self.whole)}, {text.dollars(total.cost)}"
        return f"{line}\nread from cache {total.read:,}, written {total.write:,}, fresh {total.fresh:,}"


class CompositionBar(Totals):
    """One line, as wide as there is room; names stand in the stretches that hold them."""

    DEFAULT_CSS = "CompositionBar { height: 1; width: 1fr; }"

    def render(self) -> Text:
        """The stretches; an empty line where nothing is known."""
        width, line = self.size.width, Text(no_wrap=True, end="")
        for total, (start, end) in zip(self.totals, self._stretches(width), strict=True):
            line.append_text(self._stretch(total.kind, end - start))
        return line

    def _stretches(self, width: int) -> list[tuple[int, int]]:
        return stretches([total.tokens for total in self.totals], width)

    def _stretch(self, kind: Kind, width: int) -> Text:
        name = text.KIND_NAMES[kind]
        if self.monochrome:
            mark = KIND_MARKS[kind]
            # Two neighbours never look alike, since each kind stands here once.
            return Text(f" {name} ".center(width, mark) if len(name) + 4 <= width else mark * width, style="reverse")
        colour = Color.parse(kind_colour(kind, self.app.theme))
        ink = colour.get_contrast_text(0.9).rich_color
        shown = name if len(name) + 2 <= width else ""
        return Text(shown.center(width), style=Style(color=ink, bgcolor=colour.rich_color))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say the kind under the mouse exactly."""
        at = event.get_content_offset(self)
        tip = None
        if at is not None:
            for total, (start, end) in zip(self.totals, self._stretches(self.size.width), strict=True):
                if start <= at.x < end:
                    tip = Text(self.said(total))
        if self.tooltip != tip:
            self.tooltip = tip


class Legend(Totals):
    """The largest kinds with their tokens and shares: as many as the lines that it has can hold."""

    DEFAULT_CSS = "Legend { height: auto; max-height: 2; width: 1fr; }"

    def show(self, totals: Sequence[KindTotal]) -> None:
        """Show these kinds, the largest first."""
        super().show(sorted(totals, key=lambda total: -total.tokens))
        needed = self.get_content_height(None, None, self.size.width)
        if needed != self.size.height:
            self.refresh(layout=True)

    def render(self) -> Text:
        """Entries, wrapped between them only."""
        lines = [Text()]
        room = self.size.width
        most = max(1, self.size.height)
        for place, total in enumerate(self.totals):
            entry, left = self._entry(total), len(self.totals) - place
            more = Text(f"  +{left} more") if left else Text()
            gap = 2 if lines[-1] else 0
            last = len(lines) == most
            if lines[-1].cell_len + gap + entry.cell_len > room - (more.cell_len if last and left > 1 else 0):
                if last:
                    lines[-1].append_text(Text(f"  +{left} more", style="dim"))
                    break
                lines.append(Text())
                gap = 0
            lines[-1].append(" " * gap)
            lines[-1].append_text(entry)
        return Text("\n").join(lines)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many lines as the entries need."""
        needed = sum(self._entry(total).cell_len + 2 for total in self.totals)
        return 1 if needed - 2 <= width else 2

    def _entry(self, total: KindTotal) -> Text:
        amount = text.tokens(total.tokens, estimated=total.source is Source.ESTIMATED)
        mark = KIND_MARKS[total.kind] if self.monochrome else "■"
        style = "bold reverse" if self.monochrome else kind_colour(total.kind, self.app.theme)
        return Text.assemble(
            (mark, style), f" {text.KIND_NAMES[total.kind]} {amount} ", (text.share(total.tokens, self.whole), "dim")
        )
