"""A call and the one before it in its lane -> what became of the cached prefix, why, and what that cost. Pure.

How much was there is the provider's own number for the call before; how much was read, its number for this one. Only
where that falls short are the prompts compared, and a difference counts only if less was read than stands before it.
"""

from collections.abc import Sequence

from llmprof_addon.cachedoctor.changes import Change, Comparison, compare
from llmprof_addon.cachedoctor.expected import (
    as_said,
    idle_seconds,
    is_judged,
    is_parallel,
    left_behind,
    lifetimes,
    noise,
    readable,
)
from llmprof_addon.cachedoctor.rules import CacheRules, rules_for
from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict, CacheView

HARMLESS = 0.75
"""A part whose estimated end is within this share of what was read was read itself."""

ROUGHLY = 0.1
"""By how much the estimated size of what is gone may be wrong."""

CLOCKS = 0.98
"""A lifetime counts as over a little earlier: the provider's clock is not ours."""

_OF_PROVIDERS = {
    "model_changed": CacheCause.MODEL_CHANGED,
    "system_changed": CacheCause.SYSTEM_CHANGED,
    "tools_changed": CacheCause.TOOL_CHANGED,
    "messages_changed": CacheCause.MESSAGE_CHANGED,
    "input_changed": CacheCause.MESSAGE_CHANGED,
    "context_compacted": CacheCause.HISTORY_COMPACTED,
    **dict.fromkeys(
        (
            *("prompt_cache_key_changed", "text_format_changed", "reasoning_effort_changed", "verbosity_changed"),
            "service_tier_changed",
        ),
        CacheCause.PARAMS_CHANGED,
    ),
}
"""What providers say themselves (Anthropic `cache_miss_reason`, OpenAI `prompt_cache_diagnostics`)."""


def examine(call: CacheView, previous: CacheView | None) -> CacheVerdict | None:
    """The verdict on a call; `None` where its provider's rules or its cache numbers are not known.

    `previous` is the latest call of the lane that was answered before; where `falls_short` says so, both need steps.
    """
    rules = rules_for(call.api, call.model)
    if rules is None or not is_judged(call) or (previous is not None and previous.is_summed):
        return None
    call, previous = as_said(call, rules), previous and as_said(previous, rules)
    read = call.read or 0
    reason, before = call.provider_reason, previous.call_id if previous else None
    expected = readable(call, previous, rules) if previous else 0
    if expected - read <= noise(rules, expected):
        if read or expected:
            return CacheVerdict(
                status=CacheStatus.HIT,
                expected=expected,
                read=read,
                wasted=_none_wasted(call),
                provider_reason=reason,
                previous=before,
            )
        return CacheVerdict(
            status=CacheStatus.COLD,
            cause=_why_cold(call, previous, rules),
            wasted=_none_wasted(call),
            provider_reason=reason,
            previous=before,
        )
    if previous is None or is_parallel(call, previous):
        return CacheVerdict(
            status=CacheStatus.PARALLEL,
            read=read,
            wasted=_none_wasted(call),
            provider_reason=reason,
            previous=before,
        )
    return _short(call, previous, rules, left_behind(previous, rules))


def _short(call: CacheView, previous: CacheView, rules: CacheRules, there: int) -> CacheVerdict:
    read = call.read or 0
    compared = compare(call, previous, rules)
    # A prompt that another one goes on from is not longer, in one tokenizer: such numbers contradict each other.
    grown = not compared.changes and not _other_model(call, previous)
    if (not previous.is_kin and not compared.shares_messages) or (grown and (previous.input or 0) > (call.input or 0)):
        return CacheVerdict(
            status=CacheStatus.HIT if read else CacheStatus.COLD,
            cause=None if read else CacheCause.COLD,
            expected=read,
            read=read,
            wasted=_none_wasted(call),
            provider_reason=call.provider_reason,
        )
    expected = min(there, round(compared.left), call.input or 0)
    lost = expected - read
    estimated = compared.unsure > 0 and compared.left - compared.unsure < there
    cause, change = _cause(call, previous, rules, compared)
    if not rules.promises and change is None and cause is not CacheCause.MODEL_CHANGED:
        return CacheVerdict(
            status=CacheStatus.HIT if read else CacheStatus.COLD,
            cause=None if read else cause,
            expected=read,
            read=read,
            wasted=_none_wasted(call),
            provider_reason=call.provider_reason,
            previous=previous.call_id,
        )
    if lost <= noise(rules, expected) + ROUGHLY * compared.unsure:
        # What was there is not asked for any more: a conversation that was taken back, or begun anew.
        compacted = cause is CacheCause.HISTORY_COMPACTED
        if not compacted:
            return CacheVerdict(
                status=CacheStatus.HIT if read else CacheStatus.COLD,
                cause=None if read else CacheCause.COLD,
                expected=max(expected, read),
                read=read,
                wasted=_none_wasted(call),
                estimated=estimated,
                provider_reason=call.provider_reason,
                previous=previous.call_id,
            )
        lost = max(lost, 0)
    return CacheVerdict(
        status=_STATUS.get(cause, CacheStatus.BREAK) if cause is not CacheCause.PROVIDER_EVICTED else _evicted(read),
        cause=cause,
        expected=read + lost,
        read=read,
        lost=lost,
        wasted=wasted(call, lost),
        estimated=estimated,
        first_diff=change.difference if change else None,
        provider_reason=call.provider_reason,
        previous=previous.call_id,
    )


