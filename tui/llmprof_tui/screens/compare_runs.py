"""Two runs side by side: totals, what each kind of component had, and the largest prompt of each as one flame graph."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult

from llmprof_addon.export import text
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source as Counted
from llmprof_addon.store.rows import RunRow
from llmprof_tui.screens.compare import Compared, compare
from llmprof_tui.screens.comparing import ComparingScreen
from llmprof_tui.source import Source
from llmprof_tui.themes import kind_colour
from llmprof_tui.widgets.columns import Column
from llmprof_tui.widgets.comparison import parting_line, run_totals, totals_lines
from llmprof_tui.widgets.diff_flame import DiffFlame
from llmprof_tui.widgets.window_table import WindowTable

_COLUMNS = (
    Column(key="kind", title="kind", width=20, least=12, grow=1, left=True),
    Column(key="before", title="before", width=9),
    Column(key="after", title="after", width=9),
    Column(key="change", title="change", width=9),
    Column(key="share", title="share", width=12, leaves=2),
    Column(key="cost_before", title="$ before", width=10, leaves=3),
    Column(key="cost_after", title="$ after", width=10, leaves=3),
    Column(key="cost", title="$ change", width=11, leaves=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """One kind in both runs; `None` where a run has nothing of it."""

    kind: Kind
    before: KindTotal | None
    after: KindTotal | None
    wholes: tuple[int, int]
    """Tokens of all kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRuns:
    """Two runs, compared."""

    rows: tuple[RunRow, RunRow]
    kinds: tuple[KindRow, ...]
    largest: Compared | None
    """The largest prompts; `None` where a run has none."""


def compare_runs(source: Source, before_id: str, after_id: str) -> ComparedRuns:
    """Read and compare two runs."""
    ids = (before_id, after_id)
    before, after = ({total.kind: total for total in source.composition(each)} for each in ids)
    wholes = (sum(total.tokens for total in before.values()), sum(total.tokens for total in after.values()))
    largest = [_largest(source, each) for each in ids]
    return ComparedRuns(
        rows=(source.run(before_id), source.run(after_id)),
        kinds=tuple(
            KindRow(kind=kind, before=before.get(kind), after=after.get(kind), wholes=wholes)
            for kind in Kind
            if kind in before or kind in after
        ),
        largest=compare(source, largest[0], largest[1]) if largest[0] and largest[1] else None,
    )


def _largest(source: Source, run_id: str) -> str | None:
    """The call of a run that has the most tokens in its prompt."""
    calls = [call for call in source.timeline(run_id) if call.input_tokens]
    return max(calls, key=lambda call: call.input_tokens or 0).id if calls else None


class CompareRunsScreen(ComparingScreen[ComparedRuns]):
    """How a run differs from another."""

    def read(self, source: Source, before_id: str, after_id: str) -> ComparedRuns:
        return compare_runs(source, before_id, after_id)

    def check(self, source: Source, before_id: str, after_id: str) -> None:
        source.run(before_id)
        source.run(after_id)

    def body(self) -> ComposeResult:
        """What each kind had."""
        yield WindowTable[KindRow](_COLUMNS, self._cells)

    def summary(self, compared: ComparedRuns, width: int) -> Sequence[Text]:
        before, after = (run_totals(row) for row in compared.rows)
        names = Text(no_wrap=True, overflow="ellipsis")
        names.append(" ⇄ ".join(text.plain(row.label or row.id) for row in compared.rows), "bold")
        names.append(f"  {' and '.join(text.counted(row.calls, 'call') for row in compared.rows)}", "dim")
        names.truncate(width, overflow="ellipsis")
        if compared.largest is None:
            return [names, *totals_lines(before, after, width), Text("one of the runs has no prompt to draw", "dim")]
        return [
            names,
            *totals_lines(before, after, width),
            Text("largest prompts: ") + parting_line(compared.largest.diff),
        ]

    def show(self, compared: ComparedRuns) -> None:
        graph, largest = self.query_one(DiffFlame), compared.largest
        if largest is None:
            graph.show(())
        else:
            graph.show(largest.tree, name="largest prompt of each run", sources=largest.sources)
        table = self.query_one(WindowTable)
        table.show_rows(compared.kinds)
        self.query_one(DiffFlame).focus()

    def _cells(self, row: KindRow) -> list[str | Text]:
        before, after = (0 if total is None else total.tokens for total in (row.before, row.after))
        costs = [0 if total is None else total.cost for total in (row.before, row.after)]
        cost = None if costs[0] is None or costs[1] is None else costs[1] - costs[0]
        return [
            Text("■ ", kind_colour(row.kind, self.app.theme)) + Text(text.KIND_NAMES[row.kind], "default"),
            *(_tokens(total) for total in (row.before, row.after)),
            text.signed(after - before, text.tokens),
            f"{text.share(before, row.wholes[0])} → {text.share(after, row.wholes[1])}",
            *(text.UNKNOWN if total is None else text.dollars(total.cost) for total in (row.before, row.after)),
            text.signed(cost, text.dollars),
        ]


def _tokens(total: KindTotal | None) -> str:
    return "∅" if total is None else text.tokens(total.tokens, estimated=total.source is Counted.ESTIMATED)
