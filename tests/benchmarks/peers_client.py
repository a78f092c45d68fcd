"""A raw HTTP/1 client on asyncio that says when the bytes of an answer came, and costs little itself."""

import asyncio
import re
import time
from dataclasses import dataclass, field

from tests.benchmarks.peers_script import DELTA

_HEAD = (
    b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: sk-fake-benchmark\r\n"
    b"anthropic-version: 2023-06-01\r\nuser-agent: bench/1\r\ncontent-type: application/json\r\n"
    b"accept-encoding: identity\r\ncontent-length: %d\r\n\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.I)
_END = b"0\r\n\r\n"
CALL_SECONDS = 60
"""After which a call has failed."""


@dataclass(slots=True)
class Reply:
    """What came back, and when: seconds since the request was written."""

    status: int = 0
    first: float = 0
    """To the first byte of the body."""
    total: float = 0
    body: bytearray = field(default_factory=bytearray)
    """As it was on the wire: with the marks of its chunks."""
    gaps: list[float] = field(default_factory=list)
    """Between the chunks of a stream; 0 for those that came together."""


class Connection(asyncio.Protocol):
    """One connection that is kept for calls one after the other, and opened anew if the proxy closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._lost = True

    async def call(self, body: bytes) -> Reply:
        """Send a prompt and wait for the whole answer; `ConnectionError` or `TimeoutError` if there is none."""
        loop = asyncio.get_running_loop()
        if self._lost:
            await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._reply, self._head, self._left, self._last = Reply(), bytearray(), -1, 0.0
        self._done: asyncio.Future[Reply] = loop.create_future()
        # A timer, since `wait_for` would cost a task for each call.
        timer = loop.call_later(CALL_SECONDS, self._fail, TimeoutError(f"no answer within {CALL_SECONDS} s"))
        self._began = time.perf_counter()
        assert self._transport is not None
        self._transport.write(_HEAD % len(body) + body)
        try:
            return await self._done
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._lost = transport, False

    def connection_lost(self, error: Exception | None) -> None:
        """The end of an answer of unknown length, or a failure."""
        self._lost = True
        if getattr(self, "_done", None) is not None and not self._done.done():
            if self._left == _TO_THE_END and self._reply.status:
                self._finish()
            else:
                self._fail(ConnectionError("the connection was closed before the answer's end"))

    def data_received(self, data: bytes) -> None:
        """Note the time of what came, and whether it is all."""
        now = time.perf_counter() - self._began
        if not self._reply.status:
            self._head += data
            at = self._head.find(b"\r\n\r\n")
            if at < 0:
                return
            self._reply.status = int(self._head[9:12])
            if length := _LENGTH.search(self._head, 0, at):
                self._left = int(length[1])
            else:
                self._left = _CHUNKS if _CHUNKED.search(self._head, 0, at) else _TO_THE_END
            data = bytes(self._head[at + 4 :])
        if data and not self._reply.first:
            self._reply.first = now
        self._reply.body += data
        if pieces := data.count(DELTA):
            if self._last:
                self._reply.gaps.append(now - self._last)
            self._reply.gaps += [0.0] * (pieces - 1)
            self._last = now
        if self._left == _CHUNKS:
            if self._reply.body.endswith(_END):
                self._finish()
        elif self._left >= 0 and len(self._reply.body) >= self._left:
            self._finish()

    def _finish(self) -> None:
        self._reply.total = time.perf_counter() - self._began
        if not self._done.done():
            self._done.set_result(self._reply)

    def _fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)
            self.close()
            self._lost = True


_CHUNKS, _TO_THE_END = -2, -3
