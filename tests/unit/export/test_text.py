import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.export import text
from llmprof_addon.model.component import Kind


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "–"), (0, "0"), (999, "999"), (1000, "1.0k"), (18_214, "18.2k"), (99_949, "99.9k"), (99_950, "100k"),
        (999_499, "999k"), (999_500, "1.0M"), (3_140_000, "3.1M"), (10**9, "1.0G"), (10**12, "1.0T"),
    ],
)  # fmt: skip
def test_tokens(count: int | None, shown: str) -> None:
    assert text.tokens(count) == shown


@given(st.integers(0, 10**14), st.integers(0, 10**14))
def test_tokens_are_short_and_never_order_wrongly(one: int, other: int) -> None:
    def value(shown: str) -> float:
        found = re.fullmatch(r"([\d.]+)([kMGT]?)", shown)
        assert found
        return float(found[1]) * 1000 ** " kMGT".index(found[2] or " ")

    first, second = sorted((one, other))
    assert len(text.tokens(first)) <= 5
    assert value(text.tokens(first)) <= value(text.tokens(second))
    assert abs(value(text.tokens(first)) - first) <= first * 0.05


def test_estimates_are_marked() -> None:
    assert text.tokens(1234, estimated=True) == "≈1.2k"
    assert text.exact(1234, estimated=True) == "≈1,234"
    assert text.exact(None, estimated=True) == text.tokens(None, estimated=True) == "–"


@pytest.mark.parametrize(
    ("pico", "at_least", "shown"),
    [
        (None, False, "–"), (0, False, "$0"), (1, False, "<$0.0001"), (49_999_999, False, "<$0.0001"),
        (50_000_000, False, "$0.0001"), (720_000_000, False, "$0.0007"), (10**12, False, "$1.00"),
        (1_234_567 * 10**12, False, "$1,234,567.00"), (None, True, "–"), (0, True, "≥$0"), (1, True, "≥$0"),
        (720_000_000, True, "≥$0.0007"), (2 * 10**12, True, "≥$2.00"),
    ],
)  # fmt: skip
def test_dollars(pico: int | None, at_least: bool, shown: str) -> None:
    assert text.dollars(pico, at_least=at_least) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"), (0.24, "240 ms"), (0.9996, "1.0 s"), (3.2, "3.2 s"), (59.96, "1m 00s"), (72, "1m 12s"),
        (3599.6, "1h 00m"), (7500, "2h 05m"),
    ],
)  # fmt: skip
def test_durations(seconds: float, shown: str) -> None:
    assert text.duration(round(seconds * 1e9)) == shown
    assert text.duration(None) == "–"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 5, "0%"), (1, 1000, "<1%"), (5, 1000, "<1%"), (6, 1000, "1%"), (1, 3, "33%"), (5, 5, "100%")],
)
def test_shares(part: int, whole: int, shown: str) -> None:
    assert text.share(part, whole) == shown


def test_unknown_shares() -> None:
    assert text.share(None, 5) == text.share(5, None) == text.share(0, 0) == "–"


def test_when_is_short_today_and_dated_before() -> None:
    now = datetime.now().astimezone()
    assert text.when(int(now.timestamp() * 1e9)) == now.strftime("%H:%M:%S")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d", text.when(1_700_000_000_000_000_000))


def test_sizes_and_numbers_of_things() -> None:
    assert [text.byte_size(size) for size in (0, 812, 1024, 1_468_006, 5 * 2**40)] == [
        "0 B", "812 B", "1.0 KB", "1.4 MB", "5120.0 GB",
    ]  # fmt: skip
    assert [text.counted(number, "call") for number in (0, 1, 1200)] == ["0 calls", "1 call", "1,200 calls"]
    assert text.counted(2, "body", "bodies") == "2 bodies"


def test_every_kind_has_a_name_and_a_colour_of_its_own() -> None:
    assert set(text.KIND_NAMES) == set(text.KIND_COLOURS) == set(Kind)
    assert len(set(text.KIND_NAMES.values())) == len(set(text.KIND_COLOURS.values())) == len(Kind)
