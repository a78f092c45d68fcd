import re
import uuid

import pytest

from llmprof_addon import clock


def test_ids_are_uuids_of_version_7_as_plain_hex() -> None:
    for _ in range(100):
        text = clock.new_id()
        assert re.fullmatch(r"[0-9a-f]{32}", text)
        parsed = uuid.UUID(hex=text)
        assert parsed.variant == uuid.RFC_4122
        assert parsed.version == 7


def test_ids_of_one_instant_differ() -> None:
    assert len({clock.new_id(1_700_000_000_000_000_000) for _ in range(20_000)}) == 20_000


def test_text_order_is_time_order_by_the_millisecond() -> None:
    times = [0, 1_000_000, 999_000_000, 1_700_000_000_000_000_000, 1_700_000_000_001_000_000, 4_000_000_000 * 10**9]
    ids = [clock.new_id(at) for at in times]
    assert sorted(ids) == ids
    assert [int(each[:12], 16) for each in ids] == [at // 1_000_000 for at in times]


def test_ids_take_the_time_from_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_ns", lambda: 1_234_567_000_000)
    assert int(clock.new_id()[:12], 16) == 1_234_567


def test_now_is_in_nanoseconds_since_the_epoch() -> None:
    first, second = clock.now_ns(), clock.now_ns()
    assert 10**18 < first <= second < 10**19
