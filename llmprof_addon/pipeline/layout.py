"""A call and the raw counts of its parts -> leaves that sum to its usage and its cost.

A call that comes and one that is looked at again are laid out alike. Only parts that no earlier call brought are
tokenised.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from llmprof_addon.attribution.context import Context
from llmprof_addon.counting.estimate import answer_leaves, framing_of
from llmprof_addon.counting.families import family_of
from llmprof_addon.counting.modalities import pinned
from llmprof_addon.counting.raw import count_part, fits
from llmprof_addon.counting.reconcile import reconcile
from llmprof_addon.model.call import SECTIONS, Call, Prompt
from llmprof_addon.model.component import Leaf
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.count import Framing, RawCount
from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import Chains, Link, chains
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.spread import spread, spread_answer
from llmprof_addon.store.before import Before
from llmprof_addon.store.detail import StoredCall, StoredNode
from llmprof_addon.store.open import Store


@dataclass(slots=True)
class Effort:
    """What processing has cost so far; grows with every call."""

    calls: int = 0
    tokenised_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A call behind what is stored of the calls that it continues by id."""

    call: Call
    """With what it sent itself."""
    whole: Call
    """With all that the model read."""
    paths: Chains
    before: Before
    context: Context
    encoding: str

    @classmethod
    def of(cls, call: Call, store: Store, encoding: str) -> "Placed":
        """Place a call by what is stored by now."""
        before = Before.of(call, store, encoding)
        context = before.around(call)
        return cls(
            call=replace(call, prompt=context.own),
            whole=replace(call, prompt=context.whole),
            paths=chains(context.laid, call.answer.parts, base=before.base),
            before=before,
            context=context,
            encoding=encoding,
        )

    def counts(
        self, store: Store, effort: Effort, known: Mapping[tuple[bytes, bytes | None], RawCount] = MappingProxyType({})
    ) -> dict[bytes, RawCount]:
        """Raw counts of all its nodes: those of stored ones as they are stored, the others tokenised.

        `known`: those of parts whose texts are not kept, by their digests.
        """
        paths = self.paths
        links = (*paths.tools, *paths.system, *paths.messages, *paths.answer)
        counts = store.known([link.key for link in links], self.encoding)
        for link in links:
            part = link.part.whole or link.part
            raw = counts.get(link.key) or known.get((link.digest, link.wrapper_digest))
            if raw is None or not fits(raw, part):
                raw = count_part(part, self.encoding)
                effort.tokenised_bytes += _text_bytes(part)
            counts[link.key] = raw
        effort.calls += 1
        return counts

    def raws(self, counts: Mapping[bytes, RawCount], kept: Framing | None = None) -> "Raws":
        """The counts of its parts, by those of its nodes; `kept`: the framing of a call without its texts."""
        return Raws.of(self.whole, self.paths, counts, self.before.counts(self.context, self.encoding), kept)


@dataclass(frozen=True, slots=True)
class Raws:
    """Raw counts parallel to the parts of a prompt and of its answer; volatile parts count nothing."""

    prompt: tuple[RawCount, ...]
    answer: tuple[RawCount, ...]
    framing: Framing | None

    @classmethod
    def of(
        cls,
        call: Call,
        paths: Chains,
        counts: Mapping[bytes, RawCount],
        before: Sequence[RawCount],
        kept: Framing | None = None,
    ) -> "Raws":
        """Pick a call's counts by the keys of its chains; `before` are those of the messages that it continues."""
        prompt = call.prompt
        own = (
            *_along(prompt.tools, paths.tools, counts),
            *_along(prompt.system, paths.system, counts),
            *before,
            *_along(prompt.messages[len(before) :], paths.messages, counts),
        )
        return cls(
            own, tuple(_along(call.answer.parts, paths.answer, counts)), framing_of(_with_texts(call), own, kept)
        )

    @classmethod
    def stored(cls, call: Call, kept: StoredCall, laid: Prompt, before: Sequence[RawCount]) -> "Raws":
        """Those of a stored call that was read again, `laid` along its chains."""
        sections, encoding = kept.sections, kept.row.encoding
        own = (
            *_as_stored(laid.tools, sections["tools"], encoding),
            *_as_stored(laid.system, sections["system"], encoding),
            *before,
            *_as_stored(laid.messages, sections["messages"], encoding),
        )
        answer = tuple(_as_stored(call.answer.parts, sections["answer"], encoding))
        return cls(own, answer, framing_of(call, own, kept.framing))


@dataclass(frozen=True, slots=True)
class Leaves:
    """A call, laid out: reconciled, with its cache split and cost."""

    prompt: tuple[Leaf, ...]
    answer: tuple[Leaf, ...]


def lay_out(call: Call, raws: Raws, estimated: Sequence[Leaf], usage: Usage, paid: Cost | None) -> Leaves:
    """Leaves that sum to the usage and the cost exactly. Pure: nothing is tokenised, looked up or priced."""
    slack = family_of(call).slack
    answered = answer_leaves(replace(call, answer=replace(call.answer, usage=usage)), raws.answer, raws.framing)
    if usage.output_tokens == 0:  # an empty answer has no frame either
        answered = ()
    return Leaves(
        spread(reconcile(pinned(estimated, usage, "input"), usage.input_tokens, slack), usage, paid),
        spread_answer(reconcile(pinned(answered, usage, "output"), usage.output_tokens, slack), usage, paid),
    )


def _with_texts(call: Call) -> Call:
    """The call as it came, where this one is kept without its texts."""
    parts = (*call.prompt.parts, *call.answer.parts)
    if all(part.whole is None for part in parts):
        return call
    tools, system, messages = (_wholes(getattr(call.prompt, name)) for name in SECTIONS)
    prompt = replace(call.prompt, tools=tools, system=system, messages=messages)
    return replace(call, prompt=prompt, answer=replace(call.answer, parts=_wholes(call.answer.parts)))


def _wholes(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(part.whole or part for part in parts)


def _along(parts: Sequence[Part], links: Sequence[Link], counts: Mapping[bytes, RawCount]) -> list[RawCount]:
    keys = iter(links)
    return [RawCount() if part.volatile else counts[next(keys).key] for part in parts]


def _as_stored(parts: Sequence[Part], nodes: Sequence[StoredNode], encoding: str) -> Iterator[RawCount]:
    """The counts of nodes, parallel to the parts that were read from them again."""
    left = iter(nodes)
    for part in parts:
        if part.volatile:
            yield RawCount()
        elif (node := next(left, None)) is not None and node.raw is not None and _is_of(node, part):
            yield node.raw
        else:  # read otherwise by an earlier version
            yield count_part(part, encoding)


def _is_of(node: StoredNode, part: Part) -> bool:
    kept = node.part
    same = part.place == kept.place and part.wrapper == kept.wrapper and part.value == kept.value
    return same and node.raw is not None and fits(node.raw, part)


def _text_bytes(part: Part) -> int:
    own = len((part.text or "").encode("utf-8", "surrogatepass"))
    return own + sum(map(_text_bytes, part.inner))
