"""Stored calls -> the numbers that a budget is about. One pass in any order; a number is known, or says why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from llmprof_addon.export.text import counted
from llmprof_addon.model.component import Kind
from llmprof_addon.model.usage import Source
from llmprof_addon.store.cacherows import LOSSES
from llmprof_addon.store.rows import CallRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number, or why it is not known."""

    value: int | Fraction | None
    why: str = ""
    """What keeps it from being known; empty where it is known."""
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What some calls were, taken together."""

    calls: int
    failed_calls: int
    models: tuple[str, ...]
    cost: Number
    """Pico-dollars."""
    input_tokens: Number
    output_tokens: Number
    cache_hit: Number
    """Which part of the input was read from a cache."""
    breaks: Number
    """Calls that lost their cached prefix though it had not expired."""
    context: Number
    """Tokens of the largest prompt."""
    window: Number
    """The largest part of its context window that a prompt filled."""
    growth: Number
    """Tokens by which the largest prompt of a lane is above its first one; of the lane that grew most."""
    growth_share: Number
    """The same as a share of the first prompt."""
    schema_tokens: Number
    """Tokens of tool schemas in the prompt that has most of them."""
    kinds: Mapping[Kind, int] = field(default_factory=dict)
    """Tokens that all prompts carried, by component kind."""


@dataclass(slots=True)
class _Lane:
    """The prompts of one lane."""

    first: tuple[int, str, int]
    """Start, id and tokens of its first call."""
    most: int


@dataclass(slots=True)
class _Tally:
    """A sum in the making, and how many calls did not have a number."""

    total: int = 0
    missing: int = 0
    estimated: bool = False

    def add(self, value: int | None, *, estimated: bool = False) -> None:
        self.total += value or 0
        self.missing += value is None
        self.estimated |= estimated and value is not None

    def number(self, calls: int, lack: str) -> Number:
        if not calls:
            return Number(value=None, why="no call was answered")
        if self.missing:
            return Number(value=None, why=f"{self.missing} of {counted(calls, 'call')} {lack}")
        return Number(value=self.total, estimated=self.estimated)


def measure(calls: Iterable[CallRow]) -> Measured:
    """Measure calls. One that failed without usage was not billed, and is only counted."""
    cost, input_, output, read, judged, windows = (_Tally() for _ in range(6))
    number = answered = failed = breaks = context = schemas = 0
    window = Fraction(0)
    estimated = False
    unpriced: set[str] = set()
    models: set[str] = set()
    kinds: dict[Kind, int] = {}
    lanes: dict[tuple[str, str], _Lane] = {}
    for call in calls:
        number += 1
        failed += call.failed
        models |= {call.model} if call.model else set()
        tokens = call.usage.input_tokens
        guessed = call.usage.source is not Source.REPORTED
        if call.failed and not tokens and not call.usage.output_tokens:
            cost.add(call.cost.total if call.cost else 0)
            continue
        answered += 1
        cost.add(call.cost.total if call.cost else None, estimated=guessed)
        unpriced |= set() if call.cost else {call.model or "a model without a name"}
        input_.add(tokens, estimated=guessed)
        output.add(call.usage.output_tokens, estimated=guessed)
        read.add(call.usage.cache_read_input_tokens if tokens else 0)
        windows.add(call.context_window)
        # What follows no other call had no prefix to lose.
        judged.add(0 if call.cache is not None or call.predecessor is None else None)
        breaks += call.cache is not None and call.cache.status in LOSSES
        schemas = max(schemas, *(total.tokens for total in call.composition if total.kind is Kind.TOOL_SCHEMAS), 0)
        for total in call.composition:
            kinds[total.kind] = kinds.get(total.kind, 0) + total.tokens
            estimated |= total.source is Source.ESTIMATED and total.kind is Kind.TOOL_SCHEMAS and total.tokens > 0
        if tokens is None:
            continue
        context = max(context, tokens)
        window = max(window, Fraction(tokens, call.context_window) if call.context_window else window)
        here = (call.started_ns, call.id, tokens)
        lane = lanes.setdefault((call.run_id, call.lane), _Lane(first=here, most=tokens))
        lane.first, lane.most = min(lane.first, here), max(lane.most, tokens)
    shares = [Fraction(lane.most, lane.first[2]) - 1 for lane in lanes.values() if lane.first[2]]
    prompts = input_.number(answered, "without a number of input tokens")

    lack = f"without a known price: {', '.join(sorted(unpriced))}"
    return Measured(
        calls=number,
        failed_calls=failed,
        models=tuple(sorted(models)),
        cost=cost.number(number, lack),
        input_tokens=prompts,
        output_tokens=output.number(answered, "without a number of output tokens"),
        cache_hit=_hit(read.number(answered, "without a number of cache reads"), prompts),
        breaks=_with(judged.number(answered, "without a verdict on the cache"), breaks),
        context=_with(prompts, context),
        window=_with(windows.number(answered, "without a known context window"), window),
        growth=_with(prompts, max((lane.most - lane.first[2] for lane in lanes.values()), default=0)),
        growth_share=_with(prompts, max(shares, default=Fraction(0))),
        schema_tokens=_with(_Tally(estimated=estimated).number(answered, ""), schemas),
        kinds={kind: kinds[kind] for kind in Kind if kinds.get(kind)},
    )


def _with(known: Number, value: int | Fraction) -> Number:
    """The value, if it is known of all calls."""
    return known if known.value is None else Number(value=value, estimated=known.estimated)


def _hit(read: Number, prompts: Number) -> Number:
    for number in (prompts, read):
        if number.value is None:
            return number
    if not prompts.value:
        return Number(value=None, why="no call had a prompt")
    return Number(value=Fraction(read.value or 0) / prompts.value, estimated=prompts.estimated)
