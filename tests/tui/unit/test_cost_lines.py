from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from llmprof_tui.widgets.cost_lines import aligned, cost_lines, money, per_million, uncached, unpriced

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.usage import Source, Usage

PRICE = Price(source="test", model="m")
DOLLAR = 10**12


def split(fresh: int, read: int, write: int) -> list[KindTotal]:
    tokens = fresh + read + write
    return [KindTotal(kind=Kind.USER, tokens=tokens, read=read, write=write, fresh=fresh, source=Source.COUNTED)]


def usage(fresh: int, read: int, write: int, **more: Any) -> Usage:
    return Usage(
        input_tokens=fresh + read + write, cache_read_input_tokens=read, cache_creation_input_tokens=write, **more
    )


def cost(**amounts: int) -> Cost:
    return Cost(**({"input": 0, "cache_read": 0, "cache_write": 0, "output": 0} | amounts), price=PRICE)


def test_every_line_multiplies_out() -> None:
    paid = cost(input=30 * 3_000_000, cache_read=5_000 * 300_000, cache_write=800 * 3_750_000, output=40 * 15_000_000)
    lines = cost_lines(usage(30, 5_000, 800, output_tokens=40), split(30, 5_000, 800), paid)
    assert [(line.name, line.tokens, per_million(line.rate)) for line in lines] == [
        ("fresh input", 30, "$3.00"), ("cache read", 5_000, "$0.30"), ("cache write", 800, "$3.75"),
        ("output", 40, "$15.00"),
    ]  # fmt: skip
    assert sum(line.amount or 0 for line in lines) == paid.total


def test_reasoning_is_part_of_the_output() -> None:
    used = usage(10, 0, 0, output_tokens=80, reasoning_output_tokens=50)
    lines = cost_lines(used, split(10, 0, 0), cost(input=10, output=80 * 7))
    reasoning = next(line for line in lines if line.part)
    assert (reasoning.tokens, reasoning.amount) == (50, 350)
    assert sum(line.amount or 0 for line in lines if not line.part) == 10 + 80 * 7


def test_mixed_rates_are_an_average_and_say_so() -> None:
    used = usage(1, 0, 3, cache_creation_5m_input_tokens=2, cache_creation_1h_input_tokens=1, output_tokens=0)
    lines = cost_lines(used, split(1, 0, 3), cost(input=3_000_000, cache_write=2 * 3_750_000 + 6_000_001))
    write = next(line for line in lines if line.name == "cache write")
    assert write.about == "2 for 5 minutes · 1 for 1 hour"
    assert per_million(write.rate).startswith("≈$4.5")


RATES = (
    ("input", 3_000_000), ("cache_read", 300_000), ("cache_write_5m", 3_750_000), ("cache_write_1h", 6_000_000),
    ("output", 15_000_000), ("input_audio", 9_000_000), ("web_search", DOLLAR // 100),
)  # fmt: skip


def listed(**amounts: int) -> Cost:
    paid = cost(**amounts)
    return replace(paid, price=replace(PRICE, rates=RATES))


def test_rates_that_are_stored_part_what_is_mixed() -> None:
    used = usage(
        100, 50, 30, cache_creation_5m_input_tokens=20, cache_creation_1h_input_tokens=10, output_tokens=8,
        reasoning_output_tokens=5, by_modality=(("input_audio", 40),),
        server_tool_requests=(("web_search", 2), ("x", 1)),
    )  # fmt: skip
    paid = listed(
        input=60 * 3_000_000 + 40 * 9_000_000, cache_read=50 * 300_000, cache_write=20 * 3_750_000 + 10 * 6_000_000,
        output=8 * 15_000_000, other=DOLLAR // 50,
    )  # fmt: skip
    lines = cost_lines(used, split(100, 50, 30), paid)
    assert [(line.name, line.tokens, per_million(line.rate), line.about) for line in lines] == [
        ("fresh input", 60, "$3.00", ""), ("audio input", 40, "$9.00", ""), ("cache read", 50, "$0.30", ""),
        ("cache write", 20, "$3.75", "for 5 minutes"), ("1h cache write", 10, "$6.00", "for 1 hour"),
        ("output", 8, "$15.00", ""), ("of it reasoning", 5, "$15.00", ""),
        ("requests", None, "–", "2 web search at $0.01"), ("requests", None, "–", "1 x"),
    ]  # fmt: skip
    assert sum(line.amount or 0 for line in lines if not line.part) == paid.total


def test_without_a_fresh_token_a_stored_rate_says_what_it_had_cost() -> None:
    paid = listed(cache_read=300 * 300_000)
    found = uncached(cost_lines(usage(0, 300, 0), split(0, 300, 0), paid), paid)
    assert found is not None
    assert (found.amount, found.exact) == (300 * 3_000_000, True)


def test_rates_that_do_not_give_the_amounts_are_not_shown() -> None:
    lines = cost_lines(usage(10, 0, 0, output_tokens=0), split(10, 0, 0), listed(input=10 * 7))
    assert per_million(lines[0].rate) == per_million(Fraction(7))


def test_requests_have_no_tokens() -> None:
    used = Usage(input_tokens=1, output_tokens=1, server_tool_requests=(("web_search", 2),))
    line = cost_lines(used, split(1, 0, 0), cost(other=2 * DOLLAR // 100))[-1]
    assert (line.name, line.tokens, line.amount, line.about) == ("requests", None, DOLLAR // 50, "2 web search")


def test_nothing_known_of_a_cache_is_not_nothing_cached() -> None:
    names = [line.name for line in cost_lines(Usage(input_tokens=9, output_tokens=1), split(9, 0, 0), None)]
    assert names == ["fresh input", "output"]


def test_what_a_call_had_cost_without_its_cache() -> None:
    paid = cost(input=10 * 3, cache_read=90, cache_write=40, output=7, other=1)
    found = uncached(cost_lines(usage(10, 300, 10), split(10, 300, 10), paid), paid)
    assert found is not None
    assert (found.amount, found.exact) == (320 * 3 + 8, True)


def test_without_a_fresh_token_its_rate_is_unknown() -> None:
    paid = cost(cache_read=90)
    found = uncached(cost_lines(usage(0, 300, 0), split(0, 300, 0), paid), paid)
    assert found is not None
    assert found.amount is None
    assert "rate of fresh input" in found.why


def test_without_a_cache_there_is_nothing_to_compare() -> None:
    paid = cost(input=9)
    assert uncached(cost_lines(usage(9, 0, 0), split(9, 0, 0), paid), paid) is None


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (None, "–"), (Fraction(3_000_000), "$3.00"), (Fraction(37_500), "$0.0375"), (Fraction(10**10), "$10,000.00"),
        (Fraction(10, 3), "≈$0.0000"),
    ],
)  # fmt: skip
def test_rates(rate: Fraction | None, said: str) -> None:
    assert per_million(rate) == said


def test_amounts() -> None:
    assert [money(pico) for pico in (None, 0, DOLLAR, -DOLLAR // 4, 1)] == [
        "–", "$0.00", "$1.00", "-$0.25", "$0.000000000001",
    ]  # fmt: skip
    assert aligned([DOLLAR, None, DOLLAR // 1000]) == ["$1.000", "–", "$0.001"]


def test_why_a_call_is_unpriced() -> None:
    assert "names a model" in unpriced(Usage(input_tokens=1), None)
    assert "tiny" in unpriced(Usage(input_tokens=1, output_tokens=1), "tiny")
    assert "how much was answered" in unpriced(Usage(source=Source.ESTIMATED), "tiny")
