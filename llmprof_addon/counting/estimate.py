"""Leaves of a prompt or an answer before the provider's total is known: exact where the family is, else estimated.

An estimate is a linear model: the raw counts of each part times its family's coefficients, plus hidden preambles and
framing as leaves of their own. Nothing is tokenised here but by `framing_of`. Fractions are carried over from leaf to
leaf, so that the sum of the leaves is the rounded sum of the model.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import sub
from typing import NamedTuple

from llmprof_addon.counting import openai_framing, openai_leaves
from llmprof_addon.counting.families import Family, family_of
from llmprof_addon.counting.hidden import sealed_chars, sealed_thoughts, server_loop
from llmprof_addon.counting.images import media_tokens
from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.component import Kind, Leaf, leaves_of
from llmprof_addon.model.count import Framing, RawCount
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.usage import Source, Usage

_MEDIA = frozenset((PartKind.IMAGE, PartKind.AUDIO, PartKind.DOCUMENT))

type _Rules = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

_FORCING: _Rules = (
    (("tool_choice",), ("any", "required")),
    (("tool_choice", "type"), ("any", "tool", "function", "required")),
    (("toolConfig", "functionCallingConfig", "mode"), ("ANY",)),
    (("toolConfig", "toolChoice", "any"), ()),
    (("toolConfig", "toolChoice", "tool"), ()),
)
"""Where request parameters say that a tool must be called, and the words for it; no words: that it is there."""

_THINKING: _Rules = ((("thinking", "type"), ("enabled",)),)

UNFRAMED = (
    *("openai.completions", "openai.embeddings", "openai.images"),
    *("anthropic.complete", "cohere.generate", "cohere.embed", "gemini.embed"),
)
"""Dialects whose prompt is the text itself: nothing frames it, and OpenAI's own tokenizer counts it exactly."""

UNFRAMED_TEXTS = ("bedrock.invoke",)
"""Dialects that take messages, which are framed, or one text, which is not."""

_WRITTEN = 0.7
"""The share of a call's framing that the model writes itself; the rest frames the result."""


class Weight(NamedTuple):
    """One leaf's share of the model, as a real number."""

    kind: Kind
    tokens: float
    name: str = ""
    part: int | None = None
    inner: tuple[int, ...] = ()
    scalable: bool = False
    exact: bool = False
    guessed: bool = False


def framing_of(call: Call, raws: Sequence[RawCount], kept: Framing | None = None) -> Framing | None:
    """What has to be tokenised beside the parts, which `leaves` then need; `kept` is what was stored of the call.

    `None` for families whose framing is estimated: that takes no tokenizer.
    """
    family = family_of(call)
    if not family.exact:
        return None
    if call.api in UNFRAMED:
        return kept or Framing(answer=openai_framing.answer_frame(call, family))
    if kept is not None and openai_leaves.fits(kept, call.prompt):
        return kept
    return openai_framing.frame(call, raws, family)


def prompt_leaves(call: Call, raws: Sequence[RawCount], framing: Framing | None = None) -> tuple[Leaf, ...]:
    """Leaves of the prompt in the provider's cache order; `raws` are parallel to `call.prompt.parts`.

    `framing` is what `framing_of` gives, and is asked for where it is missing.
    """
    family = family_of(call)
    if family.exact and call.api not in UNFRAMED:
        framing = framing or openai_framing.frame(call, raws, family)
        return tuple(openai_leaves.leaves(call.prompt, raws, family, framing))
    return _rounded(prompt_weights(call, raws, family))


def answer_leaves(call: Call, raws: Sequence[RawCount], framing: Framing | None = None) -> tuple[Leaf, ...]:
    """Leaves of the answer in its order; `raws` are parallel to `call.answer.parts`, `framing` as for the prompt.

    Reasoning has what was reported of it, or, where only the total was, what the rest of the answer leaves of that.
    """
    family = family_of(call)
    if family.exact:
        around = framing.answer if framing else openai_framing.answer_frame(call, family)
        written = openai_leaves.answer_tokens(call, raws, around)
    else:
        written = _rounded(_answered(call, raws, family))
    return _reasoned(written, call.answer.usage)


