"""The calls of one WebSocket: a client's request with the server's messages up to the one that ends the answer.

So the Responses API is spoken over WebSocket: one request after the other, each answered to its end before the next,
so that what a server says belongs to the oldest request that has no end. Messages are looked at, never held back.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from mitmproxy import http

from llmprof_addon.capture.exchange import Pending, finished, ns, stable_id
from llmprof_addon.capture.tee import BOUND_BYTES
from llmprof_addon.model.exchange import Exchange, Outcome

CREATE, CREATED, ERROR = "response.create", "response.created", "error"
ENDS = frozenset({ERROR, *(f"response.{end}" for end in ("completed", "incomplete", "failed", "cancelled", "done"))})
"""Types of the server's messages after which an answer is over."""

_FIRST = re.compile(rb'\s*\{\s*"type"\s*:\s*"([^"\\]*)"')
_TYPES = tuple(f'"{type_}"'.encode() for type_ in (CREATE, CREATED, *sorted(ENDS)))


class Socket:
    """One connection. Times are ns since the epoch."""

    def __init__(self, begin: Callable[[bytes, int], Pending], bound_bytes: int = BOUND_BYTES):
        """`begin` makes a call of a client's message and its time. Of requests beyond the bound only sizes stay."""
        self._begin = begin
        self._bound_bytes = bound_bytes
        self._waiting: deque[Pending] = deque()

    @property
    def waiting(self) -> Collection[Pending]:
        """Calls that are on their way."""
        return self._waiting

    @property
    def in_flight(self) -> int:
        """How many they are."""
        return len(self._waiting)

    def take(self, content: bytes, at_ns: int, *, from_client: bool) -> Exchange | None:
        """Take a text message of either side; the call that it ends, if it does."""
        if from_client:
            self._ask(content, at_ns)
            return None
        return self._answer(content, at_ns) if self._waiting else None

    def _ask(self, content: bytes, at_ns: int) -> None:
        if type_of(content) != CREATE:
            return
        held = sum(len(one.message or b"") for one in self._waiting)
        fits = held + len(content) <= self._bound_bytes
        pending = self._begin(content if fits else b"", at_ns)
        pending.message_dropped = 0 if fits else len(content)
        self._waiting.append(pending)

    def _answer(self, content: bytes, at_ns: int) -> Exchange | None:
        call, type_, over = self._waiting[0], type_of(content), None
        if type_ == CREATED and call.answered and len(self._waiting) > 1:
            # The answer before had no end, as that of a request that was cancelled.
            over = finished(self._waiting.popleft(), "aborted", "the server went on to the next request", at_ns)
            call = self._waiting[0]
        call.answered = call.answered or type_ == CREATED
        # A line end can only stand between the tokens of JSON.
        call.tee(content.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n", at_ns)
        if type_ in ENDS:
            call.status = _status(content) if type_ == ERROR else None
            over = finished(self._waiting.popleft(), "complete", None, at_ns)
        return over

    def close(self, outcome: Outcome, error: str, at_ns: int) -> list[Exchange]:
        """What is on its way ends with the connection."""
        waiting, self._waiting = self._waiting, deque()
        return [finished(pending, outcome, error, at_ns) for pending in waiting]


def ending(flow: http.HTTPFlow) -> tuple[Outcome, str]:
    """How a connection that is over ended for the calls that were on their way."""
    websocket = flow.websocket
    code = websocket.close_code if websocket else None
    by_client = bool(websocket and websocket.closed_by_client)
    reason = f"{code} {websocket.close_reason or ''}".strip() if websocket else ""
    return (
        "aborted" if by_client else "error",
        f"the {'client' if by_client else 'server'} closed the socket ({reason})",
    )


def saved_turns(flow: http.HTTPFlow, begin: Callable[[bytes, int], Pending]) -> Iterable[Exchange]:
    """The calls of a flow out of a file, with ids that follow from the flow."""
    messages = flow.websocket.messages if flow.websocket else []
    socket = Socket(begin)
    over = [
        socket.take(message.content, ns(message.timestamp), from_client=message.from_client)
        for message in messages
        if message.is_text
    ]
    if flow.websocket and messages:
        end = flow.websocket.timestamp_end or messages[-1].timestamp
        over += socket.close(*ending(flow), ns(end))
    for number, exchange in enumerate(one for one in over if one is not None):
        yield replace(exchange, id=stable_id(f"{flow.id} {number}", exchange.started_ns))


def type_of(message: bytes) -> str | None:
    """The `type` of a message, if it is one that begins or ends a call; of others perhaps `None`.

    It stands first in what clients and servers send. Elsewhere only messages that could be meant are read as JSON.
    """
    if found := _FIRST.match(message):
        return found[1].decode("utf-8", "replace")
    return _field(message, "type", str) if any(type_ in message for type_ in _TYPES) else None


def _status(message: bytes) -> int | None:
    """The status that an HTTP answer with this error would have."""
    status = _field(message, "status", int)
    return status if status is not None and 400 <= status < 600 else None


def _field[T](message: bytes, name: str, kind: type[T]) -> T | None:
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return None
    held = value.get(name) if isinstance(value, dict) else None
    return held if isinstance(held, kind) else None
