"""Verdicts on calls by hand, each with one thing wrong."""

from typing import Any

import pytest

from llmprof_addon.cachedoctor.examine import examine
from llmprof_addon.cachedoctor.expected import falls_short
from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict, CacheView, Mark
from tests.unit.cachedoctor.views import EACH, step, view

BEFORE = view()


def judged(call: CacheView, previous: CacheView | None = BEFORE) -> CacheVerdict:
    found = examine(call, previous)
    assert found is not None
    return found


def test_a_longer_prompt_whose_prefix_was_read_is_a_hit() -> None:
    call = view(messages="abcde", at=1, read=6 * EACH)
    assert not falls_short(call, BEFORE)
    found = judged(call)
    assert (found.status, found.cause, found.lost, found.wasted) == (CacheStatus.HIT, None, 0, 0)


def test_what_is_lost_costs_the_difference_of_the_rates() -> None:
    found = judged(view(system="t", messages="abcde", at=1, read=0))
    assert (found.status, found.cause) == (CacheStatus.BREAK, CacheCause.SYSTEM_CHANGED)
    assert (found.expected, found.lost) == (6 * EACH, 6 * EACH)
    assert found.wasted == 6 * EACH * (1250 - 100)
    assert found.first_diff is not None
    assert (found.first_diff.section, found.first_diff.path) == ("system", "system.t")
    assert found.first_diff.before == step("s").content.hex()
    assert found.previous == BEFORE.call_id


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"tools": "ABC"}, CacheCause.TOOLS_ADDED),
        ({"tools": "B"}, CacheCause.TOOLS_REMOVED),
        ({"tools": "BA"}, CacheCause.TOOLS_REORDERED),
        ({"system": "st"}, CacheCause.SYSTEM_CHANGED),
        ({"messages": "xbcde"}, CacheCause.MESSAGE_CHANGED),
        ({"messages": "bcde"}, CacheCause.MESSAGE_REMOVED),
        ({"model": "claude-opus-4-1"}, CacheCause.MODEL_CHANGED),
        ({"params": {"anthropic-beta": "one"}}, CacheCause.PARAMS_CHANGED),
        ({"marks": ()}, CacheCause.NO_BREAKPOINT),
        ({"marks": (Mark(2),)}, CacheCause.BREAKPOINT_MOVED),
        ({"at": 7}, CacheCause.EXPIRED),
        ({}, CacheCause.PROVIDER_EVICTED),
        ({"provider_reason": "messages_changed"}, CacheCause.MESSAGE_CHANGED),
    ],
    ids=str,
)
def test_the_cause_is_named(changed: dict[str, Any], cause: CacheCause) -> None:
    given: dict[str, Any] = {"messages": "abcde", "at": 1, "read": 0}
    found = judged(view(**(given | changed)))
    assert found.cause is cause
    assert found.lost > 0


def test_a_tool_of_the_same_name_changed() -> None:
    tools = (step("A", "tools"), step("B2", "tools"))
    rest = view(messages="abcde").steps or ()
    found = judged(view(messages="abcde", at=1, steps=(*tools, *rest[2:])))
    assert found.cause is CacheCause.TOOL_CHANGED


def test_an_hour_of_life_outlasts_a_break_of_five_minutes() -> None:
    previous = view(marks=(Mark(3, "1h"), Mark(6, "1h")))
    assert judged(view(messages="abcde", at=30), previous).cause is CacheCause.PROVIDER_EVICTED
    assert judged(view(messages="abcde", at=61), previous).status is CacheStatus.EXPIRED


def test_a_difference_that_was_read_through_is_harmless() -> None:
    """What a provider strips before it looks, and what is billed as read all the same."""
    found = judged(view(system="t", messages="abcde", at=1, read=6 * EACH))
    assert (found.status, found.lost) == (CacheStatus.HIT, 0)
    call = view(system="t", messages="abcdxfgh", at=1, read=7 * EACH)
    later = judged(call, view(messages="abcdefg"))
    assert later.cause is CacheCause.MESSAGE_CHANGED


def test_a_call_beside_another_lost_nothing() -> None:
    found = judged(view(messages="abcde", at=0, started_ns=10**8))
    assert (found.status, found.lost) == (CacheStatus.PARALLEL, 0)


def test_a_conversation_that_was_taken_back_lost_nothing() -> None:
    previous = view(messages="abcdefgh")
    found = judged(view(messages="abcdx", at=1, read=6 * EACH), previous)
    assert (found.status, found.cause) == (CacheStatus.HIT, None)


def test_a_summary_in_the_place_of_the_history_is_no_loss_of_it() -> None:
    previous = view(messages="abcdefgh")
    found = judged(view(messages="xgh", at=1, read=3 * EACH), previous)
    assert found.cause is CacheCause.HISTORY_COMPACTED
    assert found.lost == 2 * EACH  # what was kept, and paid for anew


