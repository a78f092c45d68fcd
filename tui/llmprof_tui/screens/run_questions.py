"""What the list of runs asks: its rows with their growth, and what the selected one is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmprof_addon.export.text import UNKNOWN
from llmprof_addon.model.component import KindTotal
from llmprof_addon.store.remarks import Remarks
from llmprof_addon.store.rows import RunRow
from llmprof_tui.source import Source
from llmprof_tui.widgets.run_cells import RunLine

MOST_FINDINGS = 2
"""Of a run, in its notes; those about its cache are summed there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What is shown of the selected run."""

    row: RunRow
    composition: tuple[KindTotal, ...]
    remarks: Remarks
    advice: Sequence[str] = ()
    """What could be saved, a line each, the dearest first."""


def newest(source: Source, limit: int) -> dict[int, RunLine]:
    """So many rows, those that started last first."""
    return _with_growth(source, {row.number: row for row in source.newest(limit)})


def rows(source: Source, numbers: Sequence[int]) -> dict[int, RunLine]:
    """Rows by number; those that were deleted are missing."""
    return _with_growth(source, source.runs(numbers))


def _with_growth(source: Source, found: Mapping[int, RunRow]) -> dict[int, RunLine]:
    growth = source.growth(list(found))
    return {number: RunLine(row=row, growth=growth.get(number, ())) for number, row in found.items()}


def detail(source: Source, row: RunRow) -> Detail:
    """What is shown of a run."""
    from llmprof_addon.export.findings import finding_rows  # which the first paint does not wait for

    found = finding_rows([each for each in source.findings(row.id) if each.code != "cache_break"][:MOST_FINDINGS])
    advice = [f"{each.label}: {each.title}" + (f"  {each.cost}" if each.cost != UNKNOWN else "") for each in found]
    remarks = source.remarks(row.id)
    return Detail(row=row, composition=source.composition(row.id), remarks=remarks, advice=advice)
