"""One exchange, its bodies decoded, to one `Call`: which provider and dialect, then both bodies by that dialect.

Never raises. What cannot be read is kept as text and said in `error` or `warnings`, so that no recorded call is lost.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from llmprof_addon.errors import WireError
from llmprof_addon.model.call import SECTIONS, Answer, Call, Prompt
from llmprof_addon.model.exchange import KEPT_ENDS, Exchange
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers import dialects, registry
from llmprof_addon.providers.carving import name_of
from llmprof_addon.providers.dialects import Dialect
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.header_usage import with_headers
from llmprof_addon.providers.identity import identify
from llmprof_addon.providers.registry import NONE
from llmprof_addon.wire import framing, jsontext
from llmprof_addon.wire.framing import Frame
from llmprof_addon.wire.sse import Event

DEFAULT_WRITE_TTL = dict.fromkeys(("anthropic.messages", "bedrock.converse", "bedrock.invoke"), "5m")
"""How long a cache write lives of which neither request nor response says it (Anthropic and Bedrock, prompt caching,
2026)."""

_MARKER_TTL = {"cache_control": "5m", "prompt_cache_breakpoint": "30m"}
"""How long a marker that does not say it asks for (Anthropic and OpenAI, prompt caching, 2026)."""

_LAST_EVENTS = frozenset(
    {
        *("message_stop", "response.completed", "response.incomplete", "response.failed"),
        *("message-end", "stream-end", "metadata"),
    }
)
"""Names of the events after which a stream says nothing more: Anthropic, OpenAI, Cohere, Bedrock Converse. Chat
Completions ends with `[DONE]`, Ollama with `done`, Gemini with the chunk that has reason and usage."""

_MODEL_IN_PATH = re.compile(r"/(?:deployments|models|serving-endpoints)/([^/:]+)[:/]|/model/(.+)/(?:converse|invoke)")
_STREAM_IN_PATH = re.compile(r":stream[A-Z]\w*$|-stream$")
"""`:streamGenerateContent`, `:streamRawPredict`, `/converse-stream`, `/invoke-with-response-stream`."""
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_ERROR_CHARS = 300


def read_call(exchange: Exchange, request: bytes, response: bytes, *, extra: Mapping[str, str] = NONE) -> Call:
    """Read an exchange; `extra` maps hosts that only the user knows to dialects, as `registry.match_host` takes it."""
    where = _place(exchange, extra)
    warnings: list[str] = []
    body, error = _request_json(exchange, request, warnings)
    prompt = _prompt(where, request, body, error, warnings)
    stream, answer = _answer(where, exchange, response, warnings)
    params = prompt.params if isinstance(prompt.params, dict) else {}
    ttl = _cache_ttl(prompt, params)
    usage = with_headers(answer.usage, exchange)
    answer = replace(
        answer,
        usage=_fill_writes(usage, ttl or DEFAULT_WRITE_TTL.get(where.api)),
        request_id=exchange.response_header("request-id"),
    )
    return Call(
        provider=where.provider,
        api=where.api,
        operation=where.dialect.operation if where.dialect else "chat",
        request_model=name_of(params.get("model")) or _model_in(exchange.url),
        stream=stream or params.get("stream") is True or _asks_for_stream(exchange),
        prompt=prompt,
        answer=answer,
        identity=identify(exchange, body),
        section_order=where.dialect.section_order if where.dialect else SECTIONS,
        price_provider=where.price_provider,
        service_tier=name_of(params.get("service_tier")),
        cache_ttl=ttl,
        error=error or _one_line(_named(exchange, answer.error)) or _status_error(exchange, response) or exchange.error,
        warnings=(*warnings, *answer.warnings),
    )


def settled(exchange: Exchange, response: bytes) -> Exchange:
    """The exchange; complete, if all that its client did not wait for was the end of the connection.

    The OpenAI SDK hangs up on `[DONE]`, before the last chunk of the transfer encoding has come.
    """
    if exchange.outcome != "aborted" or (frame := _frame(exchange, response)) is None:
        return exchange
    last = next(iter(framing.events(response, frame)[-1:]), None)
    if last is None or not last.complete or not _ends(last):
        return exchange
    return replace(exchange, outcome="complete", error=None)


def _ends(event: Event) -> bool:
    """Whether a stream says nothing more after this event."""
    if event.data.strip() == "[DONE]":
        return True
    try:
        value = jsontext.loads(event.data)
    except WireError:
        return False
    if not isinstance(value, dict):
        return False
    names = (event.event, value.get("type"), value.get("event_type"))
    if value.get("done") is True or any(isinstance(name, str) and name in _LAST_EVENTS for name in names):
        return True
    chunk = value.get("response", value)  # Code Assist wraps Gemini's chunks
    candidates = chunk.get("candidates") if isinstance(chunk, dict) else None
    return isinstance(candidates, list) and any(
        isinstance(candidate, dict) and candidate.get("finishReason") for candidate in candidates
    )


@dataclass(frozen=True, slots=True)
class _Where:
    provider: str
    api: str
    dialect: Dialect | None
    price_provider: str | None


def _place(exchange: Exchange, extra: Mapping[str, str]) -> _Where:
    """Provider and dialect: by the forced provider, else by host; the dialect by the path's shape."""
    try:
        url = urlsplit(exchange.url)
        host, port = url.hostname or "", url.port
    except ValueError:  # a port out of range, a broken IPv6 address
        url, host, port = urlsplit(""), "", None
    forced = registry.by_name(exchange.provider) if exchange.provider else None
    provider = forced or registry.match_host(host, port, extra)
    api = registry.api_of(url.path, provider=provider) or registry.api_of(url.path)
    if api is None and extra:
        api = registry.is_llm_call("POST", host, url.path, extra, port=port)
    known = provider.name if provider else host
    name = forced.name if forced else exchange.provider or known or "unknown"
    price = registry.price_provider(provider, api)
    return _Where(name, api or "unknown", dialects.by_api(api) if api else None, price)


