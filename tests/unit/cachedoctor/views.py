"""Views of calls by hand: parts are letters, of a thousand tokens each."""

from typing import Any

from llmprof_addon.model.cache import CacheView, Mark, Step
from llmprof_addon.model.tree import digest

MINUTE = 60 * 10**9
EACH = 1000
"""Tokens of a part."""


def step(letter: str, section: str = "messages", **more: Any) -> Step:
    """A part whose content is its letter."""
    kind = "tool_schema" if section == "tools" else "text"
    given = {"kind": kind, "role": "" if section == "tools" else "user", "tokens": EACH, "name": letter[:1]}
    where = {"section": section, "content": digest(letter.encode()), "wrapper": None, "path": f"{section}.{letter}"}
    return Step(**(given | where | more))


def view(
    tools: str = "AB", system: str = "s", messages: str = "abc", *, at: int = 0, read: int | None = 0, **more: Any
) -> CacheView:
    """A call to Claude, all of whose prompt is marked, at this minute; each letter is a part."""
    steps = tuple(
        step(letter, section)
        for section, letters in (("tools", tools), ("system", system), ("messages", messages))
        for letter in letters
    )
    total = sum(one.tokens for one in steps)
    given: dict[str, Any] = {
        "call_id": f"call {at}",
        "api": "anthropic.messages",
        "model": "claude-sonnet-4-5",
        "section_order": ("tools", "system", "messages"),
        "started_ns": at * MINUTE,
        "first_chunk_ns": at * MINUTE + 10**9,
        "ended_ns": at * MINUTE + 5 * 10**9,
        "input": total,
        "read": read,
        "write": total - (read or 0),
        "marks": (Mark(len(tools + system)), Mark(len(steps))),
        "params": {},
        "write_cost": 1250 * (total - (read or 0)),
        "fresh_cost": 0,
        "read_rate": 100,
        "steps": steps,
    }
    return CacheView(**(given | more))
