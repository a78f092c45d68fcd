"""Rules that say what is good to know, and those about calls as a whole."""

from dataclasses import replace

import pytest

from llmprof_addon.model.finding import Severity
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.model.usage import Usage
from tests.unit.findings.looking import found, only, view
from tests.unit.findings.trees import Builder, assistant, grown, image, last_call, result, schema, system, user, words


def alone(*messages: object, **fields: object) -> Builder:
    builder = Builder()
    builder.call(list(messages) or [user("Hello.")], **fields)  # type: ignore[arg-type]
    return builder


@pytest.mark.parametrize(("size", "fires"), [(9_999, False), (10_000, True)])
def test_a_long_system_prompt(size: int, fires: bool) -> None:
    builder = alone(system=[system(words(size - 100)), system(words(100, "more"))])
    findings = found(builder, "long_system")
    assert bool(findings) == fires
    if fires:
        assert "≈10,000 tokens" in findings[0].title
        assert [each.path for each in findings[0].evidence] == ["system[0]", "system[1]"]
        assert (findings[0].severity, findings[0].cost, findings[0].tokens) == (Severity.INFO, 0, 0)


@pytest.mark.parametrize(
    ("schemas", "rest", "fires"), [(5_000, 9_000, True), (4_999, 5_000, False), (5_000, 9_300, False)]
)
def test_schemas_that_outweigh_the_rest(schemas: int, rest: int, fires: bool) -> None:
    builder = alone(user(words(rest)), tools=[schema("a", schemas - 100), schema("b", 100)])
    assert bool(found(builder, "schema_share")) == fires


@pytest.mark.parametrize(
    ("history", "rest", "fires"), [(50_000, 12_000, True), (49_000, 100, False), (50_000, 13_000, False)]
)
def test_prompts_that_are_almost_only_history(history: int, rest: int, fires: bool) -> None:
    builder = alone(user(words(rest)), assistant("Well."), result("x", "toolu_1", "r", tokens=history - 1))
    assert bool(found(builder, "history_share")) == fires


@pytest.mark.parametrize(("media", "rest", "fires"), [(5_000, 7_000, True), (4_999, 100, False), (5_000, 7_600, False)])
def test_media_that_outweigh_the_rest(media: int, rest: int, fires: bool) -> None:
    assert bool(found(alone(user(words(rest)), image(media)), "media_share")) == fires


@pytest.mark.parametrize(("reasoning", "fires"), [(8_000, True), (7_999, False)])
def test_output_that_is_mostly_reasoning(reasoning: int, fires: bool) -> None:
    findings = found(alone(output=10_000, reasoning=reasoning), "reasoning_share")
    assert bool(findings) == fires
    if fires:
        assert "80% of the output is reasoning: 8,000 of 10,000 tokens" in findings[0].title


def test_little_reasoning_is_left_alone() -> None:
    assert found(alone(output=4_999, reasoning=4_999), "reasoning_share") == []
    assert found(alone(output=4_999), "reasoning_share") == []


def test_an_input_that_was_not_reported_is_what_was_counted() -> None:
    builder = alone(user(words(100)), image(6_000))
    last_call(builder, usage=Usage(input_tokens=0, output_tokens=5))
    assert "≈6,000 of 6,100 tokens" in only(builder, "media_share").title


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_an_answer_that_was_cut(reason: str) -> None:
    builder = alone(finish_reasons=(reason,), output=4_096)
    finding = only(builder, "output_cut")
    assert finding.title == "1 answer was cut by the limit on output after 4,096 tokens"
    assert (finding.severity, finding.cost) == (Severity.WARNING, 0)


def test_answers_that_were_not_cut() -> None:
    assert found(alone(finish_reasons=("end_turn",), output=4_096), "output_cut") == []
    assert found(alone(finish_reasons=("max_tokens",), output=1), "output_cut") == [], "only to see whether a key works"


def test_failures_that_were_billed() -> None:
    builder = grown(3)
    builder.call([user(words(900))], failed=True, status=529)
    builder.call([user(words(900))], failed=True, outcome="aborted", link="retry")
    builder.call([user(words(900))], failed=True, status=529, priced=False)
    finding = only(builder, "billed_failures")
    assert finding.title == (
        "2 calls that brought no whole answer were billed: 1 with status 529, 1 cut off; 1 retries"
    )
    assert finding.cost == sum(builder.calls[at].cost.total for at in (3, 4))  # type: ignore[union-attr]


def test_calls_that_failed_for_free_and_those_that_did_not_fail() -> None:
    builder = grown(3)
    builder.call([user(words(900))], failed=True, priced=False)
    assert found(builder, "billed_failures") == []


def filling(*sizes: int, window: int | None = 100_000) -> Builder:
    builder = Builder()
    for size in sizes:
        builder.call([user("x"), result("r", "toolu_1", f"r{size}", tokens=size - 1)], context_window=window)
    return builder


def test_a_window_that_is_nearly_full() -> None:
    finding = only(filling(70_000, 75_000, 80_000, 85_000), "window_full")
    assert finding.title == "the window of 100,000 tokens is 85% full: about 3 turns left at 5,000 tokens a turn"
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "builder",
    [
        filling(70_000, 79_999),
        filling(84_000, 84_500),
        filling(90_000),
        filling(90_000, 85_000),
        filling(90_000, 95_000, window=None),
    ],
    ids=["below", "slowly", "alone", "shrinking", "unknown"],
)
def test_a_window_that_lasts(builder: Builder) -> None:
    assert found(builder, "window_full") == []


def carrying(turns: int, *, first: int = 3_000) -> tuple[Builder, int]:
    """A run that carries one large result from its first call on; the result's node."""
    builder = grown(turns, step=50, first=[user("Read it."), result("dump", "toolu_d", words(first, "d"))])
    node = next(at for at, part in enumerate(builder.nodes) if max(part.tokens.values()) == first)
    return builder, node


def test_a_result_that_nobody_refers_to_any_more() -> None:
    builder, node = carrying(60)
    finding = only(builder, "stale_rent", [builder.rent(node, referred=2)])
    # Referred to by call 2, carried idly by 3 to 12, cleared at 20.
    assert finding.evidence[0].since_ns == builder.calls[20].started_ns
    assert 0 < finding.tokens <= 40 * 3_000
    assert finding.cost is not None
    assert finding.cost < 40 * 3_000 * 300_000, "the cache behind it is written anew"


@pytest.mark.parametrize(("turns", "referred", "first"), [(60, 55, 3_000), (60, 2, 900), (15, 8, 3_000)])
def test_what_may_stay(turns: int, referred: int, first: int) -> None:
    builder, node = carrying(turns, first=first)
    assert found(builder, "stale_rent", [builder.rent(node, referred=referred)]) == []


def test_of_what_has_no_names_nothing_is_said() -> None:
    builder, node = carrying(60)
    assert found(builder, "stale_rent", [replace(builder.rent(node, referred=None), referable=False)]) == []


def test_clearing_that_costs_more_than_it_saves() -> None:
    builder, node = carrying(24, first=1_000)
    assert found(builder, "stale_rent", [builder.rent(node, referred=None)]) == []


def test_an_agent_that_does_its_work_gives_nothing_to_say() -> None:
    from llmprof_addon.findings.find import find_waste

    waste = find_waste(view(grown(40)))
    assert waste.findings == ()
    assert waste.reclaimable.cost == 0


def test_all_thresholds_can_be_set() -> None:
    builder = alone(system=[system(words(500))])
    assert found(builder, "long_system") == []
    assert only(builder, "long_system", long_system_tokens=400)
    assert Thresholds(long_system_tokens=400) != Thresholds()