def _request_json(exchange: Exchange, request: bytes, warnings: list[str]) -> tuple[Json, str | None]:
    if exchange.request_truncated:
        warnings.append(f"request body of {exchange.request_truncated} bytes was not kept")
        return None, None
    try:
        return jsontext.loads(request), None
    except WireError as error:
        return None, f"request body: {error.message}"


def _prompt(where: _Where, request: bytes, body: Json, error: str | None, warnings: list[str]) -> Prompt:
    if request and error is None and where.dialect is not None:
        try:
            return where.dialect.read_request(body)
        except Exception as fault:
            warnings.append(f"request could not be read as {where.api}: {type(fault).__name__}: {fault}")
    if not request:
        return Prompt()
    if error is None and where.dialect is None and isinstance(body, dict):
        warnings.append("no reader for this path: the request is kept as it is")
    text = request.decode("utf-8", "replace")
    return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text, value=text, form="whole"),))


def _answer(where: _Where, exchange: Exchange, response: bytes, warnings: list[str]) -> tuple[bool, Answer]:
    """Whether it was streamed, and what was answered."""
    if exchange.response_truncated:
        warnings.append(f"{exchange.response_truncated} bytes in the middle of the response were not kept")
    frame = _frame(exchange, response)
    stream = frame is not None
    if where.dialect is None or not response:
        return stream, Answer()
    try:
        body = where.dialect.fold(_events(exchange, response, frame)) if frame else jsontext.loads(response)
        return stream, where.dialect.read_response(body)
    except WireError as error:
        return stream, _unreadable(where.dialect, exchange, response, error, warnings)
    except Exception as fault:
        warnings.append(f"response could not be read as {where.api}: {type(fault).__name__}: {fault}")
        return stream, Answer()


def _frame(exchange: Exchange, response: bytes) -> Frame | None:
    if exchange.transport == "websocket":
        return "lines"  # one message each
    content_type = exchange.response_header("content-type")
    return framing.frame_of(response, content_type, asked=_asks_for_stream(exchange))


def _asks_for_stream(exchange: Exchange) -> bool:
    """Whether the address asks for a stream; most APIs say so in the body."""
    return _STREAM_IN_PATH.search(exchange.url.partition("?")[0]) is not None


