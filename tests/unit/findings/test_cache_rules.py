"""Rules about the prompt cache: breaks, missing marks, and how long prefixes are kept."""

from dataclasses import replace

import pytest

from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict, Difference
from tests.unit.findings.looking import found, only
from tests.unit.findings.trees import RATES, Builder, grown, last_call, system, user, words

PREFIX = [system(words(5_000, "s"))]


def broken(cause: CacheCause, status: CacheStatus = CacheStatus.BREAK, *, times: int = 1, lost: int = 4_000) -> Builder:
    builder = grown(4)
    for turn in range(times):
        builder.call([user(f"go on {turn}")], system=PREFIX, write=5_002)
        difference = Difference(section="system", path="system[0]", name="system")
        wasted = lost * (RATES["cache_write_5m"] - RATES["cache_read"])
        last_call(
            builder,
            cache=CacheVerdict(
                status=status, cause=cause, expected=5_000, lost=lost, wasted=wasted, first_diff=difference
            ),
        )
    return builder


def test_breaks_are_added_up_by_cause() -> None:
    builder = broken(CacheCause.SYSTEM_CHANGED, times=2)
    finding = only(builder, "cache_break")
    assert finding.title == "the cached prefix was lost 2 times: the system prompt changed (8,000 tokens paid for anew)"
    assert finding.cost == 8_000 * (RATES["cache_write_5m"] - RATES["cache_read"])
    assert (finding.calls, finding.estimated) == (2, False)
    assert {each.saves for each in finding.evidence} == {"rate"}


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (CacheCause.PROVIDER_EVICTED, CacheStatus.PARTIAL),
        (CacheCause.HISTORY_COMPACTED, CacheStatus.BREAK),
        (CacheCause.EXPIRED, CacheStatus.EXPIRED),
        (CacheCause.COLD, CacheStatus.COLD),
    ],
)
def test_what_nobody_can_change_is_no_break(cause: CacheCause, status: CacheStatus) -> None:
    assert found(broken(cause, status), "cache_break") == []


def test_a_small_break_is_not_told() -> None:
    assert found(broken(CacheCause.SYSTEM_CHANGED, lost=499), "cache_break") == []


def unmarked(calls: int = 5, *, size: int = 5_000, apart: float = 10, **fields: object) -> Builder:
    builder = Builder()
    for turn in range(calls):
        messages = [user(words(20, "ask")), *(user(words(20, f"t{at}")) for at in range(turn))]
        builder.call(messages, system=[system(words(size, "s"))], at=turn * apart, **fields)  # type: ignore[arg-type]
    return builder


def test_a_prefix_that_nobody_marked() -> None:
    finding = only(unmarked(), "uncached_prefix")
    shared = [5_000 + 20 + 20 * turn for turn in range(4)]
    new = [5_020, 20, 20, 20, 20]
    assert finding.tokens == sum(shared)
    saved = sum(shared) * (RATES["input"] - RATES["cache_read"])
    assert finding.cost == pytest.approx(saved - sum(new) * (RATES["cache_write_5m"] - RATES["input"]), abs=9)
    assert finding.calls == 4


@pytest.mark.parametrize(
    "builder",
    [
        unmarked(size=4_000),
        unmarked(apart=301),
        unmarked(cache_ttls=("5m",)),
        unmarked(api="openai.responses"),
        unmarked(calls=1),
        unmarked(read=3_000),
        unmarked(failed=True),
        unmarked(rates={"input": 3, "cache_read": 3, "cache_write_5m": 3, "cache_write_1h": 3}),
        unmarked(priced=False),
    ],
    ids=["small", "rare", "marked", "automatic", "once", "read", "failed", "no-price-for-reading", "unpriced"],
)
def test_where_marking_would_not_help(builder: Builder) -> None:
    assert found(builder, "uncached_prefix") == []


def hourly(*at: float) -> Builder:
    builder = Builder()
    for turn, started in enumerate(at):
        builder.call([user(words(3_000, f"t{turn}"))], write=3_000, write_1h=3_000, at=started)
    return builder


def test_an_hour_is_too_long_where_calls_follow_in_minutes() -> None:
    finding = only(hourly(0, 60, 200), "dear_ttl")
    assert finding.cost == 9_000 * (RATES["cache_write_1h"] - RATES["cache_write_5m"])
    assert "9,000 tokens written to be cached for 1h, and no gap longer than 140 s" in finding.title


@pytest.mark.parametrize("at", [(0, 60, 361), (0,)], ids=["a-long-gap", "a-single-call"])
def test_an_hour_is_right_where_a_gap_is_long(at: tuple[float, ...]) -> None:
    assert found(hourly(*at), "dear_ttl") == []


def expiring(gap: float, *, expiries: int = 1, writes: int = 0) -> Builder:
    builder = Builder()
    at = 0.0
    builder.call([user(words(20_000))], write=20_000, at=at)
    for number in range(expiries):
        at += gap
        builder.call([user(words(20_000)), user(f"again {number}")], write=20_002, at=at)
        wasted = 20_000 * (RATES["cache_write_5m"] - RATES["cache_read"])
        verdict = CacheVerdict(
            status=CacheStatus.EXPIRED, cause=CacheCause.EXPIRED, expected=20_000, lost=20_000, wasted=wasted
        )
        last_call(builder, cache=verdict)
    for number in range(writes):
        at += 10
        builder.call([user(words(20_000, f"n{number}_"))], write=20_000, at=at)
    return builder


def test_an_hour_would_have_kept_the_prefix() -> None:
    builder = expiring(600, expiries=2)
    finding = only(builder, "short_ttl")
    saved = 2 * 20_000 * (RATES["cache_write_5m"] - RATES["cache_read"])
    dearer = (20_000 + 2 * 2) * (RATES["cache_write_1h"] - RATES["cache_write_5m"])
    assert finding.cost == pytest.approx(saved - dearer, abs=2)
    assert finding.tokens == 40_000


@pytest.mark.parametrize(
    "builder",
    [expiring(299), expiring(3_600), expiring(600, writes=2)],
    ids=["soon", "too-late", "dearer-than-it-saves"],
)
def test_an_hour_would_not_have_paid_off(builder: Builder) -> None:
    assert found(builder, "short_ttl") == []


def test_a_lane_that_writes_for_an_hour_already_has_nothing_to_gain() -> None:
    builder = expiring(600, expiries=2)
    builder.calls[0] = replace(
        builder.calls[0], usage=replace(builder.calls[0].usage, cache_creation_1h_input_tokens=5)
    )
    assert found(builder, "short_ttl") == []
