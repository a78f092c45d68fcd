"""Who asked, and which session a call belongs to: two tables over headers and body; `lineage` is a third.

A session id decides alone only where its sender is known to make one per session; others only narrow down candidates.
The tables follow what the clients were seen to send (Claude Code 2.1.197 and 2.1.329, Codex 0.169.0).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from llmprof_addon.model.call import Identity
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.providers.carving import name_of
from llmprof_addon.providers.lineage import TURN, at, lineage

ALL_APPS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a session id may stand."""

    name: str
    read: Callable[[Exchange, Json], Json]
    apps: tuple[str, ...] | None = ALL_APPS
    """The apps for which it decides alone: `ALL_APPS`, these only, or `None` for no app."""


def _header(name: str, apps: tuple[str, ...] | None = ALL_APPS) -> _Source:
    return _Source(name, lambda exchange, body: exchange.header(name), apps)


def _field(path: str, apps: tuple[str, ...] | None = ALL_APPS) -> _Source:
    return _Source(path, lambda exchange, body: at(body, path), apps)


def _user_id(exchange: Exchange, body: Json) -> Json:
    return at(body, "metadata.user_id")


def _user_session(exchange: Exchange, body: Json) -> Json:
    """The session inside `metadata.user_id`: a JSON string, or the older `user_…_session_<uuid>`."""
    user_id = _user_id(exchange, body)
    if not isinstance(user_id, str):
        return None
    if user_id.startswith("{"):
        return _in_json(user_id, "session_id")
    _, found, session = user_id.rpartition("_session_")
    return session if found else None


def _turn_session(exchange: Exchange, body: Json) -> Json:
    held = at(body, "client_metadata")
    inside = name_of(held.get(TURN)) if isinstance(held, dict) else None
    return _in_json(inside, "session_id") or _in_json(exchange.header(TURN), "session_id")


def _in_json(text: str | None, key: str) -> Json:
    try:
        value = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return value.get(key) if isinstance(value, dict) else None


SESSIONS: tuple[_Source, ...] = (
    _header("x-claude-code-session-id"),
    _Source("metadata.user_id", _user_session),
    _field("client_metadata.session_id"),
    _Source("x-codex-turn-metadata", _turn_session),
    _header("session-id"),
    _header("session_id"),
    _header("x-opencode-session"),
    _header("x-session-affinity"),
    _header("x-amp-thread-id"),
    _field("conversation_id"),
    _field("conversation.id"),
    _field("conversation"),
    _field("request.session_id"),
    # Others than these send one key per app, or one per user.
    _field("prompt_cache_key", apps=("codex", "opencode")),
    _header("x-session-id", apps=("opencode",)),
    _Source("metadata.user_id", _user_id, apps=None),
)
"""In the order in which they count."""

# The most telling name first: agents, then libraries, then bare HTTP clients.
_AGENTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), app)
    for pattern, app in (
        (r"^claude-(?:cli|code)/", "claude-code"),
        (r"^codex[_-]|^codex/", "codex"),
        (r"^opencode\b", "opencode"),
        (r"^(?:charm[- ])?crush\b", "crush"),
        (r"^amp[/-]", "amp"),
        (r"^aider\b", "aider"),
        (r"^cline\b", "cline"),
        (r"^roo-?code\b", "roo-code"),
        (r"^kilo-?code\b", "kilo-code"),
        (r"^gemini-?cli\b", "gemini-cli"),
        (r"^qwen-?code\b", "qwen-code"),
        (r"^(?:githubcopilot|copilot)", "copilot"),
        (r"^cursor\b", "cursor"),
        (r"^zed\b", "zed"),
        (r"^goose\b", "goose"),
        (r"^openhands\b", "openhands"),
        (r"^kimi-?cli\b|^kimi-code\b", "kimi-cli"),
        (r"^grok-?(?:cli|shell|code)\b", "grok-cli"),
        (r"^codebuddy\b", "codebuddy"),
        (r"^antigravity\b|^agy\b", "antigravity"),
        (r"^qoder", "qoder"),
        (r"^hermes\b", "hermes"),
        (r"^bryti\b", "bryti"),
        (r"^pi(?:-coding-agent)?/", "pi"),
    )
)
_LIBRARIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), app)
    for pattern, app in (
        (r"^litellm\b", "litellm"),
        (r"^pydantic-ai\b", "pydantic-ai"),
        (r"^langchain", "langchain"),
        (r"^charm[- ]fantasy\b", "fantasy"),
        (r"^ai-sdk\b|^ai/\d", "ai-sdk"),
        (r"^agents/python", "openai-agents"),
        (r"^google-genai-sdk\b", "google-genai"),
        (r"^ollama-python\b", "ollama-python"),
    )
)

_SDK = re.compile(
    r"^(?:async)?(?:azure)?([a-z]+?)(?:bedrock|vertex|foundry)?/(python|js|go|java|kotlin|ruby|php)\b", re.IGNORECASE
)
"""Generated SDKs: `AsyncAnthropic/Python 0.76.0`."""


def identify(exchange: Exchange, body: Json) -> Identity:
    """App, session and agent of a call. A session that the client forced stands in `exchange.session`, not here."""
    app = app_of(exchange)
    session = weak = source = None
    for row in SESSIONS:
        value = name_of(row.read(exchange, body))
        if value is None:
            continue
        if row.apps == ALL_APPS or (row.apps and app in row.apps):
            session, source = value, row.name
            break
        if weak is None:
            weak, source = value, row.name
    said = lineage(exchange, body)
    return Identity(app=app, session=session, weak_session=weak, session_source=source, **said)


def app_of(exchange: Exchange) -> str | None:
    """The client's name: a known agent or library, a title it gave itself, else the first word of its user agent."""
    agent = exchange.header("user-agent") or exchange.client.user_agent or ""
    originator = exchange.header("originator") or ""
    for pattern, app in _AGENTS:
        if pattern.search(agent) or pattern.search(originator):
            return app
    if (exchange.header("x-app") or "").startswith("cli"):
        return "claude-code"
    if title := exchange.header("x-title"):  # OpenRouter's header, in which agents built on an SDK name themselves
        return _slug(title)
    for pattern, app in _LIBRARIES:
        if pattern.search(agent):
            return app
    if sdk := _SDK.match(agent):
        return "-".join(sdk.groups()).lower()
    product = re.match(r"[A-Za-z][\w.+-]*", agent)
    if product:
        return _slug(product.group())
    if language := exchange.header("x-stainless-lang"):
        return f"sdk-{_slug(language)}"
    return exchange.client.app


def _slug(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9.+]+", name.lower()))[:40] or "unknown"