def _events(exchange: Exchange, response: bytes, frame: Frame) -> list[Event]:
    if not _has_gap(exchange, response):
        return framing.events(response, frame)
    # Two events are cut: the fold drops the one in which the gap starts, `behind_gap` the one in which it ends.
    tail = framing.behind_gap(response[KEPT_ENDS:], frame)
    return framing.events(response[:KEPT_ENDS], frame) + framing.events(tail, frame)


def _has_gap(exchange: Exchange, response: bytes) -> bool:
    """Whether head and tail stand side by side; of an encoded body nothing behind the gap can be decoded."""
    encoding = exchange.response_header("content-encoding") or "identity"
    return bool(exchange.response_truncated) and len(response) > KEPT_ENDS and encoding == "identity"


def _unreadable(dialect: Dialect, exchange: Exchange, response: bytes, error: WireError, warnings: list[str]) -> Answer:
    """What is left of a JSON body that does not parse: nothing but the reason, or the usage behind a gap."""
    if exchange.status is not None and exchange.status >= 400:
        return Answer()  # a gateway's own page; the status says it
    warnings.append(f"response body: {error.message}")
    body = _usage_in(response) if _has_gap(exchange, response) else None
    return dialect.read_response(body) if body else Answer(error=f"response body: {error.message}")


def _usage_in(response: bytes) -> Json:
    """The `usage` object near the end of a JSON body whose middle is missing."""
    text = response[KEPT_ENDS:].decode("utf-8", "replace")
    found = list(re.finditer(r'"usage"\s*:\s*', text))
    try:
        return {"usage": json.JSONDecoder().raw_decode(text, found[-1].end())[0]} if found else None
    except ValueError:
        return None


def _status_error(exchange: Exchange, response: bytes) -> str | None:
    """One line for a failed call whose body is not the dialect's: a gateway's JSON, HTML or plain text."""
    if exchange.status is None or exchange.status < 400:
        return None
    text = response[: 64 * 1024].decode("utf-8", "replace")
    try:
        text = error_of(jsontext.loads(text)) or text
    except WireError:
        text = _TAG.sub(" ", text)
    line = _one_line(text)
    return f"HTTP {exchange.status}: {line}" if line else f"HTTP {exchange.status}"


def _named(exchange: Exchange, error: str | None) -> str | None:
    """An error with the type that AWS says in a header (`ValidationException:http://…`), and only there."""
    kind = (exchange.response_header("x-amzn-errortype") or "").partition(":")[0]
    return f"{kind}: {error}" if kind and error and not error.startswith(kind) else error


def _one_line(text: str | None) -> str | None:
    return " ".join(text.split())[:_ERROR_CHARS] if text else None


def _model_in(url: str) -> str | None:
    found = _MODEL_IN_PATH.search(url.partition("?")[0])
    return unquote(found[1] or found[2]) if found else None


def _cache_ttl(prompt: Prompt, params: dict[str, Json]) -> str | None:
    """The longest TTL among the cache markers."""
    automatic = params.get("cache_control")
    markers = [marker for part in prompt.parts for marker in part.markers if marker.value]
    ttls = [marker.ttl or _MARKER_TTL.get(marker.key, "5m") for marker in markers]
    if isinstance(automatic, dict):
        ttls.append(name_of(automatic.get("ttl")) or "5m")
    return max((ttl for ttl in ttls if isinstance(ttl, str)), key=_seconds, default=None)


def _seconds(ttl: str) -> int:
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(ttl[-1:], 0)
    return int(ttl[:-1]) * unit if ttl[:-1].isdecimal() else 0


def _fill_writes(usage: Usage | None, ttl: str | None) -> Usage | None:
    """Writes whose split was not reported, under the TTL that was asked for."""
    if usage is None or not usage.cache_creation_input_tokens:
        return usage
    if usage.cache_creation_5m_input_tokens is not None or usage.cache_creation_1h_input_tokens is not None:
        return usage
    writes = usage.cache_creation_input_tokens
    if ttl == "1h":
        return replace(usage, cache_creation_5m_input_tokens=0, cache_creation_1h_input_tokens=writes)
    if ttl == "5m":
        return replace(usage, cache_creation_5m_input_tokens=writes, cache_creation_1h_input_tokens=0)
    return usage