def test_the_first_call_is_cold() -> None:
    assert judged(view(), None).cause is CacheCause.COLD
    assert judged(view(marks=()), None).cause is CacheCause.NO_BREAKPOINT
    assert judged(view(input=900, write=0), None).cause is CacheCause.BELOW_MINIMUM


def test_what_is_not_known_gets_no_verdict() -> None:
    assert examine(view(model="some-model"), BEFORE) is None
    assert examine(view(input=None), BEFORE) is None
    assert examine(view(read=0, api="gemini.generate_content"), BEFORE) is None


def test_an_unpriced_call_wastes_an_unknown_amount() -> None:
    assert judged(view(system="t", at=1, write_cost=None)).wasted is None


def test_more_read_than_there_is_input_is_a_hit() -> None:
    """Some hosts report more cached than input tokens."""
    assert judged(view(at=1, read=9 * EACH, write=0)).status is CacheStatus.HIT


def test_a_clock_that_jumps_back_makes_no_break() -> None:
    assert judged(view(messages="abcde", at=-5)).status is CacheStatus.PARALLEL


def test_automatic_caches_hold_whole_steps() -> None:
    openai: dict[str, Any] = {"api": "openai.chat", "model": "gpt-4.1", "write": None, "marks": ()}
    previous = view(**openai)
    assert judged(view(messages="abcde", at=1, read=5888, **openai), previous).status is CacheStatus.HIT
    found = judged(view(messages="abcde", at=1, read=2048, **openai), previous)
    assert (found.status, found.cause) == (CacheStatus.PARTIAL, CacheCause.PROVIDER_EVICTED)
    assert found.expected == 6000 // 128 * 128
    assert judged(view(messages="abcde", at=6, **openai), previous).status is CacheStatus.EXPIRED
    kept = view(params={"prompt_cache_retention": '"24h"'}, **openai)
    kept_call = view(messages="abcde", at=6, params={"prompt_cache_retention": '"24h"'}, **openai)
    assert judged(kept_call, kept).cause is CacheCause.PROVIDER_EVICTED


def test_another_conversation_of_the_session_is_no_compaction() -> None:
    previous = view(messages="abcdefgh", is_kin=False)
    begun = judged(view(messages="x", at=1, read=3 * EACH), previous)
    assert (begun.status, begun.cause, begun.lost) == (CacheStatus.HIT, None, 0)
    trimmed = judged(view(messages="adefghi", at=1, read=3 * EACH), previous)
    assert trimmed.cause is CacheCause.MESSAGE_REMOVED


def test_sums_over_several_prompts_say_nothing_of_one() -> None:
    """A provider that runs its own tools reports what it read and wrote in all rounds together."""
    assert examine(view(system="t", at=1, is_summed=True), BEFORE) is None
    assert examine(view(at=1), view(is_summed=True)) is None


def test_a_prompt_below_the_minimum_can_read_nothing() -> None:
    found = judged(view(messages="abcde", at=1, input=900, write=0))
    assert (found.status, found.lost) == (CacheStatus.COLD, 0)


GEMINI: dict[str, Any] = {"api": "gemini.generate_content", "model": "gemini-2.5-flash", "write": None, "marks": ()}


def test_a_cache_that_promises_nothing_loses_nothing_by_itself() -> None:
    previous = view(read=5000, **GEMINI)
    missed = judged(view(messages="abcde", at=1, read=None, **GEMINI), previous)
    assert (missed.status, missed.cause, missed.lost) == (CacheStatus.COLD, CacheCause.PROVIDER_EVICTED, 0)
    partly = judged(view(messages="abcde", at=1, read=2000, **GEMINI), previous)
    assert (partly.status, partly.lost) == (CacheStatus.HIT, 0)


def test_there_what_was_read_before_is_lost_by_a_change() -> None:
    previous = view(read=5000, **GEMINI)
    found = judged(view(system="t", messages="abcde", at=1, read=None, **GEMINI), previous)
    assert (found.cause, found.expected, found.lost, found.estimated) == (CacheCause.SYSTEM_CHANGED, 5000, 5000, False)
    late = judged(view(messages="abxde", at=1, read=None, **GEMINI), view(read=3000, messages="abcde", **GEMINI))
    assert late.lost == 0  # it changed behind what had been cached


def test_a_named_cache_is_not_missed_by_who_names_another() -> None:
    previous = view(read=5000, params={"cachedContent": '"cachedContents/one"'}, **GEMINI)
    other = view(messages="abcde", at=1, read=None, params={"cachedContent": '"cachedContents/two"'}, **GEMINI)
    assert judged(other, previous).status is CacheStatus.COLD
    assert judged(view(messages="abcde", at=1, read=5000, params=previous.params, **GEMINI), previous).lost == 0
