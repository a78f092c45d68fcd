"""Leaves of a prompt or an answer before the provider's total is known: exact where the family is, else estimated.

An estimate is a linear model: the raw counts of each part times its family's coefficients, plus hidden preambles and
framing as leaves of their own. Nothing is tokenised here. Fractions are carried over from leaf to leaf, so that the sum
of the leaves is the rounded sum of the model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmprof_addon.counting.coefficients import Coefficients
from llmprof_addon.counting.families import Family, family_of
from llmprof_addon.counting.images import media_tokens
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.usage import Source

_MEDIA = (PartKind.IMAGE, PartKind.AUDIO, PartKind.DOCUMENT)

_FORCING: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("tool_choice",), ("any", "required")),
    (("tool_choice", "type"), ("any", "tool", "function", "required")),
    (("toolConfig", "functionCallingConfig", "mode"), ("ANY",)),
    (("toolConfig", "toolChoice", "any"), ()),
    (("toolConfig", "toolChoice", "tool"), ()),
)
"""Where request parameters say that a tool must be called, and the words for it; no words: that it is there."""

_SEALED_LENGTH = 64

_THINKING = (("thinking", "type"), ("enabled",))


@dataclass(slots=True)
class _Weight:
    """One leaf's share of the model, as a real number."""

    kind: Kind
    tokens: float
    name: str = ""
    part: int | None = None
    inner: tuple[int, ...] = ()
    scalable: bool = False
    exact: bool = False


def prompt_leaves(call: Call, raws: Sequence[RawCount]) -> tuple[Leaf, ...]:
    """Leaves of the prompt in the provider's cache order; `raws` are parallel to `call.prompt.parts`."""
    return _rounded(prompt_weights(call, raws, family_of(call)))


def prompt_weights(call: Call, raws: Sequence[RawCount], family: Family) -> list[_Weight]:
    """The estimated prompt, unrounded: linear in the family's coefficients."""
    weights = list(_sent(call, raws, family))
    if any(part.kind is PartKind.TOOL_RESULT for part in call.answer.parts):
        prompt = sum(weight.tokens for weight in weights)
        weights.append(_overhead("server tool loop", _server_loop(call.answer.parts, prompt, family.coefficients)))
    return weights


def _sent(call: Call, raws: Sequence[RawCount], family: Family) -> Iterator[_Weight]:
    """What the request holds, and the hidden text that comes with it."""
    prompt, c = call.prompt, family.coefficients
    parts = prompt.parts
    opened = sum(1 for part in prompt.messages if part.wrapper is not None)
    schemas = [part for part in prompt.tools if part.kind is PartKind.TOOL_SCHEMA and not part.deferred]
    yield _overhead("framing", c.const + c.message * max(0, opened - 1))
    if schemas:
        yield _overhead("tool preamble", c.tools + c.forced * _says(prompt.params, _FORCING))
    if any(part.kind is PartKind.OUTPUT_SCHEMA for part in prompt.tools):
        yield _overhead("schema preamble", c.schema)
    if _says(prompt.params, (_THINKING,)):
        yield _overhead("thinking preamble", c.thinking)
    if prompt.continues is not None:
        yield _Weight(Kind.ELIDED, 0.0)
    weigh = _Weigher(family, _turn(prompt))
    starts = {"tools": 0, "system": len(prompt.tools), "messages": len(prompt.tools) + len(prompt.system)}
    for section in call.section_order:
        start = starts[section]
        for index in range(start, start + len(getattr(prompt, section))):
            yield from weigh.part(parts[index], raws[index], section, index)


