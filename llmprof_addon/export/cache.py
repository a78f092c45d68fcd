"""A run's cache -> the JSON and the words in which it is told: which call lost how much, and to which difference."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from llmprof_addon.cachedoctor.tally import CacheTally, tally
from llmprof_addon.export.shapes import cache_json
from llmprof_addon.export.text import UNKNOWN, duration
from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict, Difference
from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json
from llmprof_addon.model.standin import in_words as stand_in_words
from llmprof_addon.model.standin import is_stand_in
from llmprof_addon.model.tree import parse
from llmprof_addon.store.cached import content
from llmprof_addon.store.judged import Idle, Judged, idle, judged
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import RunRow

AROUND = 24
"""Characters that are shown before the first one that differs."""
SHOWN = 72
"""Characters of a text that are shown."""

CAUSES: dict[CacheCause, str] = {
    CacheCause.TOOLS_ADDED: "a tool was added",
    CacheCause.TOOLS_REMOVED: "a tool was removed",
    CacheCause.TOOLS_REORDERED: "tools stand in another order",
    CacheCause.TOOL_CHANGED: "a tool's schema changed",
    CacheCause.SYSTEM_CHANGED: "the system prompt changed",
    CacheCause.MESSAGE_CHANGED: "an earlier message changed",
    CacheCause.MESSAGE_REMOVED: "earlier messages were removed",
    CacheCause.HISTORY_COMPACTED: "the history was compacted",
    CacheCause.MODEL_CHANGED: "another model",
    CacheCause.PARAMS_CHANGED: "a request field changed",
    CacheCause.BREAKPOINT_MOVED: "no breakpoint near enough to the last one",
    CacheCause.NO_BREAKPOINT: "no breakpoint in the request",
    CacheCause.BELOW_MINIMUM: "the prompt is too short to be cached",
    CacheCause.EXPIRED: "the prefix had expired",
    CacheCause.COLD: "nothing was cached yet",
    CacheCause.PROVIDER_EVICTED: "the provider no longer had it",
}
"""In words."""


LOSS_SIGNS = {CacheStatus.BREAK: "✂", CacheStatus.PARTIAL: "✂", CacheStatus.EXPIRED: "⏱"}
"""Of what `is_loss`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A call that lost its cached prefix."""

    call: Judged
    verdict: CacheVerdict
    idle: Idle | None
    """`None` if the call before is gone."""
    previous_model: str | None = None
    """The model of the call before, where that is in the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCache:
    """What a run's cache did."""

    tally: CacheTally
    calls: int
    judged: int
    """Calls with a verdict."""
    losses: tuple[Loss, ...]
    """By start."""


