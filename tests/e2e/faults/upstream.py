"""The provider on loopback: does to each call what its plan says, and checks that the request came as it was sent."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request
from wsproto.utilities import ProtocolError

from tests.e2e.faults.http1 import Message, read_body, read_head
from tests.e2e.faults.plans import Plan
from tests.e2e.sockets import Peer

HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n"
TRAILERS = b"X-Checksum: abc\r\nserver-timing: total;dur=12\r\n"
GARBAGE = (
    b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    b"HTTP/9.9 abc\r\n\r\n",
    b"\x16\x03\x01\x00\xff\xfe\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
)
LEAVES_SECONDS = 60.0
"""How long a call is left open whose client is to go."""


class Upstream:
    """The server; `received` counts requests, `changed` lists the calls whose request was not what was sent."""

    def __init__(self, plan_of: Callable[[int], Plan]) -> None:
        self._plan_of = plan_of
        self.received = 0
        self.changed: list[int] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> "Upstream":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**22, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ProtocolError):
                while True:
                    head = await read_head(reader)
                    number = int(head.headers["x-number"])
                    plan = self._plan_of(number)
                    self.received += 1
                    if plan.wire == "websocket":
                        await self._socket(plan, head, reader, writer)
                        return
                    await read_body(reader, head)
                    if not head.whole:
                        return
                    if head.body != plan.body:
                        self.changed.append(number)
                    if not await self.answer(plan, reader, writer):
                        return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def answer(self, plan: Plan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send the answer; whether the connection may be used again."""
        rng = plan.rng
        match plan.fault:
            case "hangs before":
                await gone(reader)
                return False
            case "resets before":
                reset(writer)
                return False
            case "closes before":
                return False
            case "garbage head":
                writer.write(rng.choice(GARBAGE))
                await writer.drain()
                return False
            case "leaves waiting" | "slow":
                await asyncio.sleep(rng.uniform(0.01, 0.1))
            case "early hints":
                writer.write(HINTS * rng.randrange(1, 4))
                await asyncio.sleep(rng.choice((0, 0.01)))
        for piece in pieces(plan):
            writer.write(piece)
            await writer.drain()
            if plan.fault in ("slow", "endless", "leaves at first chunk", "leaves mid stream"):
                await asyncio.sleep(0.005)
        match plan.fault:
            case "resets inside":
                reset(writer)
            case "hangs inside" | "leaves at first chunk" | "leaves mid stream":
                await gone(reader)
            case "endless":
                chunk = b'data: {"choices":[{"index":0,"delta":{"content":" and"}}]}\n\n'
                while not reader.at_eof():
                    writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    await writer.drain()
                    await asyncio.sleep(0.002)
        return plan.fault in ("", "trailers", "early hints", "slow", "an error", "sends trailers", "sends slowly") and (
            plan.framing != "close"
        )

    async def _socket(
        self, plan: Plan, head: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        peer = Peer(WSConnection(ConnectionType.SERVER), reader, writer)
        peer.ws.receive_data(head.raw)
        assert isinstance(await peer.event(), Request)
        writer.write(peer.ws.send(AcceptConnection()))
        if (asked := await peer.receive()) is None:
            return
        if asked != plan.body.decode():
            self.changed.append(plan.number)
        events = socket_messages(plan)
        if plan.fault:
            events = events[: max(1, int(plan.chance * len(events)))]
        for event in events:
            await peer.send(event)
        if plan.fault == "socket breaks":
            reset(writer)
        else:
            while await peer.receive() is not None:
                pass


def socket_messages(plan: Plan) -> list[str]:
    """The answer as messages of a WebSocket."""
    return [event.partition("data: ")[2] for event in plan.payload.decode().split("\n\n") if event]


def pieces(plan: Plan) -> Iterator[bytes]:
    """What is written of an answer, up to where the fault strikes."""
    rng, payload = plan.rng, plan.payload
    cut = plan.at if plan.ending == "cut" or plan.fault in ("hangs inside", "leaves mid stream") else len(payload)
    if plan.fault == "leaves at first chunk":
        cut = max(1, plan.at)
    length = len(payload)
    if plan.fault == "too short":
        length += rng.randrange(1, 1000)
        cut = len(payload)
    head = f"HTTP/1.1 {plan.status} {'OK' if plan.status == 200 else 'Error'}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in plan.answer_headers.items())
    if plan.framing == "length":
        head += f"content-length: {length}\r\n"
    elif plan.framing == "chunked":
        head += "transfer-encoding: chunked\r\n"
    if plan.fault == "trailers":
        head += "trailer: x-checksum\r\n"
    first = (head + "\r\n").encode("latin-1")
    places = sorted(rng.sample(range(1, cut), min(cut - 1, rng.randrange(8)))) if cut > 1 else []
    ends = [0, *places, cut]
    for start, end in itertools.pairwise(ends):
        piece = payload[start:end]
        if plan.framing == "chunked" and piece:
            piece = b"%x\r\n%s\r\n" % (len(piece), piece)
        # Head and body in one write, or apart.
        if rng.random() < 0.5:
            piece, first = first + piece, b""
        if first:
            yield first
            first = b""
        if piece:
            yield piece
    if plan.fault == "garbage chunk":
        yield rng.choice((b"zz\r\n", b"-5\r\nhello\r\n", b"\x00\x01\x02\r\n"))
    elif plan.fault == "too long":
        yield b"more than was announced"
    elif plan.framing == "chunked" and cut == len(payload) and plan.ending == "whole":
        yield b"0\r\n" + (TRAILERS if plan.fault == "trailers" else b"") + b"\r\n"
    elif plan.framing == "chunked" and plan.fault in ("leaves at end", "leaves waiting"):
        yield b"0\r\n\r\n"


async def gone(reader: asyncio.StreamReader) -> None:
    """Wait until the other end has left."""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(LEAVES_SECONDS):
            while await reader.read(2**16):
                pass


def reset(writer: asyncio.StreamWriter) -> None:
    """Leave with a reset rather than an end."""
    sock = writer.get_extra_info("socket")
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
