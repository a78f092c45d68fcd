"""WebSocket over loopback, both ends: a server that a script answers, and a client that goes through a proxy.

Each end keeps what it sent and what it got, message by message, so that a test can compare them.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError

type Payload = str | bytes


class Refused(Exception):
    """The server answered the upgrade with another status."""

    def __init__(self, status: int, body: bytes):
        super().__init__(status)
        self.status, self.body = status, body


class Peer:
    """One end of a connection."""

    def __init__(self, ws: WSConnection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.ws, self.reader, self.writer = ws, reader, writer
        self.sent: list[Payload] = []
        self.got: list[Payload] = []
        self.keeps = True
        self.close_code: int | None = None
        self._pieces: list[Any] = []

    async def event(self) -> Any:
        """The next event, from the network if need be; `None` at its end."""
        while True:
            with suppress(StopIteration):
                return next(self.ws.events())
            if self.ws.state is ConnectionState.CLOSED:
                return None
            data = await self.reader.read(65536)
            if not data and self.ws.state is ConnectionState.CONNECTING:
                return None
            self.ws.receive_data(data or None)

    async def receive(self) -> Payload | None:
        """The next whole message; `None` when the other end has closed."""
        while (event := await self.event()) is not None:
            if isinstance(event, Message):
                self._pieces.append(event.data)
                if event.message_finished:
                    whole = self._pieces[0][:0].join(self._pieces)
                    self._pieces = []
                    if self.keeps:
                        self.got.append(whole)
                    return whole
            elif isinstance(event, CloseConnection):
                self.close_code = event.code
                with suppress(LocalProtocolError, ConnectionError):
                    self.writer.write(self.ws.send(event.response()))
                break
        await self.leave()
        return None

    async def leave(self) -> None:
        """Close the connection."""
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()

    async def send(self, message: Payload, cuts: Sequence[int] = ()) -> None:
        """Send a message, in frames that end at these places."""
        places = [0, *cuts, len(message)]
        for start, end in pairwise(places):
            kind: Any = TextMessage if isinstance(message, str) else BytesMessage
            data = self.ws.send(kind(data=message[start:end], message_finished=end == places[-1]))
            self.writer.write(data)
            await self.writer.drain()
        if self.keeps:
            self.sent.append(message)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Say goodbye, and wait for the answer."""
        self.writer.write(self.ws.send(CloseConnection(code=code, reason=reason)))
        while await self.receive() is not None:
            pass

    async def abort(self) -> None:
        """Be gone without a word."""
        self.writer.transport.abort()
        await self.leave()


type Script = Callable[[Peer, "Upgrade"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request for a WebSocket as it arrived."""

    target: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """The value of the header, `None` if it is absent."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass
class Sockets:
    """The server; use as a context manager. `refuses` is a status for every upgrade."""

    script: Script
    tls: ssl.SSLContext | None = None
    deflate: bool = True
    refuses: int | None = None
    upgrades: list[Upgrade] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(WSConnection(ConnectionType.SERVER), reader, writer)
        with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
            request = await peer.event()
            if not isinstance(request, Request):
                writer.close()
                return
            headers = tuple((name.decode(), value.decode()) for name, value in request.extra_headers)
            upgrade = Upgrade(request.target, headers)
            self.upgrades.append(upgrade)
            if self.refuses:
                body = [RejectData(data=b'{"refused": true}')]
                answer = RejectConnection(status_code=self.refuses, headers=[(b"content-length", b"17")], has_body=True)
                writer.write(b"".join(peer.ws.send(event) for event in (answer, *body)))
            else:
                extensions: list[Any] = [PerMessageDeflate()] if self.deflate else []
                writer.write(peer.ws.send(AcceptConnection(extensions=extensions)))
                self.peers.append(peer)
                await self.script(peer, upgrade)
            await writer.drain()
        await peer.leave()


async def connect(
    port: int,
    target: str,
    *,
    host: str,
    tls: ssl.SSLContext | None = None,
    headers: Sequence[tuple[str, str]] = (),
    deflate: bool = True,
) -> Peer:
    """A client behind the proxy at this port: with `tls` through CONNECT to `host`, else straight to the listener.

    Raises `Refused`.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if tls is not None:
        writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n".encode())
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(tls, server_hostname=host)
    peer = Peer(WSConnection(ConnectionType.CLIENT), reader, writer)
    extra = [(name.encode(), value.encode()) for name, value in headers]
    extensions: list[Any] = [PerMessageDeflate()] if deflate else []
    writer.write(peer.ws.send(Request(host=host, target=target, extensions=extensions, extra_headers=extra)))
    event = await peer.event()
    if isinstance(event, AcceptConnection):
        return peer
    assert isinstance(event, RejectConnection), event
    body = b""
    while not (isinstance(piece := await peer.event(), RejectData) and piece.body_finished):
        body += piece.data if piece else b""
    await peer.leave()
    raise Refused(event.status_code, body + piece.data)
