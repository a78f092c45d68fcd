"""What trends can be measured by: tables of measures, one for calls and one for tools."""

from collections.abc import Callable
from dataclasses import dataclass

from llmprof_addon.export import text
from llmprof_addon.store.trends import TrendSums


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of sums."""

    key: str
    name: str
    of: Callable[[TrendSums], float | None]
    """The amount; `None` where it is not known."""
    axis: Callable[[float], str]
    """An amount in a few cells, for a scale."""
    write: Callable[[TrendSums], str]
    """The amount of sums for people, with its marks."""
    whole: float | None = None
    """What a full bar stands for; `None` for the largest amount."""


def _amount(value: float) -> str:
    return text.tokens(round(value))


def _cost(sums: TrendSums) -> str:
    return text.dollars(sums.cost, at_least=bool(sums.unpriced_calls))


def _hits(sums: TrendSums) -> str:
    return text.share(sums.cache_read_input_tokens, sums.input_tokens)


CALL_MEASURES = (
    Measure(
        key="dollars",
        name="dollars",
        of=lambda sums: sums.cost,
        axis=lambda value: text.dollars(round(value)),
        write=_cost,
    ),
    Measure(
        key="tokens",
        name="input tokens",
        of=lambda sums: sums.input_tokens,
        axis=_amount,
        write=lambda sums: f"{text.tokens(sums.input_tokens, estimated=bool(sums.estimated_calls))} in",
    ),
    Measure(
        key="hits",
        name="cache hits",
        of=lambda sums: sums.hit_ratio,
        axis=lambda value: f"{100 * value:.0f}%",
        write=lambda sums: f"{_hits(sums)} from cache",
        whole=1.0,
    ),
    Measure(
        key="calls",
        name="calls",
        of=lambda sums: sums.calls,
        axis=_amount,
        write=lambda sums: text.counted(sums.calls or 0, "call"),
    ),
)

TOOL_MEASURES = (
    Measure(
        key="uses",
        name="uses",
        of=lambda sums: sums.uses,
        axis=_amount,
        write=lambda sums: text.counted(sums.uses or 0, "use"),
    ),
    Measure(
        key="results",
        name="tokens of results",
        of=lambda sums: sums.result_tokens,
        axis=_amount,
        write=lambda sums: f"{text.tokens(sums.result_tokens, estimated=True)} of results",
    ),
)


def said(sums: TrendSums, measure: Measure, room: int) -> str:
    """Sums in one line, the measure first, as much as there is room for."""
    if not sums.calls and not sums.uses:
        return "nothing"
    others = (CALL_MEASURES[0], CALL_MEASURES[3]) if measure in CALL_MEASURES else TOOL_MEASURES[:1]
    facts = [each.write(sums) for each in dict.fromkeys((measure, *others))]
    while len(facts) > 1 and len(" · ".join(facts)) > room:
        facts.pop()
    return " · ".join(facts)