def prompt_weights(call: Call, raws: Sequence[RawCount], family: Family) -> list[Weight]:
    """The estimated prompt, unrounded: linear in the family's coefficients."""
    weights = _sent(call, raws, family)
    if any(part.kind is PartKind.TOOL_RESULT for part in call.answer.parts):
        prompt = sum(weight.tokens for weight in weights)
        weights.append(_overhead("server tool loop", server_loop(call.answer.parts, prompt, family.coefficients)))
    return weights


def _sent(call: Call, raws: Sequence[RawCount], family: Family) -> list[Weight]:
    """What the request holds, and the hidden text that comes with it."""
    weights: list[Weight] = []
    prompt, c = call.prompt, family.coefficients
    parts = prompt.parts
    opened = sum(1 for part in prompt.messages if part.wrapper is not None)
    if call.api not in UNFRAMED and (opened or call.api not in UNFRAMED_TEXTS):
        weights.append(_overhead("framing", c.const + c.message * max(0, opened - 1)))
    if any(part.kind is PartKind.TOOL_SCHEMA and not part.deferred for part in prompt.tools):
        weights.append(_overhead("tool preamble", c.tools + c.forced * _says(prompt.params, _FORCING)))
    if c.documents and any(part.kind is PartKind.DOCUMENT for part in prompt.system):
        weights.append(_overhead("documents preamble", c.documents))
    if any(part.kind is PartKind.OUTPUT_SCHEMA for part in prompt.tools):
        weights.append(_overhead("schema preamble", c.schema))
    if _says(prompt.params, _THINKING):
        weights.append(_overhead("thinking preamble", c.thinking))
    if prompt.continues is not None:
        weights.append(Weight(Kind.ELIDED, 0.0))
    weigher = _Weigher(family, weights, turn=_turn(prompt))
    weigher.thinks_again = call.stream or not family.thoughts_if_streamed
    starts = {"tools": 0, "system": len(prompt.tools), "messages": len(prompt.tools) + len(prompt.system)}
    for section in call.section_order:
        start = starts[section]
        for index in range(start, start + len(getattr(prompt, section))):
            weigher.weigh(parts[index], raws[index], section, index)
    return weights


def _answered(call: Call, raws: Sequence[RawCount], family: Family) -> list[Weight]:
    weights = [_overhead("framing", family.coefficients.answer)] if call.answer.parts else []
    weigher = _Weigher(family, weights, turn=0, call_share=_WRITTEN)
    for index, part in enumerate(call.answer.parts):
        if part.kind is PartKind.TOOL_RESULT:
            # What the provider's own tools found was read, not written.
            weights.append(Weight(kind_of(part, "answer"), 0.0, part.name or "", index))
        else:
            weigher.weigh(part, raws[index], "answer", index)
    return weights


