"""What two calls differ in, as lines: their totals one above the other, where their prompts part, one node of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from llmprof_addon.export import text
from llmprof_addon.export.comparison import minus, parting_words
from llmprof_addon.export.diff import CallDiff, Held, PartDiff
from llmprof_addon.export.diff_tree import Delta
from llmprof_addon.model.component import Component
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.rows import CallRow, RunRow
from llmprof_tui.widgets.columns import Column, fit
from llmprof_tui.widgets.diff_flame import SHIFT_MARKS, SHIFT_WORDS

_COLUMNS = (
    Column(key="side", title="", width=7, least=7, left=True),
    Column(key="when", title="when", width=16, left=True, leaves=3),
    Column(key="model", title="model", width=28, least=10, left=True, leaves=1),
    Column(key="input", title="input", width=10),
    Column(key="read", title="read", width=10, leaves=4),
    Column(key="written", title="written", width=10, leaves=5),
    Column(key="fresh", title="fresh", width=10, leaves=6),
    Column(key="output", title="output", width=8),
    Column(key="cost", title="cost", width=10),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """One side of a comparison: a call, or a run."""

    started_ns: int
    model: str | None
    usage: Usage
    cost: int | None
    at_least: bool = False
    """Whether the cost lacks calls without a known price."""


def call_totals(row: CallRow) -> Totals:
    """Those of a call."""
    cost: Cost | None = row.cost
    return Totals(
        started_ns=row.started_ns, model=row.model, usage=row.usage, cost=None if cost is None else cost.total
    )


def run_totals(row: RunRow) -> Totals:
    """Those of a run."""
    return Totals(
        started_ns=row.started_ns,
        model=", ".join(row.models) or None,
        usage=row.usage,
        cost=None if row.cost is None else row.cost.total,
        at_least=row.unpriced_calls > 0,
    )


def totals_lines(before: Totals, after: Totals, width: int) -> list[Text]:
    """Titles, both sides, and what the later one has more."""
    slots = fit(_COLUMNS, max(1, width))
    rows: list[tuple[Sequence[str], str]] = [
        ([column.title for column in _COLUMNS], "dim"),
        (_cells("before", before), ""),
        (_cells("after", after), ""),
        (_changes(before, after), "bold"),
    ]
    lines = []
    for cells, style in rows:
        line = Text(no_wrap=True, style=style)
        for slot in slots:
            line.append(" " * max(0, slot.x - line.cell_len))
            cell = Text(cells[slot.index], style="dim" if slot.index == 0 else "")
            cell.truncate(slot.width, overflow="ellipsis")
            left = _COLUMNS[slot.index].left
            pad = " " * (slot.width - cell_len(cell.plain))
            line.append_text(cell if left else Text(pad) + cell)
        lines.append(line)
    return lines


def _cells(side: str, totals: Totals) -> list[str]:
    estimated = totals.usage.source is not Source.REPORTED
    return [
        side,
        text.when(totals.started_ns),
        text.plain(totals.model or text.UNKNOWN),
        *(text.exact(count, estimated=estimated) for count in _counts(totals.usage)),
        text.dollars(totals.cost, at_least=totals.at_least),
    ]


def _changes(before: Totals, after: Totals) -> list[str]:
    counts = [minus(new, old) for new, old in zip(_counts(after.usage), _counts(before.usage), strict=True)]
    same = before.model == after.model
    return [
        "change",
        "",
        "" if same else "another model",
        *(text.signed(count, text.exact) for count in counts),
        text.UNKNOWN
        if before.at_least or after.at_least
        else text.signed(minus(after.cost, before.cost), text.dollars),
    ]


def _counts(usage: Usage) -> tuple[int | None, ...]:
    """Input, read, written, fresh, output."""
    whole, read, written = usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    fresh = None if whole is None else whole - (read or 0) - (written or 0)
    return whole, read, written, fresh, usage.output_tokens


def parting_line(compared: CallDiff) -> Text:
    """Where two prompts part."""
    said = parting_words(compared)
    if said.place:
        return Text.assemble(("✂ ", "bold"), said.lead, (text.plain(said.place), "bold"), text.plain(said.rest))
    known = bool(compared.before.leaves and compared.after.leaves)
    return Text(f"✓ {said.lead}") if known else Text(said.lead, "dim")


def delta_lines(trail: Sequence[Delta]) -> list[Text]:
    """The exact numbers of the last of these, in two lines."""
    delta = trail[-1]
    title = Text(f"{SHIFT_MARKS[delta.shift]} {SHIFT_WORDS[delta.shift]}  ".lstrip(), "bold")
    names = [text.KIND_NAMES[each.kind] if each.name == each.kind.value else each.name for each in trail]
    title.append(text.plain(" › ".join(names)), "bold")
    shown = delta.after or delta.before
    if shown is not None and shown.path:
        title.append(f"  {text.plain(shown.path)}", "dim")
    tokens = _both(delta, lambda component: text.exact(component.tokens, estimated=_estimated(component)))
    line = Text(f"{tokens} tokens")
    line.append(f"  {text.signed(delta.tokens, text.exact)}", "bold")
    line.append(f"   {_both(delta, lambda component: text.dollars(component.cost))}")
    line.append(f"  {text.signed(delta.cost, text.dollars)}", "bold")
    line.append(f"   read {_both(delta, lambda component: text.exact(component.read_tokens))}", "dim")
    return [title, line]


def _both(delta: Delta, write: Callable[[Component], str]) -> str:
    return " → ".join("∅" if side is None else write(side) for side in (delta.before, delta.after))


def _estimated(component: Component) -> bool:
    return component.token_source is Source.ESTIMATED


PART_COLUMNS = (
    Column(key="change", title="change", width=9, left=True),
    Column(key="section", title="section", width=8, left=True, leaves=3),
    Column(key="name", title="part", width=30, least=12, grow=1, left=True),
    Column(key="path", title="place", width=28, least=12, left=True, leaves=2),
    Column(key="before", title="before", width=8, leaves=4),
    Column(key="after", title="after", width=8, leaves=5),
    Column(key="tokens", title="tokens", width=8),
    Column(key="cost", title="cost", width=10, leaves=1),
)
"""Of the table of what differs."""

CHANGE_MARKS = {"same": "=", "moved": "⇅", "changed": "~", "new": "+", "gone": "−"}


def part_cells(part: PartDiff, colour: str) -> list[str | Text]:
    """A row of the table."""
    held = part.after or part.before
    return [
        Text(f"{CHANGE_MARKS[part.change]} {part.change.value}", colour),
        part.section,
        text.plain(part.name),
        text.plain(held.path or "") if held else "",
        *(_amount(side) for side in (part.before, part.after)),
        text.signed(part.tokens, text.tokens),
        text.signed(part.cost, text.dollars),
    ]


def _amount(held: Held | None) -> str:
    return "∅" if held is None else text.tokens(held.tokens, estimated=held.estimated)
