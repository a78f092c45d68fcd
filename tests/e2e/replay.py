"""A loopback server that gives recorded or made-up answers, byte for byte: HTTP/1.1 and, over TLS, h2.

It runs in a thread of its own and keeps every request as it came. Where an answer ends, and whether it ends well, is
the answer's own: chunked, by length (a wrong one too), by closing, or not at all.
"""

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from mitmproxy.certs import CertStore

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it arrived."""

    protocol: str
    method: str
    target: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the header, `None` if it is absent."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it is to be sent."""

    chunks: Sequence[bytes] = ()
    status: int = 200
    headers: Headers = (("content-type", "application/json"),)
    framing: Literal["chunked", "length", "close", "cut"] = "length"
    """`cut`: announced as chunked, then the connection breaks behind the last chunk."""
    declared_bytes: int | None = None
    """A content-length that is not the true one."""
    pause_seconds: float = 0.0
    """Between chunks; 0 only yields to the other connections."""


Responder = Callable[[Request], Answer]


@dataclass
class Replay:
    """The server; use as a context manager. Without `tls` it speaks plain HTTP/1.1."""

    answer: Responder
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
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
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        socket = writer.get_extra_info("ssl_object")
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            if socket and socket.selected_alpn_protocol() == "h2":
                await _H2(self, reader, writer).serve()
            else:
                await self._http1(reader, writer)
        writer.close()

    def answered(self, request: Request) -> Answer:
        """Keep the request and find its answer."""
        self.requests.append(request)
        return self.answer(request)

    async def _http1(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await _read_http1(reader)
            answer = self.answered(request)
            head = [f"HTTP/1.1 {answer.status} Answer", *(f"{name}: {value}" for name, value in answer.headers)]
            if answer.framing == "length":
                size = answer.declared_bytes
                head.append(f"content-length: {sum(map(len, answer.chunks)) if size is None else size}")
            elif answer.framing == "close":
                head.append("connection: close")
            else:
                head.append("transfer-encoding: chunked")
            writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
            chunked = answer.framing in ("chunked", "cut")
            for chunk in answer.chunks:
                writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if chunked and chunk else chunk)
                await writer.drain()
                await asyncio.sleep(answer.pause_seconds)
            if answer.framing in ("close", "cut") or answer.declared_bytes is not None:
                return
            if chunked:
                writer.write(b"0\r\n\r\n")
            await writer.drain()


async def _read_http1(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    values = {name.lower(): value for name, value in headers}
    if values.get("transfer-encoding") == "chunked":
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        body = b"".join(pieces)
    else:
        body = await reader.readexactly(int(values.get("content-length", 0)))
    return Request(protocol="http/1.1", method=method, target=target, headers=headers, body=body)


class _H2:
    """One h2 connection: requests side by side, each answer within the flow control windows."""

    def __init__(self, server: Replay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._server = server
        self._reader, self._writer = reader, writer
        self._connection = H2Connection(config=H2Configuration(client_side=False, header_encoding="utf-8"))
        self._heads: dict[int, Headers] = {}
        self._bodies: dict[int, list[bytes]] = {}
        self._roomy = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve until the client goes."""
        self._connection.initiate_connection()
        self._flush()
        while data := await self._reader.read(2**16):
            for event in self._connection.receive_data(data):
                if isinstance(event, ConnectionTerminated):
                    return
                self._take(event)
            self._flush()
            await self._writer.drain()

    def _flush(self) -> None:
        self._writer.write(self._connection.data_to_send())

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._heads[event.stream_id] = tuple((str(name), str(value)) for name, value in event.headers)
                self._bodies[event.stream_id] = []
            case DataReceived():
                self._bodies[event.stream_id].append(event.data)
                self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded():
                task = asyncio.ensure_future(self._answer(event.stream_id))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case WindowUpdated() | StreamReset():
                self._roomy.set()
            case _:
                pass

    async def _answer(self, stream: int) -> None:
        headers = self._heads.pop(stream)
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        answer = self._server.answered(
            Request(
                protocol="h2",
                method=pseudo[":method"],
                target=pseudo[":path"],
                headers=tuple(pair for pair in headers if not pair[0].startswith(":")),
                body=b"".join(self._bodies.pop(stream)),
            )
        )
        self._connection.send_headers(stream, [(":status", str(answer.status)), *answer.headers])
        self._flush()
        for chunk in answer.chunks:
            await self._send(stream, chunk)
            await asyncio.sleep(answer.pause_seconds)
        if answer.framing == "cut":
            self._connection.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
        else:
            self._connection.end_stream(stream)
        self._flush()

    async def _send(self, stream: int, chunk: bytes) -> None:
        while chunk:
            room = min(self._connection.local_flow_control_window(stream), self._connection.max_outbound_frame_size)
            if room <= 0:
                self._roomy.clear()
                await self._roomy.wait()
                continue
            self._connection.send_data(stream, chunk[:room])
            chunk = chunk[room:]
            self._flush()
            await self._writer.drain()


def server_context(folder: Path, hosts: Sequence[str]) -> tuple[ssl.SSLContext, Path]:
    """A TLS context (h2 and HTTP/1.1) for these hosts, and the PEM file of the authority that signed for them."""
    store = CertStore.from_store(folder, "upstream", 2048)
    names = [x509.DNSName(host) for host in hosts]
    entry = store.get_cert(hosts[0], [*names, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    pem = folder / "server.pem"
    pem.touch(mode=0o600)
    key = entry.privatekey.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(key + entry.cert.to_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context, folder / "upstream-ca-cert.pem"
