"""Which agent of a session sent a call, for whom and after what: one table over headers, metadata and body.

Claude Code says it in headers (hints, by default only to its own provider) and in the first system block, Codex in
headers and, inside each WebSocket message, in `client_metadata`; the message's word goes before the connection's.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json

BILLING = "x-anthropic-billing-header:"
"""How the first system block of Claude Code begins. The provider strips it, and parts of it change with every call."""
TURN = "x-codex-turn-metadata"
"""A header, and a key of `client_metadata`: JSON as text."""
DURATIONS = "x-claude-code-prev-tool-durations"
MAX_DURATIONS = 32

type _Source = Callable[["_Said"], Json]


class _Said:
    """Where a call may say it, taken apart once."""

    def __init__(self, exchange: Exchange, body: Json) -> None:
        self.header = exchange.header
        self.body = body
        self.metadata = _object(at(body, "client_metadata"))
        self.turn = _object(self.metadata.get(TURN)) or _object(exchange.header(TURN))
        self.billing = _billing(body)


def _header(name: str) -> _Source:
    return lambda said: said.header(name)


def _metadata(name: str) -> _Source:
    return lambda said: said.metadata.get(name)


def _turn(name: str) -> _Source:
    return lambda said: said.turn.get(name)


def _billed(name: str) -> _Source:
    return lambda said: said.billing.get(name)


def _body(path: str) -> _Source:
    return lambda said: at(said.body, path)


def _anywhere(name: str) -> tuple[_Source, ...]:
    """Headers of Codex are repeated in the metadata under their names."""
    return _metadata(name), _header(name)


def _title(said: "_Said") -> Json:
    """Claude Code's call for a session's title bears no class behind a base URL: no tools, one field to fill in."""
    asked = at(said.body, "output_config.format.schema.properties")
    if said.header("x-claude-code-session-id") and isinstance(asked, dict) and list(asked) == ["title"]:
        return None if at(said.body, "tools") else "auxiliary"
    return None


SOURCES: dict[str, tuple[_Source, ...]] = {
    "agent": (
        _header("x-claude-code-agent-id"),
        _metadata("thread_id"),
        _turn("thread_id"),
        _header("thread-id"),
    ),
    "parent_agent": (
        _header("x-claude-code-parent-agent-id"),
        *_anywhere("x-codex-parent-thread-id"),
        _turn("parent_thread_id"),
    ),
    "agent_name": (_turn("agent_name"),),
    "agent_type": (_header("x-claude-code-agent-type"), _turn("subagent_kind")),
    "request_class": (
        _header("x-claude-code-request-class"),
        _turn("request_kind"),
        _header("x-claude-1p-request-class"),
        _title,
    ),
    "subagent": (*_anywhere("x-openai-subagent"), _billed("cc_is_subagent")),
    "thread_source": (_turn("thread_source"),),
    "forked_from": (_turn("forked_from_thread_id"),),
    "parent_session": (_header("x-parent-session-id"), _turn("parent_session_id")),
    "window": (*_anywhere("x-codex-window-id"), _turn("window_id")),
    "turn": (_metadata("turn_id"), _turn("turn_id")),
    "root_turn": (_metadata("root_turn_id"), _turn("root_turn_id"), _header("root_turn_id")),
    "parent_turn": (_turn("parent_turn_id"),),
    "user_prompt": (_header("x-claude-code-prompt-id"), _billed("cc_prompt_id")),
    "trigger": (_billed("cc_turn_origin"), _turn("turn_trigger")),
    "entrypoint": (_billed("cc_entrypoint"),),
    "compaction": (_header("x-claude-code-compaction"),),
    "compacted": (_header("x-claude-code-context-compacted"),),
    "previous_request": (_billed("cc_prev_req"),),
    "previous_message": (_body("diagnostics.previous_message_id"),),
}
"""Fields of `Identity`, each with the places where it may stand, in the order in which they count."""


def lineage(exchange: Exchange, body: Json) -> dict[str, Any]:
    """The fields of `Identity` that the call says."""
    said = _Said(exchange, body)
    found: dict[str, Any] = {}
    for field, sources in SOURCES.items():
        value = next((text for source in sources if (text := _text(source(said)))), None)
        if value is not None:
            found[field] = value
    if durations := _durations(exchange.header(DURATIONS) or ""):
        found["tool_durations_ms"] = durations
    return found


def at(value: Json, path: str) -> Json:
    """The value below a dotted path; null where there is none."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Json) -> str | None:
    if isinstance(value, bool):
        return "true" if value else None
    return str(value) if isinstance(value, (str, int)) and value != "" else None


def _object(value: Json) -> dict[str, Json]:
    """An object, also one that is written as text; else an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _billing(body: Json) -> dict[str, str]:
    """`name=value; …` of the billing block."""
    system = at(body, "system")
    first = system[0] if isinstance(system, list) and system else system
    text = first.get("text") if isinstance(first, dict) else first
    if not isinstance(text, str) or not text.startswith(BILLING):
        return {}
    pairs = (pair.strip().partition("=") for pair in text[len(BILLING) :].split(";"))
    return {name: value for name, equals, value in pairs if equals}


def _durations(header: str) -> tuple[tuple[str, int], ...]:
    """`Bash=742;Read=9`: milliseconds of the tools that ran since the call before, names percent-encoded."""
    pairs = (pair.strip().partition("=") for pair in header.split(";")[:MAX_DURATIONS])
    return tuple((unquote(name), int(value)) for name, _, value in pairs if name and value.isdecimal())
