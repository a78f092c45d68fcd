from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from llmprof_addon.gate.limits import Limits, limits
from llmprof_addon.gate.measure import Number, measure
from llmprof_addon.gate.rules import Check, Status, judge, percent
from llmprof_addon.model.component import Kind
from tests.unit.gate.calls import kind, row

MEASURED = measure([row(1, 1000), row(2, 4000)])


def verdicts(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.rule: check.status.value for check in checks}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("max_usd", "0.00000001", "0.000000009999"),
        ("max_context", "4000", "3999"),
        ("max_context", "40%", "39.9%"),
        ("max_growth", "3k", "2999"),
        ("max_growth", "300%", "299%"),
        ("max_schema_tokens", "300", "299"),
        ("min_cache_hit", "16%", "16.1%"),
        ("max_breaks", "0", None),
    ],
)
def test_each_limit_works_alone(name: str, good: str, bad: str | None) -> None:
    (check,) = judge(MEASURED, limits(**{name: good}))
    assert (check.rule, check.status) == (name.replace("_", "-"), Status.PASSED)
    if bad is not None:
        (check,) = judge(MEASURED, limits(**{name: bad}))
        assert check.status is Status.FAILED
        assert "allowed is at" in check.said


def test_what_is_not_known_passes_no_limit() -> None:
    unknown = Number(value=None, why="nobody counted")
    fields = ("cost", "context", "window", "growth", "growth_share", "schema_tokens", "cache_hit", "breaks")
    changes: dict[str, Any] = dict.fromkeys(fields, unknown)
    blind = replace(MEASURED, **changes)
    for wanted in (limits(max_usd=9, max_context=9, max_growth="9%", max_schema_tokens=9), limits(max_context="9%")):
        for check in judge(blind, wanted):
            assert check.status is Status.FAILED
            assert check.said.startswith("not known (nobody counted); allowed is")
    (check,) = judge(blind, limits(min_cache_hit=0))
    assert check.status is Status.FAILED


def test_a_run_is_as_good_as_itself() -> None:
    checks = judge(MEASURED, Limits(), MEASURED, Fraction(0))
    assert set(verdicts(checks).values()) == {"passed"}
    assert {check.said.rpartition(", ")[2] for check in checks} == {"as it was"}


def test_what_is_worse_than_the_baseline_fails() -> None:
    more = measure([row(1, 1000), row(2, 4000, composition=(kind(Kind.TOOL_SCHEMAS, 400), kind(Kind.USER, 3600)))])
    checks = judge(more, Limits(), MEASURED)
    (broken,) = [check for check in checks if check.status is Status.FAILED]
    assert broken.rule == "baseline: tool schemas"
    assert broken.said == "700 tokens, 16.67% more than 600 tokens; tolerated is 5%"
    assert set(verdicts(judge(more, Limits(), MEASURED, Fraction(1, 6))).values()) == {"passed"}
    assert set(verdicts(judge(MEASURED, Limits(), more)).values()) == {"passed"}


def test_a_new_kind_and_an_old_one() -> None:
    images = measure([row(1, 1000), row(2, 4000, composition=(kind(Kind.IMAGES, 4000),))])
    found = verdicts(judge(images, Limits(), MEASURED))
    assert found["baseline: images"] == "failed"
    assert found["baseline: user"] == "passed"


def test_rounding_is_no_difference() -> None:
    near = measure([row(1, 1000), row(2, 4000, composition=(kind(Kind.TOOL_SCHEMAS, 308), kind(Kind.USER, 3692)))])
    assert verdicts(judge(near, Limits(), MEASURED, Fraction(0)))["baseline: tool schemas"] == "passed"


def test_a_worse_cache_fails() -> None:
    worse = replace(MEASURED, cache_hit=Number(value=Fraction(3, 20)))
    checks = {check.rule: check for check in judge(worse, Limits(), MEASURED)}
    assert checks["baseline: cache hit"].said == "15%, 6.25% less than 16%; tolerated is 5%"


def test_unknown_on_either_side() -> None:
    unknown = replace(MEASURED, cost=Number(value=None, why="it is free"))
    now = {check.rule: check for check in judge(unknown, Limits(), MEASURED)}["baseline: dollars"]
    assert (now.status, now.said) == (Status.FAILED, "not known (it is free); it was $0.00000001")
    before = {check.rule: check for check in judge(MEASURED, Limits(), unknown)}["baseline: dollars"]
    assert (before.status, before.said) == (Status.SKIPPED, "not compared: it was not known (it is free)")


@pytest.mark.parametrize(("value", "shown"), [("4/5", "80%"), ("1/3", "33.33%"), ("0", "0%"), ("1", "100%")])
def test_percent(value: str, shown: str) -> None:
    assert percent(Fraction(value)) == shown