class _Weigher:
    """Applies a family's coefficients to one part after the other."""

    def __init__(self, family: Family, weights: list[Weight], *, turn: int, call_share: float = 1.0) -> None:
        self.family = family
        self.weights = weights
        self.c = family.coefficients
        self.turn = turn
        """Index of the first part of the running turn, whose reasoning is billed by every family."""
        self.call = self.c.call * call_share
        self.thinks_again = True
        """Whether encrypted thoughts that are sent back are billed."""
        self.tools = 0

    def weigh(self, part: Part, raw: RawCount, section: str, index: int) -> None:
        """Add the weights of a part and of its inner parts."""
        kind = kind_of(part, section)
        self.weights.append(self._one(part, raw, kind, index, ()))
        if part.inner and not part.volatile:
            self._inner(part, raw, kind, section, index, ())

    def _inner(self, part: Part, raw: RawCount, kind: Kind, section: str, index: int, path: tuple[int, ...]) -> None:
        for at, (inner, count) in enumerate(zip(part.inner, raw.inner, strict=True)):
            # Text inside a result or a document is that result or document.
            own = kind if inner.kind in (PartKind.TEXT, PartKind.GENERIC) else kind_of(inner, section)
            self.weights.append(self._one(inner, count, own, index, (*path, at)))
            if inner.inner:
                self._inner(inner, count, own, section, index, (*path, at))

    def _one(self, part: Part, raw: RawCount, kind: Kind, index: int, path: tuple[int, ...]) -> Weight:
        name = part.name or ""
        if part.volatile or part.deferred:
            return Weight(kind, 0.0, name, index, path)
        if part.kind in _MEDIA and part.media is not None:
            media = media_tokens(part, self.family.media)
            tokens = media.tokens + self._text(raw)
            return Weight(kind, tokens, name, index, path, exact=media.exact, guessed=media.guessed)
        exact = self.family.exact
        return Weight(kind, self._tokens(part, raw, index), name, index, path, not exact, exact)

    def _tokens(self, part: Part, raw: RawCount, index: int) -> float:
        c, kind = self.c, part.kind
        if kind is PartKind.TOOL_CALL:
            return self.call + c.call_json * (raw.text + raw.label)
        if kind is PartKind.TOOL_SCHEMA:
            self.tools += 1
            return c.tool * (self.tools > 1) + (self._builtin(part) or c.tool_json * raw.text)
        if kind is PartKind.OUTPUT_SCHEMA:
            return c.schema_json * raw.text
        if kind is PartKind.REASONING:
            kept = self.family.keeps_reasoning or index >= self.turn
            sealed = c.thoughts * sealed_chars(part.value) if c.thoughts and part.hidden else sealed_thoughts(part)
            sealed = sealed if self.thinks_again else 0.0
            return c.reasoning * (raw.text + sealed) if kept else 0.0
        return self._text(raw) + (c.sealed * sealed_chars(part.value) if part.hidden else 0.0)

    def _text(self, raw: RawCount) -> float:
        c = self.c
        return c.prose * raw.prose + c.json * raw.json + c.nonlatin * raw.nonlatin

    def _builtin(self, part: Part) -> int:
        kind = part.value.get("type") if isinstance(part.value, dict) else None
        if not isinstance(kind, str):
            return 0
        return next((tokens for start, tokens in self.family.builtins if kind.startswith(start)), 0)


def _overhead(name: str, tokens: float) -> Weight:
    return Weight(Kind.PROVIDER_OVERHEAD, tokens, name)


def _rounded(weights: Sequence[Weight]) -> tuple[Leaf, ...]:
    """Leaves in whole tokens: each gets what the running sum gains by it."""
    if not weights:
        return ()
    kinds, exact, names, parts, inner, scalable, counted, guessed = zip(*weights, strict=True)
    given = list(accumulate((int(total + 0.5) for total in accumulate(exact)), max, initial=0))
    tokens = list(map(sub, given[1:], given))
    sources = [Source.COUNTED if each else Source.ESTIMATED for each in counted]
    none = [0] * len(weights)
    return leaves_of(
        kinds, tokens, sources, names, parts, inner, scalable, guessed, none, none, none, [None] * len(weights)
    )


def _reasoned(leaves: tuple[Leaf, ...], usage: Usage | None) -> tuple[Leaf, ...]:
    """The leaves of an answer with the reasoning that usage tells of: most of it is never shown."""
    if usage is None:
        return leaves
    thoughts = [index for index, leaf in enumerate(leaves) if leaf.kind is Kind.REASONING]
    tokens, source = usage.reasoning_output_tokens, Source.REPORTED
    if tokens is None and thoughts and usage.output_tokens:
        said = sum(leaf.tokens for leaf in leaves if leaf.kind is not Kind.REASONING)
        tokens, source = max(0, usage.output_tokens - said), Source.ESTIMATED
    if tokens is None:
        return leaves
    if not thoughts:
        hidden = Leaf(kind=Kind.REASONING, name="hidden", tokens=tokens, source=source, scalable=False)
        return (hidden, *leaves) if tokens else leaves
    shares = dict(zip(thoughts, apportion(tokens, [leaves[index].tokens for index in thoughts]), strict=True))
    return tuple(
        leaf._replace(tokens=shares[index], source=source, scalable=False) if index in shares else leaf
        for index, leaf in enumerate(leaves)
    )


def _says(params: Json, rules: _Rules) -> bool:
    """Whether one of the paths leads to one of its words in the request's parameters."""
    for path, words in rules:
        value = params
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if (isinstance(value, str) and value in words) if words else value is not None:
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