_STATUS = {CacheCause.EXPIRED: CacheStatus.EXPIRED}


def _evicted(read: int) -> CacheStatus:
    return CacheStatus.PARTIAL if read else CacheStatus.BREAK


def _why_cold(call: CacheView, previous: CacheView | None, rules: CacheRules) -> CacheCause:
    if rules.opt_in and not call.marks and (previous is None or not previous.marks):
        return CacheCause.NO_BREAKPOINT
    if max(call.input or 0, previous.input or 0 if previous else 0) < rules.minimum:
        return CacheCause.BELOW_MINIMUM
    if previous is None:
        return CacheCause.COLD
    if rules.opt_in and not previous.marks:
        return CacheCause.NO_BREAKPOINT
    return CacheCause.BELOW_MINIMUM if (previous.input or 0) < rules.minimum else CacheCause.COLD


def _cause(
    call: CacheView, previous: CacheView, rules: CacheRules, compared: Comparison
) -> tuple[CacheCause, Change | None]:
    """The first cause that would have been enough, and the change behind it."""
    if rules.opt_in and not call.marks:
        return CacheCause.NO_BREAKPOINT, None
    idle, (may, must) = idle_seconds(call, previous), lifetimes(previous, rules)
    if idle >= must * CLOCKS:
        return CacheCause.EXPIRED, None
    if _other_model(call, previous):
        return CacheCause.MODEL_CHANGED, None
    if change := _harmful(compared.changes, call.read or 0, left_behind(previous, rules)):
        return change.cause, change
    if rules.lookback is not None and not _reaches(call, previous, rules.lookback):
        return CacheCause.BREAKPOINT_MOVED, None
    if idle >= may * CLOCKS:
        return CacheCause.EXPIRED, None
    if said := _OF_PROVIDERS.get(call.provider_reason or ""):
        return said, None
    return CacheCause.PROVIDER_EVICTED, None


def _other_model(call: CacheView, previous: CacheView) -> bool:
    served = call.served_model, previous.served_model
    return call.model != previous.model or (None not in served and served[0] != served[1])


def _harmful(changes: Sequence[Change], read: int, there: int) -> Change | None:
    """The first change behind which nothing was read; one that was read through, or was never cached, did no harm."""
    return next((change for change in changes if change.end >= read * HARMLESS and change.start <= there), None)


def _reaches(call: CacheView, previous: CacheView, lookback: int) -> bool:
    """Whether a breakpoint is near enough behind the last one of the call before to find it."""
    last = previous.marks[-1].end if previous.marks else 0
    return any(0 <= mark.end - last < lookback for mark in call.marks)


def wasted(call: CacheView, lost: int) -> int | None:
    """What `lost` tokens cost above the rate for reading them, in pico-dollars; `None` for unpriced calls.

    They stand right behind what was read: the first of them were written, those that follow were fresh.
    """
    if call.write_cost is None or call.fresh_cost is None or call.read_rate is None:
        return None
    write = call.write or 0
    fresh = max((call.input or 0) - (call.read or 0) - write, 0)
    of_write = min(lost, write)
    of_fresh = min(lost - of_write, fresh)
    paid = (call.write_cost * of_write // write if write else 0) + (call.fresh_cost * of_fresh // fresh if fresh else 0)
    return max(0, paid - (of_write + of_fresh) * call.read_rate)


def _none_wasted(call: CacheView) -> int | None:
    return None if call.write_cost is None else 0
