from fractions import Fraction

import pytest

from llmprof_addon.errors import ConfigError
from llmprof_addon.gate.limits import Limits, Written, amount, dollars, limits, share, whole


@pytest.mark.parametrize(
    ("written", "pico"), [("0.5", 5 * 10**11), ("$2", 2 * 10**12), (0.1, 10**11), ("0", 0), ("1e-6", 10**6)]
)
def test_dollars(written: Written, pico: int) -> None:
    assert dollars(written, "max-usd") == pico


@pytest.mark.parametrize(
    ("written", "tokens"), [("20k", 20_000), ("1.5M", 1_500_000), ("8_000", 8000), ("8,000", 8000), (7, 7)]
)
def test_tokens(written: Written, tokens: int) -> None:
    assert whole(written, "max-context") == amount(written, "max-context") == tokens


@pytest.mark.parametrize(("written", "part"), [("80%", "4/5"), (0.8, "4/5"), ("0.8", "4/5"), (Fraction(1, 4), "1/4")])
def test_shares(written: Written, part: str) -> None:
    assert share(written, "min-cache-hit") == Fraction(part)


def test_a_share_is_no_number_of_tokens() -> None:
    assert amount("80%", "max-context") == Fraction(4, 5)
    assert isinstance(amount("100%", "max-context"), Fraction)


@pytest.mark.parametrize("written", ["", "x", "-1", "nan", "inf", "1e99", "k", "%", "0.5k1"])
@pytest.mark.parametrize("read", [dollars, whole, share])
def test_what_is_no_number_is_one_line(read: object, written: str) -> None:
    with pytest.raises(ConfigError, match="max-usd: ") as error:
        read(written, "max-usd")  # type: ignore[operator]
    assert "\n" not in error.value.message


def test_nothing_asked() -> None:
    assert not limits()
    assert not Limits()
    assert limits(max_breaks=0)
