"""What precedes a call in its context: the calls that it continues by id, as far as they are stored."""

from dataclasses import dataclass

from llmprof_addon.attribution.context import Context, carried, in_context
from llmprof_addon.counting.raw import count_part, fits
from llmprof_addon.model.call import Call
from llmprof_addon.model.component import Kind
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.tree import root
from llmprof_addon.providers import dialects
from llmprof_addon.store.detail import StoredCall, StoredNode, path_to
from llmprof_addon.store.open import Store


@dataclass(frozen=True, slots=True)
class Before:
    """What the store knows of the calls that a call continues by id."""

    base: bytes
    """Key of the node that its messages start below."""
    system: tuple[StoredNode, ...]
    messages: tuple[StoredNode, ...]
    elided: bool
    """Whether there is more of which nothing is known."""

    @classmethod
    def of(cls, call: Call, store: Store, encoding: str) -> "Before":
        """Of a call, by what is stored by now."""
        continues, dialect = call.prompt.continues, dialects.by_api(call.api)
        if continues is None or dialect is None:
            return cls(root("messages"), (), (), continues is not None)
        found = store.continued(continues, conversation=call.prompt.in_conversation)
        if found is None:
            return cls(root("messages"), (), (), continues is not None)
        system = path_to(store, found.system, encoding)
        start = len(system) - carried(dialect, [node.part for node in system])
        return cls(found.messages, system[start:], path_to(store, found.messages, encoding), found.elided)

    @classmethod
    def stored(cls, call: StoredCall, store: Store) -> "Before":
        """Of a stored call, as it was when it was stored."""
        elided = any(total.kind is Kind.ELIDED for total in call.row.composition)
        return cls(call.base, call.inherited, path_to(store, call.base, call.row.encoding), elided)

    def around(self, call: Call) -> Context:
        """The call's prompt in this context."""
        system, messages = ([node.part for node in nodes] for nodes in (self.system, self.messages))
        return in_context(dialects.by_api(call.api), call.prompt, system, messages, elided=self.elided)

    def counts(self, context: Context, encoding: str) -> tuple[RawCount, ...]:
        """Raw counts of the messages that stand in the context before the call's own."""
        parts = context.whole.messages[: context.before]
        stored = (node.raw for node in self.messages)
        return tuple(
            raw if raw is not None and fits(raw, part) else count_part(part, encoding)
            for raw, part in zip(stored, parts, strict=False)
        )
