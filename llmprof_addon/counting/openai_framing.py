"""Prompts of OpenAI's models, counted before the provider reports: each part's own text, and the framing around it.

The sum of the leaves is the prompt that the model reads. Texts were counted when they were first seen; what is
tokenised here depends on more than one part (the tools as one text, where that text joins the system prompt, names in
headers) and is remembered, so that a later call of a conversation pays for none of it again.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from llmprof_addon.counting.encodings import count
from llmprof_addon.counting.families import Family
from llmprof_addon.counting.hidden import sealed_chars, sealed_thoughts
from llmprof_addon.counting.images import media_tokens
from llmprof_addon.counting.openai_preamble import MESSAGE, count_once, declared_as, forced_name, is_function, preamble
from llmprof_addon.counting.openai_rules import Dialect, Rules, rules_of
from llmprof_addon.counting.openai_tools import NAMESPACE
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source

NAME = 1
RESULT = 4
"""Of a tool's result: start, `functions`, separator, end; its name follows on `functions`."""
WRAPPED_RESULT = 7
"""Of a result of wrapped calls, whose sender is `multi_tool_use.parallel`."""

WRITTEN_CALL = 7
"""Header and end of a call that the model writes, beside its name and arguments."""
WRITTEN_WRAPPER = 10
"""The same of several calls at once, beside the JSON that wraps them."""
WRITTEN_FORMAT = 4
"""Of a plain answer by an output schema, in the header of models that have channels."""

_MEDIA = (PartKind.IMAGE, PartKind.AUDIO, PartKind.DOCUMENT)
_ENDS_CHARS = 24


class _Unit(NamedTuple):
    """One message or item: the indexes of its parts."""

    indexes: tuple[int, ...]
    kind: PartKind
    role: str


def leaves(call: Call, raws: Sequence[RawCount], family: Family) -> tuple[Leaf, ...]:
    """The prompt in the provider's order, framing first; `raws` are parallel to `call.prompt.parts`."""
    return tuple(_Framing(call, raws, family).leaves())


def answer_tokens(call: Call, raws: Sequence[RawCount], family: Family) -> tuple[Leaf, ...]:
    """What the model wrote, for answers whose usage is not reported; `raws` are parallel to `call.answer.parts`.

    A plain answer of a GPT-4 model in the Chat Completions API is its text and no more; later models add their channel,
    calls their header unless the request forced it. Reasoning is not shown, hence not in the sum.
    """
    rules = rules_of(call)
    calls = [part for part in call.answer.parts if part.kind is PartKind.TOOL_CALL]
    framing = (0 if rules.of(call.api).joined else 1) + (rules.turn + 1 if rules.turn else 0)
    if len(calls) > 1:
        shown = tuple((part.name or "", _ends(part.text or "{}")) for part in calls)
        framing += WRITTEN_WRAPPER + _wrapping(shown, family.encoding)
    elif calls and not forced_name(call.prompt.params):
        framing += WRITTEN_CALL + _suffix(calls[0].name or "", family.encoding)
    elif rules.turn and any(part.kind is PartKind.OUTPUT_SCHEMA for part in call.prompt.tools):
        framing += WRITTEN_FORMAT
    opening = (_overhead("framing", framing),) if framing and call.answer.parts else ()
    source = Source.ESTIMATED if calls else Source.COUNTED
    written = []
    for index, part in enumerate(call.answer.parts):
        shown_text = part.kind in (PartKind.TEXT, PartKind.TOOL_CALL, PartKind.GENERIC)
        kind, tokens = kind_of(part, "answer"), raws[index].text if shown_text else 0
        written.append(Leaf(kind=kind, name=part.name or "", tokens=tokens, source=source, part=index))
    return (*opening, *written)


