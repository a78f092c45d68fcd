"""A gate never opens by chance: what is unknown fails, a tighter limit passes no more, a run is as good as itself."""

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.gate.baseline import baseline_text, read_baseline
from llmprof_addon.gate.formats import passed
from llmprof_addon.gate.limits import Limits
from llmprof_addon.gate.measure import Measured, measure
from llmprof_addon.gate.rules import Status, judge
from llmprof_addon.model.component import Kind
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.rows import CallRow
from tests.unit.gate.calls import kind, paid, row

tokens = st.integers(0, 10**6)


@st.composite
def calls(draw: st.DrawFn) -> list[CallRow]:
    out = []
    for number in range(draw(st.integers(0, 6))):
        input_ = draw(st.none() | tokens)
        read = None if input_ is None else draw(st.none() | st.integers(0, input_))
        source = draw(st.sampled_from([Source.REPORTED, Source.ESTIMATED]))
        usage = Usage(
            input_tokens=input_, cache_read_input_tokens=read, output_tokens=draw(st.none() | tokens), source=source
        )
        kinds = draw(st.lists(st.sampled_from([Kind.USER, Kind.TOOL_SCHEMAS, Kind.IMAGES]), unique=True))
        out.append(
            row(
                number,
                usage=usage,
                composition=tuple(kind(each, draw(tokens), source) for each in kinds),
                cost=draw(st.none() | st.integers(0, 10**15).map(paid)),
                failed=draw(st.booleans()),
                lane=draw(st.sampled_from(["main", "helper"])),
                context_window=draw(st.none() | st.integers(1, 10**6)),
                predecessor=draw(st.sampled_from([None, "0000"])),
            )
        )
    return out


wanted = st.builds(
    Limits,
    max_usd=st.none() | st.integers(0, 10**15),
    max_context=st.none() | tokens | st.fractions(0, 2),
    max_growth=st.none() | tokens | st.fractions(0, 2),
    max_schema_tokens=st.none() | tokens,
    min_cache_hit=st.none() | st.fractions(0, 1),
    max_breaks=st.none() | st.integers(0, 3),
)


@given(calls(), st.randoms(use_true_random=False))
def test_the_order_of_calls_does_not_matter(rows: list[CallRow], chance: object) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert measure(shuffled) == measure(rows)


@given(calls(), wanted)
def test_what_is_not_known_passes_no_limit(rows: list[CallRow], limits: Limits) -> None:
    checks = judge(measure(rows), limits)
    assert all(check.status is Status.FAILED for check in checks if check.value is None)
    assert len(checks) == sum(getattr(limits, name) is not None for name in Limits.__dataclass_fields__)
    if not rows:
        assert not any(check.status is Status.PASSED for check in checks)


@given(calls(), wanted)
def test_a_tighter_limit_passes_nothing_more(rows: list[CallRow], limits: Limits) -> None:
    measured = measure(rows)
    for check in judge(measured, limits):
        if check.value is not None and check.asked is not None:
            least = check.rule.startswith("min-")
            assert (check.status is Status.PASSED) == (
                check.value >= check.asked if least else check.value <= check.asked
            )


@given(calls(), st.fractions(0, 1))
def test_a_run_is_as_good_as_its_own_baseline(rows: list[CallRow], tolerance: Fraction) -> None:
    measured = measure(rows)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.json"
        path.write_text(baseline_text(measured), "utf-8")
        kept = read_baseline(path)
    assert passed(judge(measured, Limits(), kept, tolerance))
    assert _exact(kept) == _exact(measured)


def _exact(measured: Measured) -> dict[str, object]:
    shares = ("cache_hit", "window", "growth_share")
    return {name: getattr(measured, name) for name in Measured.__dataclass_fields__ if name not in shares}
