"""Periods as times; the tests' time zone is UTC."""

import pytest
from llmprof_tui import periods

NOW = 1_700_000_000_123_456_789  # 2023-11-14 22:13:20 UTC
DAY = 86_400 * 1_000_000_000
MIDNIGHT = 1_699_920_000 * 1_000_000_000


def test_named_periods_reach_back_from_now() -> None:
    assert periods.bounds("all", NOW) == (None, None)
    assert periods.bounds("today", NOW) == (MIDNIGHT, None)
    assert periods.bounds("24h", NOW) == (NOW - DAY, None)
    assert periods.bounds("7d", NOW) == (NOW - 7 * DAY, None)
    assert periods.bounds("30d", NOW) == (NOW - 30 * DAY, None)


def test_dates_hold_their_whole_days() -> None:
    assert periods.bounds("2023-11-13..2023-11-14", NOW) == (MIDNIGHT - DAY, MIDNIGHT + DAY)
    assert periods.bounds("2023-11-14..2023-11-14", NOW) == (MIDNIGHT, MIDNIGHT + DAY)
    assert periods.bounds("2023-11-14..", NOW) == (MIDNIGHT, None)
    assert periods.bounds("..2023-11-13", NOW) == (None, MIDNIGHT)


@pytest.mark.parametrize("period", ["", "yesterday", "2023-02-30..", "2023-11-14..2023-11-13", "..x", "1..2"])
def test_what_is_no_period_is_said(period: str) -> None:
    with pytest.raises(ValueError, match=r"no |behind"):
        periods.bounds(period, NOW)


def test_a_key_goes_through_the_named_ones() -> None:
    seen = ["all"]
    for _ in periods.NAMES:
        seen.append(periods.following(seen[-1]))
    assert seen == [*periods.NAMES, "all"]
    assert periods.following("2023-11-14..") == "all"
    assert [periods.said(one) for one in ("today", "a..b", "a..", "..b")] == ["today", "a to b", "from a", "until b"]
