"""A mitmproxy flow as an `Exchange`: of a live call what the tee kept, of a saved one what the file holds."""

import hashlib
from dataclasses import dataclass, field

from mitmproxy import http

from llmprof_addon import clock
from llmprof_addon.capture.tee import Tee
from llmprof_addon.model.exchange import Client, Exchange, Headers, Mode, Outcome, Transport

SESSION, TAG, PROVIDER = "x-llmprof-session", "x-llmprof-tag", "x-llmprof-provider"
_OURS = b"x-llmprof-"


@dataclass(slots=True, kw_only=True)
class Wishes:
    """What the client asked of llmprof, in headers that go no further."""

    session: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    provider: str | None = None


@dataclass(slots=True, kw_only=True)
class Pending:
    """A call that is on its way."""

    flow: http.HTTPFlow
    mode: Mode
    url: str
    wishes: Wishes
    started_ns: int = field(default_factory=clock.now_ns)
    tee: Tee = field(default_factory=Tee)
    message: bytes | None = None
    """The client's message, if it came over a WebSocket: the request body."""
    message_dropped: int = 0
    """Its size, if it was too large to be kept."""
    answered: bool = False
    """Whether the server has begun to answer that message."""
    status: int | None = None
    """The status that the server gave that message, rather than the connection."""


def take_wishes(request: http.Request) -> Wishes:
    """Read llmprof's own headers off a request, and remove them from it."""
    headers = request.headers
    if not any(name[:10].lower() == _OURS for name, _ in headers.fields):
        return Wishes()
    wishes = Wishes(
        session=(headers.get(SESSION) or "").strip() or None,
        tags=_tags(", ".join(headers.get_all(TAG))),
        provider=(headers.get(PROVIDER) or "").strip().lower() or None,
    )
    headers.fields = tuple(pair for pair in headers.fields if pair[0].lower() not in _NAMES)
    return wishes


_NAMES = tuple(name.encode() for name in (SESSION, TAG, PROVIDER))


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    """`k:v, k:v`; a tag without a value is its own name with an empty one."""
    pairs = (piece.strip().partition(":") for piece in text.split(","))
    return tuple((name.strip(), value.strip()) for name, _, value in pairs if name.strip())


def finished(pending: Pending, outcome: Outcome, error: str | None = None, ended_ns: int | None = None) -> Exchange:
    """The exchange of a call that has come to its end, at this moment unless `ended_ns` says when."""
    flow, tee = pending.flow, pending.tee
    response = flow.response
    # What was not streamed is another addon's answer, or one without a body.
    body = tee.body() if tee.size_bytes or response is None else response.raw_content or b""
    # A clock that was set back in between makes a call short, not shorter than nothing.
    started, first = pending.started_ns, tee.first_chunk_ns
    ended = max(clock.now_ns() if ended_ns is None else ended_ns, started)
    return Exchange(
        id=clock.new_id(started),
        started_ns=started,
        first_chunk_ns=None if first is None else min(max(first, started), ended),
        ended_ns=ended,
        mode=pending.mode,
        transport=_transport(response) if pending.message is None else "websocket",
        outcome=outcome,
        error=error,
        method=flow.request.method,
        url=pending.url,
        request_headers=_headers(flow.request.headers),
        response_headers=_headers(response.headers) if response else (),
        status=pending.status or (response.status_code if response else None),
        client=_client(flow),
        tags=pending.wishes.tags,
        session=pending.wishes.session,
        provider=pending.wishes.provider,
        request_body=(flow.request.raw_content or b"") if pending.message is None else pending.message,
        response_body=body,
        request_truncated=pending.message_dropped,
        response_truncated=tee.dropped_bytes,
    )


def saved(flow: http.HTTPFlow) -> Exchange:
    """The exchange of a flow out of a file. Its id follows from the flow, so that reading twice adds nothing."""
    request, response = flow.request, flow.response
    url, wishes = request.pretty_url, take_wishes(request)
    started_ns = ns(request.timestamp_start)
    body = (response.raw_content or b"") if response else b""
    ended = (response.timestamp_end if response else None) or (flow.error.timestamp if flow.error else None)
    first = response.timestamp_start if response and body else None
    return Exchange(
        id=_stable_id(flow, started_ns),
        started_ns=started_ns,
        first_chunk_ns=ns(first) if first and not _is_har(flow) else None,
        ended_ns=max(ns(ended or request.timestamp_end or request.timestamp_start), started_ns),
        mode="import",
        transport=_transport(response),
        outcome="error" if flow.error else "complete" if response else "aborted",
        error=flow.error.msg if flow.error else None,
        method=request.method,
        url=url,
        request_headers=_headers(request.headers),
        response_headers=_headers(response.headers) if response else (),
        status=response.status_code if response else None,
        client=_client(flow),
        tags=wishes.tags,
        session=wishes.session,
        provider=wishes.provider,
        request_body=request.raw_content or b"",
        response_body=body,
    )


def _stable_id(flow: http.HTTPFlow, started_ns: int) -> str:
    """32 hex digits in the order of time like live ids, made of the flow's id; a HAR entry has none but its content."""
    name = flow.id.encode()
    if _is_har(flow):
        request, response = flow.request, flow.response
        bodies = (request.raw_content or b"", (response.raw_content if response else b"") or b"")
        digests = [hashlib.sha256(body).digest() for body in bodies]
        name = b"\0".join((str(started_ns).encode(), request.method.encode(), request.url.encode(), *digests))
    return stable_id(name, started_ns)


def stable_id(name: str | bytes, started_ns: int) -> str:
    """32 hex digits that follow from a name, in the order of time."""
    data = name.encode() if isinstance(name, str) else name
    return f"{started_ns // 1_000_000 & (1 << 48) - 1:012x}{hashlib.sha256(b'llmprof flow ' + data).hexdigest()[:20]}"


def _is_har(flow: http.HTTPFlow) -> bool:
    """Flows that mitmproxy makes of HAR entries have ids of chance, and a client with no port."""
    return bool(flow.client_conn.peername) and flow.client_conn.peername[1] == 0


def _transport(response: http.Response | None) -> Transport:
    content_type = response.headers.get("content-type", "") if response else ""
    return "sse" if content_type.lower().startswith("text/event-stream") else "http"


def _client(flow: http.HTTPFlow) -> Client:
    peer = flow.client_conn.peername
    return Client(user_agent=flow.request.headers.get("user-agent"), peer=peer[0] if peer else None)


def _headers(headers: http.Headers) -> Headers:
    return tuple(
        (name.decode("utf-8", "backslashreplace"), value.decode("utf-8", "backslashreplace"))
        for name, value in headers.fields
    )


def ns(seconds: float | None) -> int:
    """A time of mitmproxy's in ns since the epoch."""
    # Microseconds are what a float of that size still holds.
    return round((seconds or 0.0) * 1_000_000) * 1000
