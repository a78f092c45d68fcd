"""The call that is selected or pointed at in a timeline, exactly: what it was, and what its prompt holds."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from llmprof_addon.export.text import KIND_NAMES, UNKNOWN, dollars, duration, exact, plain, share, tokens
from llmprof_addon.model.component import Kind
from llmprof_addon.model.usage import Source
from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.themes import KIND_MARKS, kind_colour
from llmprof_tui.widgets.call_rows import clock, ending
from llmprof_tui.widgets.facts import Fact, Told
from llmprof_tui.widgets.looks import blended

GAP = "  "


class CallLine(Told):
    """`show` gives it a call."""

    DEFAULT_CSS = """
    CallLine {
        height: 2;
        background: $panel;
        & > .line--number { background: $primary; color: $background; text-style: bold; }
        & > .line--pointed { background: $foreground 25%; text-style: bold; }
    }
    """
    COMPONENT_CLASSES = {"line--number", "line--pointed"}  # noqa: RUF012  # as Textual declares it

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[int, TimelineCall, CallRow | None, int, Kind | None, bool] | None = None

    def show(
        self,
        place: int,
        call: TimelineCall,
        row: CallRow | None = None,
        *,
        since: int = 0,
        kind: Kind | None = None,
        pointed: bool = False,
    ) -> None:
        """Show a call.

        Args:
            place: Its number in the run, from 1.
            call: What the timeline knows of it.
            row: All that is known, if it is at hand.
            since: When the run began.
            kind: The kind to say first.
            pointed: The mouse is on it; else it is the selected one.
        """
        self._shown = place, call, row, since, kind, pointed
        self.tell()

    def told(self, width: int) -> Sequence[Text]:
        """Its number and what it was, as far as there is room; what its prompt holds."""
        if self._shown is None:
            return ()
        place, call, row, since, kind, pointed = self._shown
        first = Text(no_wrap=True)
        first.append(f" {place:,} ", blended(self, f"line--{'pointed' if pointed else 'number'}"))
        kinds = self._kinds(call, kind)
        if kind is not None and self.size.height == 1:
            return [Text.assemble(first, GAP, kinds, no_wrap=True)]
        for fact in facts(call, row, since):
            if first.cell_len + len(GAP) + sum(cell_len(said) for said, _ in fact) > width:
                break  # half a fact would be another one
            first = Text.assemble(first, GAP, self.joined([fact]), no_wrap=True)
        return [first, kinds]

    def _kinds(self, call: TimelineCall, first: Kind | None) -> Text:
        """What the prompt holds, the largest first; the one that is pointed at before all, with its split."""
        line = Text(no_wrap=True)
        whole = sum(total.tokens for total in call.composition)
        dim = self.look("dim")
        for total in sorted(call.composition, key=lambda total: (total.kind is not first, -total.tokens)):
            if not total.tokens and total.kind is not first:
                continue
            if getattr(self.app, "monochrome", False):
                line.append(f"{KIND_MARKS[total.kind]} ", "bold reverse")
            else:
                line.append("■ ", kind_colour(total.kind, self.app.theme))
            pointed = total.kind is first
            line.append(f"{KIND_NAMES[total.kind]} ", "bold" if pointed else "")
            line.append(exact(total.tokens, estimated=total.source is Source.ESTIMATED), "bold" if pointed else "")
            said = share(total.tokens, whole)
            if pointed:
                said += (
                    f", {total.read:,} cached, {total.write:,} written, {total.fresh:,} fresh, {dollars(total.cost)}"
                )
            line.append(f" {said}{GAP}", dim)
        return line or Text("nothing is known of its prompt", style=dim)


def facts(call: TimelineCall, row: CallRow | None, since: int) -> Iterator[Fact]:
    """What there is to say of a call, most important first."""
    yield ((clock(call.started_ns, since), "dim"),)
    read = sum(total.read for total in call.composition)
    yield (("in ", "dim"), (exact(call.input_tokens, estimated=call.estimated), "strong"))
    yield ((share(read, call.input_tokens), "good"), (" cached", "dim"))
    yield (("out ", "dim"), (exact(call.output_tokens, estimated=call.estimated), ""))
    yield ((dollars(call.cost), "strong"),)
    if row is not None:
        yield ((ending(row).plain, "bad" if row.failed else ""),)
    elif call.failed:
        yield (("✗ failed", "bad"),)
    yield ((duration(call.ended_ns - call.started_ns), ""),)
    if call.first_chunk_ns is not None:
        yield (("first byte ", "dim"), (duration(call.first_chunk_ns - call.started_ns), ""))
    if row is not None and (speed := row.output_tokens_per_second) is not None:
        yield ((f"{speed:.0f}", ""), (" tokens/s", "dim"))
    if (of_window := share(call.input_tokens, call.context_window)) != UNKNOWN:
        yield ((f"{of_window} of the window of {tokens(call.context_window)}", "dim"),)
    yield ((plain(call.model or "no model"), ""),)