class _Framing:
    """The count of one call."""

    def __init__(self, call: Call, raws: Sequence[RawCount], family: Family) -> None:
        self.call = call
        self.prompt = call.prompt
        self.parts = call.prompt.parts
        self.raws = raws
        self.family = family
        self.encoding = family.encoding
        self.rules: Rules = rules_of(call)
        self.dialect: Dialect = self.rules.of(call.api)
        self.framing = self.rules.priming

    def leaves(self) -> Iterator[Leaf]:
        units = list(_units(self.prompt))
        opening = next((unit for unit in units if unit.role in ("system", "developer")), None)
        section = preamble(
            self.prompt,
            self.raws,
            self.rules,
            self.call.api,
            self.encoding,
            opening="".join(self.parts[index].text or "" for index in opening.indexes) if opening else None,
            turns=sum(1 for unit in units if unit.role == "assistant" and unit.kind is not PartKind.TOOL_CALL),
        )
        at = 0
        while at < len(units):
            at = self._exchange(units, at) if units[at].kind in _EXCHANGED else self._message(units[at], at)
        # Joining the system prompt can save more tokens than the preamble has.
        yield _overhead("framing", self.framing + min(0, section.around))
        if section.around > 0:
            yield _overhead("tool preamble", section.around)
        if self.prompt.continues is not None:
            yield Leaf(kind=Kind.ELIDED, tokens=0, source=Source.ESTIMATED, scalable=False)
        borders = (len(self.prompt.tools), len(self.prompt.tools) + len(self.prompt.system))
        turn = _turn(self.prompt)
        for index, part in enumerate(self.parts):
            where = "tools" if index < borders[0] else "system" if index < borders[1] else "messages"
            kind, raw = kind_of(part, where), self.raws[index]
            yield self._leaf(part, section.parts.get(index, raw.text), kind, index, (), past=index < turn)
            if part.inner and not part.volatile:
                yield from self._inner(part, raw, kind, where, index, ())

    # -- messages

    def _message(self, unit: _Unit, at: int) -> int:
        if unit.kind is PartKind.REASONING and len(unit.indexes) == 1:
            return at + 1
        if unit.kind is PartKind.TOOL_SCHEMA:
            self.framing += MESSAGE
            return at + 1
        self.framing += MESSAGE + (self.rules.turn if unit.role == "assistant" else 0)
        first = self.parts[unit.indexes[0]]
        if first.name and first.kind is PartKind.TEXT:
            self.framing += NAME if first.name == unit.role else NAME + self.raws[unit.indexes[0]].label
        return at + 1

    def _exchange(self, units: Sequence[_Unit], at: int) -> int:
        """Calls that were made at once, and the results that follow them."""
        calls: list[int] = []
        results: list[int] = []
        while at < len(units) and units[at].kind is PartKind.TOOL_CALL and (not calls or not self.dialect.joined):
            unit = units[at]
            calls += [index for index in unit.indexes if self.parts[index].kind is PartKind.TOOL_CALL]
            if any(self.parts[index].kind is PartKind.TEXT and self.parts[index].text for index in unit.indexes):
                self.framing += MESSAGE + self.rules.turn
            at += 1
        while at < len(units) and units[at].kind is PartKind.TOOL_RESULT:
            results += units[at].indexes[:1]
            at += 1
        wrapped = self.dialect.wrapped is not None and len(calls) > 1
        if wrapped:
            self.framing += (self.dialect.wrapped or 0) + self._wrapping(calls)
        else:
            self.framing += sum(self._header(index, single=len(calls) == 1) for index in calls)
        for index in results:
            named = not wrapped or self.dialect.named_wrapped_results
            self.framing += WRAPPED_RESULT if wrapped else RESULT
            self.framing += _suffix(self.parts[index].name or "", self.encoding) if named else 0
        return at

    def _header(self, index: int, *, single: bool) -> int:
        part = self.parts[index]
        if self.dialect.joined:
            return self.dialect.call + self.raws[index].label
        stored = single and isinstance(part.value, dict) and bool(part.value.get("id"))
        return self.dialect.call + _suffix(part.name or "", self.encoding) + (self.dialect.stored if stored else 0)

    def _wrapping(self, calls: Sequence[int]) -> int:
        """Tokens of the JSON that wraps calls, without those of their arguments."""
        shown = tuple((self.parts[index].name or "", _ends(self.parts[index].text or "{}")) for index in calls)
        return _wrapping(shown, self.encoding)

    # -- leaves

    def _leaf(self, part: Part, text: int, kind: Kind, index: int, inner: tuple[int, ...], *, past: bool) -> Leaf:
        """`text`: tokens of what the part says; media and sealed content come to more than that."""
        source, scalable, guessed, tokens = Source.COUNTED, True, False, text
        if part.volatile or part.deferred:
            tokens, scalable = 0, False
        elif part.kind in _MEDIA and part.media is not None:
            media = media_tokens(part, self.family.media)
            tokens, guessed, scalable = media.tokens + text, media.guessed, False
            source = Source.COUNTED if media.exact else Source.ESTIMATED
        elif part.kind is PartKind.REASONING:
            # Sealed thoughts are read again until the user says something new; a summary of them never is.
            tokens, source = 0 if past else round(sealed_thoughts(part)), Source.ESTIMATED
        elif part.hidden:
            tokens, source = round(0.15 * sealed_chars(part.value)), Source.ESTIMATED
        elif part.kind is PartKind.TOOL_SCHEMA and inner and not part.inner:
            tokens = count_once(declared_as(part), self.encoding)
        elif part.kind is PartKind.TOOL_SCHEMA and not is_function(part.value):
            source = Source.ESTIMATED
        return Leaf(kind, tokens, source, part.name or "", index, inner, scalable, guessed)

    def _inner(
        self, part: Part, raw: RawCount, kind: Kind, section: str, index: int, path: tuple[int, ...]
    ) -> Iterator[Leaf]:
        for at, (inner, counted) in enumerate(zip(part.inner, raw.inner, strict=True)):
            own = kind if inner.kind in (PartKind.TEXT, PartKind.GENERIC) else kind_of(inner, section)
            yield self._leaf(inner, counted.text, own, index, (*path, at), past=False)
            if inner.inner:
                yield from self._inner(inner, counted, own, section, index, (*path, at))