def run_cache(store: Store, run_id: str) -> RunCache:
    """The cache of a run: its sums, and the calls that lost something."""
    calls = judged(store, run_id)
    models = {call.id: call.model for call in calls}
    lost = [call for call in calls if call.verdict is not None and is_loss(call.verdict)]
    idles = idle(store, lost)
    return RunCache(
        tally=tally((call.verdict, call.input_tokens, call.cost) for call in calls),
        calls=len(calls),
        judged=sum(call.verdict is not None for call in calls),
        losses=tuple(
            Loss(
                call=call,
                verdict=call.verdict,
                idle=idles.get(call.id),
                previous_model=models.get(call.verdict.previous or ""),
            )
            for call in lost
            if call.verdict is not None
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Both texts from shortly before their first difference; `None` where a text is not there (any more)."""

    before: str | None
    after: str | None
    same: int = 0
    """So many characters at the start of both are the same, then they part;"""
    differ: tuple[int, int] = (0, 0)
    """so many of each are its own, before what is the same again."""


def excerpt(store: Store, difference: Difference, *, shown: int = SHOWN) -> Excerpt:
    """The two texts of a difference, at most so many characters of each; of a request field its values."""
    if difference.section == "params":
        return parted(difference.before, difference.after, shown)
    before, after = _text(store, difference.before), _text(store, difference.after)
    if any(text is not None and is_stand_in(text) for text in (before, after)):
        found = tuple(None if text is None else stand_in_words(text) for text in (before, after))
        return Excerpt(before=found[0], after=found[1], differ=(len(found[0] or ""), len(found[1] or "")))
    return parted(before, after, shown)


def parted(before: str | None, after: str | None, shown: int = SHOWN) -> Excerpt:
    """Two texts from shortly before they part."""
    if before is None or after is None:
        found = tuple(None if text is None else _cut(text, 0, shown) for text in (before, after))
        return Excerpt(before=found[0], after=found[1], differ=(len(found[0] or ""), len(found[1] or "")))
    same = _in_common(before, after)
    most = min(len(before), len(after)) - same
    again = min(most, _in_common(before[::-1], after[::-1]))
    start = max(0, same - AROUND)
    texts = _cut(before, start, shown), _cut(after, start, shown)
    same += (1 if start else 0) - start  # with the sign of what is left out
    own = [min(len(text) - again - start, shown) + (1 if start else 0) - same for text in (before, after)]
    return Excerpt(before=texts[0], after=texts[1], same=same, differ=(max(0, own[0]), max(0, own[1])))


def _in_common(one: str, other: str) -> int:
    """How many characters at their starts are the same."""
    least = min(len(one), len(other))
    return next((at for at in range(least) if one[at] != other[at]), least)


def _text(store: Store, digest: str | None) -> str | None:
    stored = None if digest is None else content(store, digest)
    if stored is None:
        return None
    value = parse(stored)
    text = value.get("text") if isinstance(value, dict) else value
    return text if isinstance(text, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int, shown: int) -> str:
    kept = text[start : start + shown]
    return f"{'…' if start else ''}{kept}{'…' if start + shown < len(text) else ''}"


def where(difference: Difference) -> str:
    """What a difference is called: `tools[1] read_file`, `messages[3].content[0] user`, `thinking`."""
    place = difference.path or f"{difference.section} (gone)"
    return place if difference.name in ("", difference.section) else f"{place} {difference.name}"


def is_loss(verdict: CacheVerdict) -> bool:
    """Whether a verdict is worth a line among what was lost."""
    return verdict.status in (CacheStatus.BREAK, CacheStatus.PARTIAL, CacheStatus.EXPIRED)


def in_words(verdict: CacheVerdict) -> str:
    """A verdict's cause, and where the prompts part."""
    cause = CAUSES[verdict.cause] if verdict.cause else UNKNOWN
    place = where(verdict.first_diff) if verdict.first_diff else ""
    said = f"; the provider says {verdict.provider_reason}" if verdict.provider_reason else ""
    return f"{cause}{f': {place}' if place else ''}{said}"


def lives(gap: Idle) -> str:
    """How long an unused prefix is kept: `5m`, or `5m–1h` where only that is known."""
    least, most = _span(gap.may_expire_s), _span(gap.expires_s)
    return least if least == most else f"{least}–{most}"


def _span(seconds: int) -> str:
    return f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}m"


def without_texts(loss: Loss) -> str:
    """What is to be said of a loss for which no part of the prompts stands."""
    cause, gap = loss.verdict.cause, loss.idle
    if cause is CacheCause.EXPIRED and gap is not None:
        waited = duration(round(gap.seconds * 1e9))
        return f"The prefix had not been used for {waited}; unused it is kept for {lives(gap)}."
    if cause is CacheCause.MODEL_CHANGED and loss.previous_model:
        return (
            f"The call before went to {loss.previous_model}, this one to {loss.call.model}; no model reads another's."
        )
    return _SAID.get(cause, "No part of the prompts is known to differ.") if cause else ""


_SAID = {
    CacheCause.NO_BREAKPOINT: "The request marks nothing to be cached, unlike the one before it.",
    CacheCause.BREAKPOINT_MOVED: "No breakpoint of the request is near enough to the last one of the call before: the"
    " provider looks back over 20 blocks from each.",
    CacheCause.PROVIDER_EVICTED: "Nothing in the request explains it, and the prefix was within its time: the provider"
    " no longer had it, or another of its machines answered.",
    CacheCause.HISTORY_COMPACTED: "A summary stands in place of the history.",
}


def cache_report_json(store: Store, run: RunRow, calls: Sequence[Judged], sums: CacheTally) -> dict[str, Json]:
    """A run's cache: its sums, its losses by cause, and every call's verdict with the texts that differ."""
    return {
        "run_id": run.id,
        "calls": len(calls),
        "hit_ratio": _rounded(sums.hit_ratio),
        "rewrite_factor": _rounded(sums.rewrite_factor),
        "lost_tokens": sums.lost,
        "wasted_usd": usd(sums.wasted),
        "cost_usd": usd(sums.cost),
        "perfect_cost_usd": usd(sums.perfect_cost),
        "unpriced_calls": sums.unpriced,
        "by_cause": {
            cause.value: {"calls": losses.calls, "lost_tokens": losses.lost, "wasted_usd": usd(losses.wasted)}
            for cause, losses in sums.by_cause.items()
        },
        "verdicts": [_verdict_json(store, call) for call in calls],
    }


def _verdict_json(store: Store, call: Judged) -> dict[str, Json]:
    verdict = call.verdict
    texts = excerpt(store, verdict.first_diff) if verdict and verdict.first_diff else None
    return {
        "id": call.id,
        "started_ns": call.started_ns,
        "input_tokens": call.input_tokens,
        "read_tokens": call.read_tokens,
        "cache": cache_json(verdict),
        "before": texts.before if texts else None,
        "after": texts.after if texts else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
