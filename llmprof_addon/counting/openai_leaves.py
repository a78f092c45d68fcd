"""Leaves of an OpenAI prompt and of its answer: each part's own text, and the framing around it.

The sum of the leaves is the prompt that the model reads. Nothing is tokenised here: texts were counted when they were
first seen, the framing when the call was.
"""

from collections.abc import Iterable, Iterator, Sequence

from llmprof_addon.counting.families import Family
from llmprof_addon.counting.hidden import sealed_chars, sealed_thoughts
from llmprof_addon.counting.images import media_tokens
from llmprof_addon.counting.openai_tools import is_function
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.count import Framing, RawCount
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source

_MEDIA = (PartKind.IMAGE, PartKind.AUDIO, PartKind.DOCUMENT)


def leaves(prompt: Prompt, raws: Sequence[RawCount], family: Family, framing: Framing) -> Iterator[Leaf]:
    """The prompt in the provider's order, framing first; `raws` are parallel to `prompt.parts`."""
    # Joining the system prompt can save more tokens than the preamble has.
    yield _overhead("framing", framing.prompt + min(0, framing.preamble))
    if framing.preamble > 0:
        yield _overhead("tool preamble", framing.preamble)
    if prompt.continues is not None:
        yield Leaf(kind=Kind.ELIDED, tokens=0, source=Source.ESTIMATED, scalable=False)
    borders = (len(prompt.tools), len(prompt.tools) + len(prompt.system))
    turn, declared = _turn(prompt), iter(framing.inner)
    for index, part in enumerate(prompt.parts):
        where = "tools" if index < borders[0] else "system" if index < borders[1] else "messages"
        kind, raw = kind_of(part, where), raws[index]
        text = framing.tools[index] if where == "tools" else raw.text
        yield _leaf(part, text, kind, index, (), family, past=index < turn)
        if part.inner and not part.volatile:
            yield from _inner(part, raw, kind, where, index, (), family, declared)


def answer_tokens(call: Call, raws: Sequence[RawCount], framing: int) -> tuple[Leaf, ...]:
    """What the model wrote, for answers whose usage is not reported; `raws` are parallel to `call.answer.parts`.

    `framing` is what stands around them. Reasoning is not shown, hence not in the sum.
    """
    opening = (_overhead("framing", framing),) if framing and call.answer.parts else ()
    called = any(part.kind is PartKind.TOOL_CALL for part in call.answer.parts)
    source = Source.ESTIMATED if called else Source.COUNTED
    written = []
    for index, part in enumerate(call.answer.parts):
        shown_text = part.kind in (PartKind.TEXT, PartKind.TOOL_CALL, PartKind.GENERIC)
        kind, tokens = kind_of(part, "answer"), raws[index].text if shown_text else 0
        written.append(Leaf(kind=kind, name=part.name or "", tokens=tokens, source=source, part=index))
    return (*opening, *written)


def fits(framing: Framing, prompt: Prompt) -> bool:
    """Whether this is the framing of a prompt with such tools."""
    return len(framing.tools) == len(prompt.tools) and len(framing.inner) == sum(1 for _ in inner_tools(prompt.parts))


def _inner(
    part: Part,
    raw: RawCount,
    kind: Kind,
    section: str,
    index: int,
    path: tuple[int, ...],
    family: Family,
    declared: Iterator[int],
) -> Iterator[Leaf]:
    for at, (inner, counted) in enumerate(zip(part.inner, raw.inner, strict=True)):
        own = kind if inner.kind in (PartKind.TEXT, PartKind.GENERIC) else kind_of(inner, section)
        text = next(declared) if _is_declared(inner) else counted.text
        yield _leaf(inner, text, own, index, (*path, at), family, past=False)
        if inner.inner:
            yield from _inner(inner, counted, own, section, index, (*path, at), family, declared)


def inner_tools(parts: Iterable[Part]) -> Iterator[Part]:
    """The tools that stand inside parts and are declared to the model by themselves."""
    for part in parts:
        if part.inner and not part.volatile:
            yield from _declared_in(part)


def _declared_in(part: Part) -> Iterator[Part]:
    for inner in part.inner:
        if _is_declared(inner):
            yield inner
        if inner.inner:
            yield from _declared_in(inner)


def _is_declared(inner: Part) -> bool:
    return inner.kind is PartKind.TOOL_SCHEMA and not (inner.inner or inner.volatile or inner.deferred)


def _leaf(part: Part, text: int, kind: Kind, index: int, inner: tuple[int, ...], family: Family, *, past: bool) -> Leaf:
    """`text`: tokens of what the part says; media and sealed content come to more than that."""
    source, scalable, guessed, tokens = Source.COUNTED, True, False, text
    if part.volatile or part.deferred:
        tokens, scalable = 0, False
    elif part.kind in _MEDIA and part.media is not None:
        media = media_tokens(part, family.media)
        tokens, guessed, scalable = media.tokens + text, media.guessed, False
        source = Source.COUNTED if media.exact else Source.ESTIMATED
    elif part.kind is PartKind.REASONING:
        # Sealed thoughts are read again until the user says something new; a summary of them never is.
        tokens, source = 0 if past else round(sealed_thoughts(part)), Source.ESTIMATED
    elif part.hidden:
        tokens, source = round(0.15 * sealed_chars(part.value)), Source.ESTIMATED
    elif part.kind is PartKind.TOOL_SCHEMA and not (inner and not part.inner) and not is_function(part.value):
        source = Source.ESTIMATED
    return Leaf(kind, tokens, source, part.name or "", index, inner, scalable, guessed)


def _turn(prompt: Prompt) -> int:
    """Index in `prompt.parts` of the last thing that the user said."""
    start = len(prompt.tools) + len(prompt.system)
    said = (at for at in range(len(prompt.messages) - 1, -1, -1) if prompt.messages[at].role == "user")
    return start + next(said, 0)


def _overhead(name: str, tokens: int) -> Leaf:
    return Leaf(kind=Kind.PROVIDER_OVERHEAD, name=name, tokens=tokens, source=Source.COUNTED, scalable=False)
