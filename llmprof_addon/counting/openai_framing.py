"""What stands around the parts of an OpenAI prompt and of its answer, counted before the provider reports.

The parts' own texts were counted when they were first seen. What is tokenised here depends on more than one part (the
tools as one text, where that text joins the system prompt, names in headers) and is remembered, so that a later call of
a conversation pays for none of it again; what it came to is kept with the call.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from llmprof_addon.counting.encodings import count
from llmprof_addon.counting.families import Family
from llmprof_addon.counting.openai_leaves import inner_tools
from llmprof_addon.counting.openai_preamble import MESSAGE, count_once, declared_as, forced_name, preamble
from llmprof_addon.counting.openai_rules import Dialect, Rules, rules_of
from llmprof_addon.counting.openai_tools import NAMESPACE
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.count import Framing, RawCount
from llmprof_addon.model.part import Part, PartKind

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

_ENDS_CHARS = 24


class _Unit(NamedTuple):
    """One message or item: the indexes of its parts."""

    indexes: tuple[int, ...]
    kind: PartKind
    role: str


def frame(call: Call, raws: Sequence[RawCount], family: Family) -> Framing:
    """What stands around the parts of prompt and answer; `raws` are parallel to `call.prompt.parts`."""
    return replace(_Frame(call, raws, family).counted(), answer=answer_frame(call, family))


def answer_frame(call: Call, family: Family) -> int:
    """Tokens around what the model wrote.

    A plain answer of a GPT-4 model in the Chat Completions API is its text and no more; later models add their channel,
    calls their header unless the request forced it.
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
    return framing


class _Frame:
    """The framing of one call's prompt."""

    def __init__(self, call: Call, raws: Sequence[RawCount], family: Family) -> None:
        self.api = call.api
        self.prompt = call.prompt
        self.parts = call.prompt.parts
        self.raws = raws
        self.encoding = family.encoding
        self.rules: Rules = rules_of(call)
        self.dialect: Dialect = self.rules.of(call.api)
        self.framing = self.rules.priming

    def counted(self) -> Framing:
        units = list(_units(self.prompt))
        opening = next((unit for unit in units if unit.role in ("system", "developer")), None)
        section = preamble(
            self.prompt,
            self.raws,
            self.rules,
            self.api,
            self.encoding,
            opening="".join(self.parts[index].text or "" for index in opening.indexes) if opening else None,
            turns=sum(1 for unit in units if unit.role == "assistant" and unit.kind is not PartKind.TOOL_CALL),
        )
        at = 0
        while at < len(units):
            at = self._exchange(units, at) if units[at].kind in _EXCHANGED else self._message(units[at], at)
        return Framing(
            prompt=self.framing,
            preamble=section.around,
            tools=tuple(section.parts.get(at, self.raws[at].text) for at in range(len(self.prompt.tools))),
            inner=tuple(count_once(declared_as(part), self.encoding) for part in inner_tools(self.parts)),
        )

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
