"""What carrying parts has cost -> cells, orders and exact numbers of their table."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.text import Text

from llmprof_addon.export.rent import RentRow, RunRents
from llmprof_addon.export.text import KIND_NAMES, UNKNOWN, counted, dollars, exact, plain, share, tokens
from llmprof_addon.model.component import Kind
from llmprof_addon.model.cost import usd
from llmprof_addon.store.rows import RunRow
from llmprof_tui.themes import KIND_MARKS
from llmprof_tui.widgets.columns import Column
from llmprof_tui.widgets.facts import Fact

BAR = 6
"""Cells of the bar beside a share."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"

COLUMNS = (
    Column(key="label", title="part", width=34, least=20, grow=3, left=True),
    Column(key="kind", title="kind", width=13, left=True, leaves=3),
    Column(key="path", title="where", width=24, least=14, grow=1, left=True, leaves=5),
    Column(key="each", title="tokens × carried", width=16),
    Column(key="calls", title="calls", width=9, leaves=4),
    Column(key="referred", title="referred", width=8, leaves=2),
    Column(key="tokens", title="in all", width=7, leaves=6),
    Column(key="cost", title="cost", width=9),
    Column(key="share", title="share", width=5 + BAR, leaves=1, left=True, sorts=False),
)

_ORDER = {kind: at for at, kind in enumerate(Kind)}
_KEYS: dict[str, Callable[[RentRow], Any]] = {
    "label": lambda row: row.label.casefold(),
    "kind": lambda row: _ORDER[row.kind] if row.kind else -1,
    "path": lambda row: row.path,
    "each": lambda row: row.tokens_per_call,
    "calls": lambda row: (row.first_call, row.last_call),
    "referred": lambda row: (row.referable or row.referred_call is not None, row.referred_call or 0),
    "tokens": lambda row: row.tokens,
    "cost": lambda row: (row.cost is not None, row.cost or 0, row.tokens),
}


def ordered(rows: Sequence[RentRow], key: str, *, descending: bool) -> list[RentRow]:
    """In the order of a column; ties by cost."""
    return sorted(rows, key=_KEYS[key], reverse=descending)


def rent_cells(
    row: RentRow, colour: Callable[[Kind], str], *, most: float = 1.0, monochrome: bool = False
) -> tuple[Text | str, ...]:
    """The cells of a row, in the order of `COLUMNS`.

    Args:
        row: what is shown.
        colour: of a kind.
        most: the share whose bar is a whole one.
        monochrome: letters stand for kinds.
    """
    ink = colour(row.kind) if row.kind else ""
    mark = KIND_MARKS[row.kind].upper() if monochrome and row.kind else "■" if row.kind else " "
    named = row.tool is not None and row.tool != row.label and row.node is not None
    label = Text.assemble((f"{mark} ", ink), (f"{plain(row.tool or '')}: " if named else "", "bold"), plain(row.label))
    first, last = row.first_call, row.last_call
    return (
        label,
        Text(KIND_NAMES[row.kind] if row.kind else "several", style="dim"),
        Text(
            plain(row.path) if row.path else "" if row.node or not row.parts else counted(row.parts, "part"),
            style="dim",
        ),
        f"{tokens(row.tokens_per_call, estimated=row.estimated)} × {row.carried:,}",
        f"{first:,}" if first == last else f"{first:,}–{last:,}",
        _referred(row),
        tokens(row.tokens, estimated=row.estimated),
        Text(dollars(row.cost), style="bold"),
        Text.assemble(f"{share_of(row):>4} ", (bar((row.share or 0) / most if most else 0), ink)),
    )


def _where(row: RentRow) -> str:
    if row.node is not None:
        return plain(row.path)
    return counted(row.parts, "part") if row.parts else ""


def _referred(row: RentRow) -> Text:
    if row.referred_call is not None:
        return Text(f"{row.referred_call:,}")
    return Text("never", style="italic") if row.referable else Text(UNKNOWN, style="dim")


def share_of(row: RentRow) -> str:
    """Its share of what the run's input has cost."""
    return UNKNOWN if row.share is None else share(round(row.share * 1_000_000), 1_000_000)


def bar(amount: float, cells: int = BAR) -> str:
    """A bar for an amount up to 1, in eighths of a cell; what is there at all is seen."""
    eighths = max(round(amount * cells * 8), 1 if amount > 0 else 0)
    whole, rest = divmod(min(eighths, cells * 8), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def rent_exact(row: RentRow, key: str) -> str | None:
    """What a cell says under the mouse, by its column's key."""
    mark = "≈" if row.estimated else ""
    match key:
        case "label":
            return plain(row.label) or None
        case "path":
            return plain(row.path) or None
        case "kind" if row.server:
            return f"of the server {plain(row.server)}"
        case "each" | "tokens":
            return (
                f"{mark}{row.tokens:,} tokens in all: read from cache {row.read:,}, written {row.write:,},"
                f" fresh {row.fresh:,}; carried {counted(row.carried, 'time')}"
            )
        case "calls":
            return f"carried by {row.carried:,} of the calls {row.first_call:,} to {row.last_call:,}"
        case "referred" if row.referred_call is not None:
            return f"the answer of call {row.referred_call:,} is the last one that refers to it"
        case "referred":
            return "no answer refers to it" if row.referable else "it has no name by which an answer could refer to it"
        case "cost" | "share":
            if row.cost is None:
                return "no price is known for the models of these calls"
            return f"{mark}${usd(row.cost)}, {share_of(row)} of what the input of the run has cost"
    return None


def sums(found: RunRents, run: RunRow, by: str) -> Iterator[Fact]:
    """The input of a run, and what the list shows of it."""
    rows, more = found.rows.get(by, ()), found.more.get(by)
    yield (("input ", "dim"), (exact(found.tokens), "strong"), (" tokens", "dim"))
    bounded = run.unpriced_calls > 0 and found.cost is not None
    yield (("paid ", "dim"), (dollars(found.cost, at_least=bounded), "strong"))
    yield (("by ", "dim"), (by, "accent"), (f", {counted(len(rows), 'row')}", "dim"))
    forgotten = [row for row in rows if row.referable and row.referred_call is None and row.node is not None]
    if forgotten:
        costs = [row.cost for row in forgotten if row.cost is not None]
        said = f"{counted(len(forgotten), 'part')} never referred to"
        yield ((said, "warn"), (f"  {dollars(sum(costs) if costs else None)}", "strong"))
    if more is not None:
        yield ((f"{more.label}: {dollars(more.cost)}", "dim"),)
    if run.unpriced_calls:
        yield ((f"{counted(run.unpriced_calls, 'call')} unpriced", "warn"),)
