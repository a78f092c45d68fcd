"""The prompt of a call that continues others by id, as its provider saw it: what they brought before, then its own.

What earlier calls sent as items stays in the context, system items at its head among them; tools and instructions do
not, each call sends its own. Pure: what came before comes in as it is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmprof_addon.model.call import Prompt
from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import StoredPart, assemble
from llmprof_addon.providers.dialects import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One prompt in three extents."""

    own: Prompt
    """What the call sent, each part in the section that it stands in."""
    laid: Prompt
    """The same with the system items that it continues: the parts of its chains."""
    whole: Prompt
    """The same with the messages that it continues. Parts of other calls have no path in its body."""
    inherited: tuple[int, int] = (0, 0)
    """Place and number of those system items in the system chain."""
    before: int = 0
    """How many of the messages of `whole` are those that it continues."""


def carried(dialect: Dialect, system: Sequence[StoredPart]) -> int:
    """How many parts at the end of a call's system chain stay for the calls that continue it."""
    return dialect.read_request(assemble({}, system)).leading if system else 0


def in_context(
    dialect: Dialect | None,
    prompt: Prompt,
    system: Sequence[StoredPart] = (),
    messages: Sequence[StoredPart] = (),
    *,
    elided: bool,
) -> Context:
    """Lay a prompt behind what it continues: system items and messages, in their order.

    `elided` says that more came before, of which nothing is known.
    """
    own = prompt
    split = len(prompt.system) - prompt.leading
    if messages:  # what stands at the head of its own items stands in the middle of the conversation
        own = replace(
            prompt, system=prompt.system[:split], messages=(*prompt.system[split:], *prompt.messages), leading=0
        )
    lead = own.system[split:]
    known = replace(own, continues=own.continues if elided else None)
    sent: list[StoredPart | Part] = [*system, *lead, *messages, *own.messages]
    parts = [_as_item(part) for part in sent]
    if dialect is None or not (system or messages) or any(map(_is_alone, parts)):
        return Context(own=own, laid=own, whole=known)
    read = dialect.read_request(assemble({}, parts)).parts
    if len(read) != len(parts):  # read otherwise by an earlier version
        return Context(own=own, laid=own, whole=known)

    start = sum(not part.volatile for part in own.system[:split])
    paths = [*[""] * len(system), *(part.path for part in lead)]
    head = _at(read[: len(paths)], paths)
    laid = replace(own, system=(*own.system[:split], *head[: len(system)], *lead))
    paths = [*[""] * len(messages), *(part.path for part in own.messages)]
    whole = replace(known, system=(*own.system[:split], *head), messages=_at(read[len(head) :], paths))
    return Context(own=own, laid=laid, whole=whole, inherited=(start, len(system)), before=len(messages))


def _as_item(part: StoredPart | Part) -> StoredPart | Part:
    """A list of one message that was written as a bare string, as the message that it stands for."""
    return replace(part, form="string") if part.form == "bare" else part


def _is_alone(part: StoredPart | Part) -> bool:
    """Whether a part took the place of the whole list, or of the body."""
    return not part.place or (part.form == "whole" and "/" not in part.place)


def _at(parts: Sequence[Part], paths: Sequence[str]) -> tuple[Part, ...]:
    return tuple(replace(part, path=path) for part, path in zip(parts, paths, strict=True))