_EXCHANGED = (PartKind.TOOL_CALL, PartKind.TOOL_RESULT)


def _units(prompt: Prompt) -> Iterator[_Unit]:
    """The messages and items of a prompt. One that holds a tool call is of that kind."""
    start, parts = len(prompt.tools), prompt.parts
    held: list[int] = []
    for index in range(start, len(parts)):
        part = parts[index]
        if held and (part.wrapper is not None or "/" not in part.place):
            yield _unit(parts, held)
            held = []
        held.append(index)
    if held:
        yield _unit(parts, held)


def _unit(parts: Sequence[Part], indexes: Sequence[int]) -> _Unit:
    kinds = [parts[index].kind for index in indexes]
    kind = PartKind.TOOL_CALL if PartKind.TOOL_CALL in kinds else kinds[0]
    return _Unit(tuple(indexes), kind, parts[indexes[0]].role)


def _turn(prompt: Prompt) -> int:
    """Index in `prompt.parts` of the last thing that the user said."""
    start = len(prompt.tools) + len(prompt.system)
    said = (at for at in range(len(prompt.messages) - 1, -1, -1) if prompt.messages[at].role == "user")
    return start + next(said, 0)


def _overhead(name: str, tokens: int) -> Leaf:
    return Leaf(kind=Kind.PROVIDER_OVERHEAD, name=name, tokens=tokens, source=Source.COUNTED, scalable=False)


def _ends(text: str) -> str:
    """A text short enough to remember that joins what stands around it as the whole does."""
    return text if len(text) <= 2 * _ENDS_CHARS else text[:_ENDS_CHARS] + text[-_ENDS_CHARS:]


@lru_cache(maxsize=4096)
def _wrapping(calls: tuple[tuple[str, str], ...], encoding: str) -> int:
    entries = ",".join(
        f'{{"recipient_name":"{NAMESPACE}.{name}","parameters":{arguments}}}' for name, arguments in calls
    )
    return count(f'{{"tool_uses":[{entries}]}}', encoding) - sum(count(arguments, encoding) for _, arguments in calls)


@lru_cache(maxsize=8192)
def _suffix(name: str, encoding: str) -> int:
    """Tokens of a name that follows on `functions`, with the dot between them."""
    return count(f"{NAMESPACE}.{name}", encoding) - count(NAMESPACE, encoding)
