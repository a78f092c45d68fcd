from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.model.apportion import apportion

WEIGHTS = st.lists(st.integers(0, 10**15), min_size=1, max_size=40)


@given(st.integers(0, 10**20), WEIGHTS)
def test_the_shares_sum_to_the_total_and_none_is_negative(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    assert sum(shares) == total
    assert len(shares) == len(weights)
    assert min(shares) >= 0


@given(st.integers(0, 10**20), WEIGHTS)
def test_each_share_is_less_than_one_away_from_its_quotient(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    for share, weight in zip(apportion(total, weights), weights, strict=True):
        quotient = Fraction(total * weight, whole) if whole else Fraction(total, len(weights))
        assert abs(share - quotient) < 1


@given(st.integers(0, 10**9), WEIGHTS.filter(any))
def test_a_zero_weight_gets_nothing(total: int, weights: list[int]) -> None:
    assert all(share == 0 for share, weight in zip(apportion(total, weights), weights, strict=True) if not weight)


@given(st.integers(0, 10**9), WEIGHTS, st.integers(1, 1000))
def test_scaling_all_weights_changes_nothing(total: int, weights: list[int], factor: int) -> None:
    assert apportion(total, weights) == apportion(total, [weight * factor for weight in weights])


@given(st.integers(0, 10**9), WEIGHTS)
def test_a_heavier_or_earlier_equal_weight_never_gets_less(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    pairs = sorted(zip(weights, range(len(weights)), shares, strict=True), key=lambda item: (-item[0], item[1]))
    assert [share for _, _, share in pairs] == sorted(shares, reverse=True)


def test_ties_go_to_the_first() -> None:
    assert apportion(5, [1, 1, 1]) == [2, 2, 1]


def test_all_zero_weights_share_alike() -> None:
    assert apportion(4, [0, 0, 0]) == [2, 1, 1]


def test_what_cannot_be_shared_is_refused() -> None:
    assert apportion(0, []) == []
    with pytest.raises(ValueError, match="over no weights"):
        apportion(1, [])
    with pytest.raises(ValueError, match="non-negative"):
        apportion(-1, [1])
    with pytest.raises(ValueError, match="non-negative"):
        apportion(1, [2, -1])
