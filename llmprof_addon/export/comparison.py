"""Two stored calls, or two runs, compared -> the words and the JSON in which that is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmprof_addon.export.diff import CallDiff, Held, PartDiff, Side, diff
from llmprof_addon.export.shapes import cache_hit_ratio, usage_json
from llmprof_addon.export.text import counted, share
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json
from llmprof_addon.store.rows import CallRow, RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class KindDiff:
    """One kind of component on both sides; `None` where a side has nothing of it."""

    kind: Kind
    before: KindTotal | None
    after: KindTotal | None

    @property
    def tokens(self) -> tuple[int, int]:
        """Before, and after."""
        return self.before.tokens if self.before else 0, self.after.tokens if self.after else 0

    @property
    def cost(self) -> tuple[int | None, int | None]:
        """Pico-dollars before, and after; `None` where unpriced."""
        return self.before.cost if self.before else 0, self.after.cost if self.after else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCalls:
    """Two calls, compared."""

    rows: tuple[CallRow, CallRow]
    kinds: tuple[KindDiff, ...]
    diff: CallDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRuns:
    """Two runs, compared."""

    rows: tuple[RunRow, RunRow]
    kinds: tuple[KindDiff, ...]
    """Sums over the calls of each."""
    largest: ComparedCalls | None
    """The largest prompt of each; `None` where a run has none."""


def compared_calls(rows: tuple[CallRow, CallRow], sides: tuple[Side, Side]) -> ComparedCalls:
    """Compare two calls, given with what was laid out of each."""
    before, after = rows
    return ComparedCalls(rows=rows, kinds=by_kind(before.composition, after.composition), diff=diff(*sides))


def by_kind(before: Sequence[KindTotal], after: Sequence[KindTotal]) -> tuple[KindDiff, ...]:
    """The kinds of either side, in the order of legends."""
    old, new = ({total.kind: total for total in side} for side in (before, after))
    return tuple(
        KindDiff(kind=kind, before=old.get(kind), after=new.get(kind)) for kind in Kind if kind in old or kind in new
    )


def calls_json(compared: ComparedCalls) -> dict[str, Json]:
    """Both calls, the differences of their kinds, and every part of either, whose differences sum to theirs."""
    found = compared.diff
    return {
        "before": _call_json(compared.rows[0]),
        "after": _call_json(compared.rows[1]),
        "kinds": [_kind_json(kind) for kind in compared.kinds],
        "shared_tokens": found.shared_tokens,
        "parting": None if found.parting is None else _part_json(found.parting),
        "parts": [_part_json(part) for part in found.parts],
    }


def runs_json(compared: ComparedRuns) -> dict[str, Json]:
    """Both runs, the differences of their kinds, and those of their largest prompts."""
    return {
        "before": _run_json(compared.rows[0]),
        "after": _run_json(compared.rows[1]),
        "kinds": [_kind_json(kind) for kind in compared.kinds],
        "largest": None if compared.largest is None else calls_json(compared.largest),
    }


def _call_json(row: CallRow) -> dict[str, Json]:
    cost = usd(row.cost.total) if row.cost else None
    return {"id": row.id, "run_id": row.run_id, "model": row.model, "usage": usage_json(row.usage), "total_usd": cost}


def _run_json(row: RunRow) -> dict[str, Json]:
    return {
        "id": row.id,
        "label": row.label,
        "models": list(row.models),
        "calls": row.calls,
        "usage": usage_json(row.usage),
        "total_usd": usd(row.cost.total) if row.cost else None,
        "unpriced_calls": row.unpriced_calls,
        "peak_context_tokens": row.peak_context_tokens,
        "cache_hit_ratio": cache_hit_ratio(row.usage),
    }


def _kind_json(kind: KindDiff) -> dict[str, Json]:
    (before, after), (paid_before, paid_after) = kind.tokens, kind.cost
    return {
        "kind": kind.kind.value,
        "tokens_before": before,
        "tokens_after": after,
        "tokens": after - before,
        "usd_before": usd(paid_before),
        "usd_after": usd(paid_after),
        "usd": usd(minus(paid_after, paid_before)),
    }


def _part_json(part: PartDiff) -> dict[str, Json]:
    return {
        "change": part.change.value,
        "section": part.section,
        "kind": part.kind.value,
        "name": part.name,
        "tokens": part.tokens,
        "usd": usd(part.cost),
        "before": _held_json(part.before),
        "after": _held_json(part.after),
    }


def _held_json(held: Held | None) -> dict[str, Json] | None:
    if held is None:
        return None
    return {
        "path": held.path,
        "tokens": held.tokens,
        "estimated": held.estimated,
        "cost_usd": usd(held.cost),
        "read_tokens": held.read_tokens,
        "write_tokens": held.write_tokens,
        "fresh_tokens": held.fresh_tokens,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where the prefix ends that both prompts begin with, which is all that a cache could have served, in words."""

    lead: str
    place: str = ""
    """Path of the part where they part; from the wire, as it is. The words of `lead` and `rest` stand around it."""
    rest: str = ""


def parting_words(found: CallDiff) -> Parting:
    """Where two prompts part; they do not where nothing is known of one, or one begins with all of the other."""
    if not found.before.leaves or not found.after.leaves:
        return Parting(lead="one of the prompts is not known")
    models = (found.before.call.request_model, found.after.call.request_model)
    note = "; two models, which share no cache" if models[0] != models[1] else ""
    shared = counted(found.shared_tokens, "token")
    part = found.parting
    if part is None:
        return Parting(lead=f"one prompt begins with all of the other: {shared} are shared{note}")
    of_later = share(found.shared_tokens, sum(leaf.tokens for leaf in found.after.leaves))
    return Parting(
        lead="the prompts part at ",
        place=path_of(part),
        rest=f" ({part.name}, {part.change.value}) after {shared}, {of_later} of the later one{note}",
    )


def path_of(part: PartDiff) -> str:
    """Where a part stands: its path, or its section where it has none."""
    held = part.after or part.before
    return (held.path if held else None) or part.section


def minus(after: int | None, before: int | None) -> int | None:
    """The difference, if both are known."""
    return None if after is None or before is None else after - before
