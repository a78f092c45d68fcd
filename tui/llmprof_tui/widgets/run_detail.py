"""What the selected run is made of, and what should be known of it: a heading, the composition, its notes."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from llmprof_addon.export import text
from llmprof_addon.model.component import KindTotal
from llmprof_addon.store.remarks import Remarks
from llmprof_addon.store.rows import RunRow
from llmprof_tui.widgets.composition import CompositionBar, Legend

NOTES = 4
"""Lines of notes."""


class Heading(Widget):
    """The name of a run, cut where its facts need the room."""

    DEFAULT_CSS = "Heading { height: 1; }"
    _row: RunRow | None = None

    def show(self, row: RunRow | None) -> None:
        """Say which run."""
        self._row = row
        self.refresh()

    def render(self) -> Text:
        """Name and facts on one line."""
        if (row := self._row) is None:
            return Text()
        tags = [f"{key}:{value}" if value else key for key, value in row.tags.items()]
        peak = text.tokens(row.peak_context_tokens, estimated=row.estimated_calls > 0)
        said = [text.counted(row.calls, "call"), f"largest prompt {peak}", *map(text.plain, tags)]
        facts = Text("  " + " · ".join(said), style="dim")
        facts.truncate(self.size.width * 2 // 3, overflow="ellipsis")
        name = Text(text.plain(row.label or row.id), style="bold")
        name.truncate(self.size.width - facts.cell_len, overflow="ellipsis")
        return Text.assemble(name, facts, no_wrap=True, end="")


class RunDetail(Vertical):
    """The panel below the list of runs."""

    DEFAULT_CSS = """
    RunDetail {
        height: auto; padding: 0 1; background: $surface;
        & > .notes { height: auto; max-height: 4; display: none; }
    }
    """

    def compose(self) -> ComposeResult:
        """Heading, line, legend, notes."""
        yield Heading()
        yield CompositionBar()
        yield Legend()
        yield Static(classes="notes", markup=False)

    def show_run(self, row: RunRow | None) -> None:
        """Say which run; the rest follows when it was read."""
        self.query_one(Heading).show(row)
        if row is None:
            self.show(None, (), Remarks())

    def show(
        self, row: RunRow | None, composition: Sequence[KindTotal], remarks: Remarks, advice: Sequence[str] = ()
    ) -> None:
        """Show what the prompts of the run hold in sum, and its notes."""
        self.query_one(CompositionBar).show(composition)
        self.query_one(Legend).show(composition)
        notes = notes_of(row, remarks, advice) if row is not None else []
        theme = self.app.theme_variables
        lines = [
            Text.assemble((f"{mark} ", theme[colour]), said, no_wrap=True, overflow="ellipsis")
            for mark, colour, said in notes[:NOTES]
        ]
        if len(notes) > NOTES:
            lines[-1].append(f"  +{len(notes) - NOTES} more", style="dim")
        panel = self.query_one(".notes", Static)
        same = len(lines) == panel.size.height
        panel.update(Text("\n", no_wrap=True, overflow="ellipsis").join(lines), layout=bool(lines) and not same)
        panel.display = bool(lines)


def notes_of(row: RunRow, remarks: Remarks, advice: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """Notes on a run, the most important first: mark, theme variable, text. `advice`: its findings in words."""
    notes = []
    if row.error_calls:
        said = ", ".join(_times(what, number) for what, number in remarks.failures)
        notes.append(("✗", "error", f"{row.error_calls:,} of {text.counted(row.calls, 'call')} failed: {said}"))
    if remarks.losses:
        notes.append(("✂", "warning", _lost(row, remarks)))
    notes += [("⚠", "warning", text.plain(said)) for said in advice]
    if row.unpriced_calls:
        models = text.plain(", ".join(row.models))
        said = f"{text.counted(row.unpriced_calls, 'call')} without a known price ({models})"
        notes.append(("–", "warning", said + ("" if row.cost is None else ": the cost is at least what is shown")))
    if row.estimated_calls:
        notes.append(
            ("≈", "warning", f"{text.counted(row.estimated_calls, 'call')} whose tokens the provider did not report")
        )
    return notes + [("⚠", "warning", _times(warning, number)) for warning, number in remarks.warnings]


def _lost(row: RunRow, remarks: Remarks) -> str:
    """How often the cached prefix was lost, and why."""
    from llmprof_addon.export.cache import CAUSES  # with the cache doctor, which the first paint does not wait for

    said = [text.counted(row.cache_breaks, "cache break")] if row.cache_breaks else []
    said += [text.counted(row.cache_expiries, "expiry", "expiries")] if row.cache_expiries else []
    causes = ", ".join(f"{CAUSES[cause]} ({number:,})" for cause, number in remarks.losses)
    return f"{' and '.join(said)}, {text.dollars(row.cache_wasted)} re-written: {causes}"


def _times(said: str, number: int) -> str:
    return text.plain(said) + (f" ({number:,})" if number > 1 else "")
