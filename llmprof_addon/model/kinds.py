"""Under which heading of the component tree a part is shown."""

from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Part, PartKind

_BY_PART_KIND = {
    PartKind.REASONING: Kind.REASONING,
    PartKind.TOOL_CALL: Kind.TOOL_CALLS,
    PartKind.TOOL_RESULT: Kind.TOOL_RESULTS,
    PartKind.IMAGE: Kind.IMAGES,
    PartKind.AUDIO: Kind.AUDIO,
    PartKind.DOCUMENT: Kind.DOCUMENTS,
    PartKind.TOOL_SCHEMA: Kind.TOOL_SCHEMAS,
    PartKind.OUTPUT_SCHEMA: Kind.OUTPUT_SCHEMA,
    PartKind.GENERIC: Kind.GENERIC,
}

_BY_ROLE = {
    "user": Kind.USER,
    "assistant": Kind.ASSISTANT,
    "model": Kind.ASSISTANT,
    "tool": Kind.TOOL_RESULTS,
    "function": Kind.TOOL_RESULTS,
    "system": Kind.SYSTEM_INJECTION,
    "developer": Kind.SYSTEM_INJECTION,
}

AGENTS_TAGS = ("system-reminder", "environment_context", "user_instructions")
"""What coding agents wrap their own words in, among those of the user: Claude Code's tag, then those of Codex."""


def kind_of(part: Part, section: str) -> Kind:
    """The component kind of a part in a section: `tools`, `system`, `messages` or `answer`.

    Text is told apart by where it stands: the same role is the system prompt before the first message and an injection
    after it.
    """
    if part.kind is not PartKind.TEXT:
        return _BY_PART_KIND[part.kind]
    if section == "answer":
        return Kind.TEXT
    if section == "system":
        return Kind.SYSTEM
    if part.role == "user" and is_reminder(part.text or ""):
        return Kind.SYSTEM_INJECTION
    return _BY_ROLE.get(part.role, Kind.GENERIC)


def is_reminder(text: str) -> bool:
    """Whether a user text is wholly one that an agent put in by itself, in tags of its own."""
    bare = text.strip()
    return any(bare.startswith(f"<{tag}>") and bare.endswith(f"</{tag}>") for tag in AGENTS_TAGS)