class _Weigher:
    """Applies a family's coefficients to one part after the other."""

    def __init__(self, family: Family, turn: int) -> None:
        self.family = family
        self.c = family.coefficients
        self.turn = turn
        """Index of the first part of the running turn, whose reasoning is billed by every family."""
        self.tools = 0

    def part(self, part: Part, raw: RawCount, section: str, index: int) -> Iterator[_Weight]:
        """The weights of a part and of its inner parts."""
        kind = kind_of(part, section)
        yield self._one(part, raw, kind, index, ())
        if part.inner:
            yield from self._inner(part, raw, kind, section, index, ())

    def _inner(
        self, part: Part, raw: RawCount, kind: Kind, section: str, index: int, path: tuple[int, ...]
    ) -> Iterator[_Weight]:
        for at, (inner, count) in enumerate(zip(part.inner, raw.inner, strict=True)):
            # Text inside a result or a document is that result or document.
            own = kind if inner.kind in (PartKind.TEXT, PartKind.GENERIC) else kind_of(inner, section)
            yield self._one(inner, count, own, index, (*path, at))
            if inner.inner:
                yield from self._inner(inner, count, own, section, index, (*path, at))

    def _one(self, part: Part, raw: RawCount, kind: Kind, index: int, path: tuple[int, ...]) -> _Weight:
        if part.volatile or part.deferred:
            return _Weight(kind, 0.0, part.name or "", index, path)
        if part.kind in _MEDIA and part.media is not None:
            tokens, exact = media_tokens(part, self.family.media)
            return _Weight(kind, tokens + self._text(raw), part.name or "", index, path, False, exact)
        return _Weight(kind, self._tokens(part, raw, index), part.name or "", index, path, True)

    def _tokens(self, part: Part, raw: RawCount, index: int) -> float:
        c = self.c
        match part.kind:
            case PartKind.TOOL_SCHEMA:
                self.tools += 1
                return c.tool * (self.tools > 1) + (self._builtin(part) or c.tool_json * raw.text)
            case PartKind.OUTPUT_SCHEMA:
                return c.schema_json * raw.text
            case PartKind.TOOL_CALL:
                return c.call + c.call_json * (raw.text + raw.label)
            case PartKind.REASONING:
                kept = self.family.keeps_reasoning or index >= self.turn
                return c.reasoning * (raw.text + _sealed_thoughts(part)) if kept else 0.0
            case _:
                return self._text(raw) + c.sealed * _sealed_chars(part.value) * part.hidden

    def _text(self, raw: RawCount) -> float:
        return self.c.prose * raw.prose + self.c.json * raw.json + self.c.nonlatin * raw.nonlatin

    def _builtin(self, part: Part) -> int:
        kind = part.value.get("type") if isinstance(part.value, dict) else None
        if not isinstance(kind, str):
            return 0
        return next((tokens for start, tokens in self.family.builtins if kind.startswith(start)), 0)


def _sealed_thoughts(part: Part) -> float:
    """o200k tokens of encrypted reasoning, by its length: fitted on 26 recorded items, median error 5%."""
    return max(0.0, 0.151 * _sealed_chars(part.value) - 134) if part.hidden else 0.0


def _server_loop(answer: Sequence[Part], prompt: float, c: Coefficients) -> float:
    """Tokens of the prompts that the provider's own tools made it read again, within one call.

    After each batch of results the model reads the prompt once more, with all that was found so far; the reported input
    is the sum. The results stand in the answer, whose text is taken at four characters a token.
    """
    found = total = 0.0
    for at, part in enumerate(answer):
        if part.kind is PartKind.TOOL_CALL:
            found += c.call
        found += c.prose * _chars(part) / 4 + c.sealed * _sealed_chars(part.value) * part.hidden
        ends = at + 1 == len(answer) or answer[at + 1].kind is not PartKind.TOOL_RESULT
        if part.kind is PartKind.TOOL_RESULT and ends:
            total += prompt + found
    return total


def _chars(part: Part) -> int:
    return len(part.text or "") + sum(map(_chars, part.inner))


def _overhead(name: str, tokens: float) -> _Weight:
    return _Weight(Kind.PROVIDER_OVERHEAD, tokens, name)


def _rounded(weights: Iterable[_Weight]) -> tuple[Leaf, ...]:
    """Leaves in whole tokens: each gets what the running sum gains by it."""
    leaves: list[Leaf] = []
    exact, given = 0.0, 0
    for weight in weights:
        exact += weight.tokens
        total = max(given, int(exact + 0.5))
        leaves.append(
            Leaf(
                kind=weight.kind,
                name=weight.name,
                tokens=total - given,
                source=Source.COUNTED if weight.exact else Source.ESTIMATED,
                part=weight.part,
                inner=weight.inner,
                scalable=weight.scalable,
            )
        )
        given = total
    return tuple(leaves)


def _says(params: Json, rules: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]) -> bool:
    """Whether one of the paths leads to one of its words in the request's parameters."""
    for path, words in rules:
        value = params
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value in words if words else value is not None:
            return True
    return False


def _turn(prompt: Prompt) -> int:
    """Index of the last user part that is no tool result, in `prompt.parts`; reasoning behind it is of this turn."""
    start = len(prompt.tools) + len(prompt.system)
    for at in range(len(prompt.messages) - 1, -1, -1):
        part = prompt.messages[at]
        if part.role == "user" and part.kind is not PartKind.TOOL_RESULT:
            return start + at
    return start


def _sealed_chars(value: Json) -> int:
    """Characters of the encrypted strings in a hidden part's value: long, and of one word."""
    if isinstance(value, str):
        return len(value) if len(value) >= _SEALED_LENGTH and " " not in value and "://" not in value else 0
    if isinstance(value, dict):
        return sum(map(_sealed_chars, value.values()))
    return sum(map(_sealed_chars, value)) if isinstance(value, list) else 0
