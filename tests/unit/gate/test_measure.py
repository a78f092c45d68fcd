from fractions import Fraction

from llmprof_addon.gate.measure import Measured, Number, measure
from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict
from llmprof_addon.model.component import Kind
from llmprof_addon.model.usage import Source, Usage
from tests.unit.gate.calls import kind, paid, row


def test_sums_and_peaks() -> None:
    found = measure([row(3, 4000), row(1, 1000), row(2, 2500, lane="helper"), row(4, 3000, lane="helper")])
    assert (found.calls, found.cost.value, found.input_tokens.value) == (4, 20_000, 10_500)
    assert (found.context.value, found.window.value) == (4000, Fraction(2, 5))
    assert (found.growth.value, found.growth_share.value) == (3000, 3)
    assert (found.schema_tokens.value, found.kinds[Kind.TOOL_SCHEMAS]) == (300, 1200)
    assert found.cache_hit.value == Fraction(1600, 10_500)
    assert found.breaks.value == 0
    assert found.models == ("m",)


def test_what_one_call_lacks_is_not_known_of_all() -> None:
    unsaid = Usage(input_tokens=50, output_tokens=1)
    found = measure([row(), row(2, cost=None, request_model="mystery"), row(3, usage=unsaid, context_window=None)])
    assert found.cost == Number(value=None, why="1 of 3 calls without a known price: mystery")
    assert found.cache_hit.why == "1 of 3 calls without a number of cache reads"
    assert found.window.value is None
    assert found.context.value == 1000


def test_a_verdict_is_asked_of_calls_that_follow_another() -> None:
    lost = CacheVerdict(
        status=CacheStatus.BREAK, cause=CacheCause.TOOL_CHANGED, expected=9, read=0, lost=9, wasted=None
    )
    gone = CacheVerdict(status=CacheStatus.EXPIRED, cause=CacheCause.EXPIRED, expected=9, read=0, lost=9, wasted=None)
    judged = [row(), row(2, predecessor="0001", cache=lost), row(3, predecessor="0002", cache=gone)]
    assert measure(judged).breaks.value == 1
    assert measure([*judged, row(4, predecessor="0003")]).breaks == Number(
        value=None, why="1 of 4 calls without a verdict on the cache"
    )


def test_a_call_that_failed_without_usage_is_only_counted() -> None:
    refused = row(2, None, usage=Usage(), failed=True, cost=None, composition=(kind(Kind.USER, 900),))
    found = measure([row(), refused])
    assert (found.calls, found.failed_calls, found.cost.value, found.kinds[Kind.USER]) == (2, 1, 5000, 700)
    nothing = measure([refused])
    assert nothing.cost.value == 0
    assert {nothing.context.why, nothing.cache_hit.why, nothing.breaks.why} == {"no call was answered"}
    assert measure([row(failed=True, cost=None)]).cost.value is None


def test_no_calls_are_no_zeros() -> None:
    found = measure([])
    assert all(number.value is None for number in vars_of(found).values())


def vars_of(measured: Measured) -> dict[str, Number]:
    fields = {name: getattr(measured, name) for name in Measured.__dataclass_fields__}
    return {name: value for name, value in fields.items() if isinstance(value, Number)}


def test_estimates_say_so() -> None:
    guessed = row(usage=Usage(input_tokens=9, cache_read_input_tokens=0, output_tokens=1, source=Source.ESTIMATED))
    found = measure([guessed])
    assert found.input_tokens.estimated
    assert found.cost.estimated
    assert not measure([row(cost=paid(0))]).cost.estimated
    assert not found.schema_tokens.estimated
    assert measure([row(composition=(kind(Kind.TOOL_SCHEMAS, 3, Source.ESTIMATED),))]).schema_tokens.estimated
