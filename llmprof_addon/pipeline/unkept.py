"""A call as it is kept where its texts are not, or not whole: the same parts, whose values say less.

Counts are those of the parts with their texts (`Part.whole`); all else (keys, runs, verdicts, leaves) is worked out
from what is kept, so that a call that is looked at again gives the same numbers. To be read alike it is read again.
What clients send back in another form (a structured answer, its JSON written anew) is not known again.
"""

from dataclasses import replace
from typing import Protocol

from llmprof_addon.model.call import SECTIONS, Answer, Call, Prompt
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json, Part
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.standin import OFF, Key
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers import dialects
from llmprof_addon.providers.dialects import Dialect
from llmprof_addon.providers.unsaid import Impersonal, Unsaid


class Values(Protocol):
    """What is kept of the JSON values of a call."""

    def value(self, held: Json, key: str = "") -> Json:
        """Of a block, a message or a field."""

    def text(self, text: str) -> str:
        """Of a text."""


_PART_BYTES = 2000
"""What a remembered part takes in memory, about."""


class Reduced:
    """Reduces calls by what `values` keeps of theirs."""

    def __init__(self, values: Values, mode: str | None) -> None:
        self.mode = mode
        """What the call says of its texts."""
        self._values = values
        # Readers give the same part for what was sent before, so that only new ones are reduced. Each is held, so that
        # nothing else can have its id.
        self._recent: Recent[int, tuple[Part, Part]] = Recent(5_000)

    def __call__(self, call: Call, exchange: Exchange) -> tuple[Call, Exchange]:
        """The call without texts, its exchange without a query."""
        answer = call.answer
        usage = answer.usage and replace(answer.usage, raw=self._values.value(answer.usage.raw))
        dialect = dialects.by_api(call.api)
        return (
            replace(
                call,
                prompt=self._prompt(call.prompt, dialect),
                answer=replace(
                    answer,
                    parts=self._answer(answer, dialect),
                    usage=usage,
                    error=self._error(answer.error),
                    rest=self._values.value(answer.rest),
                ),
                error=self._error(call.error),
                warnings=tuple(map(_unquoted, call.warnings)),
            ),
            replace(exchange, url=exchange.url.partition("?")[0]),
        )

    def _prompt(self, prompt: Prompt, dialect: Dialect | None) -> Prompt:
        tools, system, messages = (tuple(map(self._part, getattr(prompt, name))) for name in SECTIONS)
        params = self._values.value(prompt.params)
        parts = (*tools, *system, *messages)
        if dialect is not None and parts and all(part.place for part in parts):
            read = dialect.read_request(assemble(params, parts))
            if all(_are_alike(getattr(prompt, name), getattr(read, name)) for name in SECTIONS):
                for part, original in zip(read.parts, prompt.parts, strict=True):
                    _remember(part, original)
                return replace(read, continues=prompt.continues, in_conversation=prompt.in_conversation)
        return replace(prompt, tools=tools, system=system, messages=messages, params=params)

    def _answer(self, answer: Answer, dialect: Dialect | None) -> tuple[Part, ...]:
        parts = tuple(map(self._part, answer.parts))
        if dialect is not None and parts and all(part.place for part in parts):
            read = dialects.read_again(dialect, assemble({}, parts), answer.rest).parts
            if _are_alike(answer.parts, read):
                for part, original in zip(read, answer.parts, strict=True):
                    _remember(part, original)
                return read
        return parts

    def _part(self, part: Part) -> Part:
        if part.volatile:  # names of versions and sessions, which no prompt holds
            return part
        known = self._recent.get(id(part))
        if known is None:
            known = part, self._reduced(part)
            self._recent.add(id(part), known)
        return known[1]

    def _reduced(self, part: Part) -> Part:
        return replace(
            part,
            text=None if part.text is None else self._values.text(part.text),
            value=self._values.value(part.value, "data" if part.media is not None else ""),
            wrapper=self._values.value(part.wrapper),
            inner=tuple(map(self._part, part.inner)),
            whole=part,
        )

    def _error(self, error: str | None) -> str | None:
        """The kind of an error; its message may quote what was sent."""
        if not error:
            return error
        kind, separator, _ = error.partition(": ")
        kind = f"{kind}: " if separator and kind.replace("_", "").isalnum() and len(kind) <= 64 else ""
        return kind + self._values.text(error.removeprefix(kind)).partition("\n")[0]


def without_persons() -> Reduced:
    """What `LLMPROF_BODIES=redacted` keeps."""
    return Reduced(Impersonal(), None)


def without_texts(secret: bytes) -> Reduced:
    """What `LLMPROF_BODIES=off` keeps; `secret` is the store's."""
    return Reduced(Unsaid(Key(secret), OFF), "off")


def _remember(part: Part, original: Part) -> None:
    """In place: readers give the same part again, whose text was the same."""
    object.__setattr__(part, "whole", original)


def _are_alike(parts: tuple[Part, ...], others: tuple[Part, ...]) -> bool:
    return len(parts) == len(others) and all(map(_is_alike, parts, others))


def _is_alike(part: Part, other: Part) -> bool:
    """Whether two parts are laid out alike."""
    return (part.kind, part.place, part.form, part.volatile) == (
        other.kind,
        other.place,
        other.form,
        other.volatile,
    ) and _are_alike(part.inner, other.inner)


def _unquoted(warning: str) -> str:
    """A warning without what it quotes."""
    return warning.partition("'")[0].partition('"')[0].rstrip(" :(") or "warning"
