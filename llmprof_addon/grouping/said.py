"""What an answer said, as a digest that survives the ways in which clients send answers back.

Text is taken without its surrounding white space and joined over blocks, arguments as JSON values. Ids, signatures,
reasoning, empty blocks and what servers did in between are left out: clients drop or rewrite them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.standin import bare
from llmprof_addon.model.tree import canonical, digest
from llmprof_addon.providers.unsaid import PLACEHOLDERS

ROLES = ("assistant", "model")
"""Roles under which a model speaks."""

MOST_TOOLS = 32
"""Tools that an answer in JSON is compared with; those who ask for a form offer few."""


def is_said(part: Part) -> bool:
    """Whether a model said this part, so that in a prompt it is part of an earlier answer."""
    return part.role in ROLES or part.kind in (PartKind.TOOL_CALL, PartKind.REASONING)


def answer_digest(parts: Iterable[Part]) -> bytes | None:
    """Digest of an answer's visible text and tool calls; `None` if there are none."""
    parts = list(parts)
    # A tool that the provider ran by itself: its result stands in the answer, and many clients drop both.
    served = {part.call_id for part in parts if part.kind is PartKind.TOOL_RESULT and part.call_id}
    words: list[list[str]] = []
    for part in parts:
        if part.kind is PartKind.TEXT:
            # White space where two blocks meet is lost when a client joins them, so none of it counts.
            text = (part.text or "").strip()
            text = "" if text in PLACEHOLDERS else bare(text)
            if text and words and words[-1][0] == "text":
                words[-1][1] += text
            elif text:
                words.append(["text", text])
        elif part.kind is PartKind.TOOL_CALL and part.call_id not in served:
            words.append(["call", part.name or "", _arguments(part.text)])
    return digest(canonical(words)) if words else None


def answer_digests(parts: Sequence[Part], tools: Sequence[Part]) -> set[bytes]:
    """The digests of all answers that these parts may be in a prompt that offers these tools.

    An answer in a form that a tool's schema holds comes as a call of that tool; many clients send it back as the JSON
    of its arguments, or of the only one.
    """
    own = answer_digest(parts)
    if own is None:
        return set()
    said = [part for part in parts if part.text and part.kind is not PartKind.REASONING]
    text = said[0].text or "" if len(said) == 1 and said[0].kind is PartKind.TEXT else ""
    if not text.lstrip().startswith("{"):
        return {own}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {own}
    found = {own}
    for tool in tools[:MOST_TOOLS]:
        for arguments in (value, *({name: value} for name in _only_parameter(tool))):
            call = Part(kind=PartKind.TOOL_CALL, name=tool.name, text=json.dumps(arguments))
            if (digest_ := answer_digest([call])) is not None:
                found.add(digest_)
    return found


def _only_parameter(tool: Part) -> Iterator[str]:
    """The name of a tool's parameter, if it has just one."""
    waiting = [tool.value]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, dict):
            continue
        names = value.get("properties")
        if isinstance(names, dict):
            if len(names) == 1:
                yield from names
            return
        waiting += value.values()


def _arguments(text: str | None) -> str:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return (text or "").strip()
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def open_calls(parts: Sequence[Part]) -> int:
    """How many tool calls of an answer its client has to run."""
    served = {part.call_id for part in parts if part.kind is PartKind.TOOL_RESULT and part.call_id}
    return sum(part.kind is PartKind.TOOL_CALL and part.call_id not in served for part in parts)


def said_after(parts: Sequence[Part], start: int) -> tuple[Part, ...]:
    """The parts from `start` on up to the first that no model said."""
    end = start
    while end < len(parts) and is_said(parts[end]):
        end += 1
    return tuple(parts[start:end])
