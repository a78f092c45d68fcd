"""A client that makes calls by their plans over kept connections, and looks at every byte that comes back."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from wsproto.utilities import ProtocolError

from tests.e2e.faults.http1 import Message, read_answer
from tests.e2e.faults.plans import Plan
from tests.e2e.faults.upstream import HINTS, TRAILERS, reset, socket_messages
from tests.e2e.sockets import Refused, connect

ANSWER_SECONDS = 60.0
"""A call without an end by then hangs."""
_SENT_TRAILERS = b"x-sent: yes\r\n"
_NOISE = (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\n: x\r\n\r\n")

type Verdict = Literal["fine", "failed", "corrupted", "hung"]


@dataclass
class Connection:
    """One connection to the proxy."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    opened: float
    """Seconds of the monotonic clock."""
    usable: bool = True

    def leave(self, *, hard: bool) -> None:
        """Close it, or reset it."""
        self.usable = False
        if hard:
            reset(self.writer)
        else:
            self.writer.close()


@dataclass
class Seen:
    """What a client saw of a call."""

    message: Message = field(default_factory=Message)
    hung: bool = False
    told: list[str] = field(default_factory=list)
    """Messages of a WebSocket."""

    @property
    def told_in_short(self) -> str:
        """For whoever has to find out what went wrong."""
        end = "whole" if self.message.whole else "no end"
        return f"{self.message.start or 'nothing'}, {end}, {self.message.body[:200]!r}, {len(self.told)} messages"


async def make(plan: Plan, connection: Connection) -> Seen:
    """One call over HTTP; afterwards the connection is usable or not."""
    seen, rng, writer = Seen(), plan.rng, connection.writer
    try:
        await _send(plan, connection)
        limit: int | None = None
        seconds = ANSWER_SECONDS
        match plan.fault:
            case "leaves in headers" | "leaves in body":
                return seen
            case "sends garbage":  # what might be the beginning of something longer is waited for
                seconds = 1.0
            case "leaves waiting":
                seconds = rng.choice((0.0, 0.01, 0.03))
            case "hangs before" | "hangs inside":
                seconds = rng.uniform(0.02, 0.15)
            case "leaves at first chunk":
                limit = 1
            case "leaves mid stream":
                limit = plan.at
            case "endless":
                limit = len(plan.payload) + 500
        try:
            async with asyncio.timeout(seconds):
                await read_answer(connection.reader, seen.message, limit)
        except TimeoutError:
            seen.hung = seconds == ANSWER_SECONDS
        if plan.ending in ("left", "no call") or not seen.message.whole:
            connection.leave(hard=rng.random() < 0.5)
    except OSError:
        connection.leave(hard=False)
    headers = seen.message.headers
    ends_by_itself = "content-length" in headers or "transfer-encoding" in headers
    if not seen.message.whole or not ends_by_itself or headers.get("connection") == "close":
        connection.usable = False
    if not connection.usable:
        writer.close()
    return seen


async def _send(plan: Plan, connection: Connection) -> None:
    rng, writer, body = plan.rng, connection.writer, plan.body
    lines = [
        f"POST {plan.path} HTTP/1.1",
        "host: localhost",
        *(f"{name}: {text}" for name, text in plan.headers.items()),
    ]
    if plan.fault == "sends trailers":
        lines += ["transfer-encoding: chunked", "trailer: x-sent"]
        half = plan.at % len(body)
        chunks = [each for each in (body[:half], body[half:]) if each]
        body = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks) + b"0\r\n" + _SENT_TRAILERS + b"\r\n"
    else:
        lines.append(f"content-length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    match plan.fault:
        case "leaves in headers":
            writer.write(head[: int(plan.chance * (len(head) - 1))])
        case "leaves in body":
            writer.write(head + body[: int(plan.chance * (len(body) - 1))])
        case "sends garbage":
            writer.write(rng.choice(_NOISE))
        case "sends slowly":
            for start in range(0, len(head + body), 400):
                writer.write((head + body)[start : start + 400])
                await asyncio.sleep(0.005)
        case _:
            writer.write(head + body)
    await writer.drain()
    if plan.fault in ("leaves in headers", "leaves in body"):
        await asyncio.sleep(rng.choice((0, 0.01)))
        connection.leave(hard=rng.random() < 0.5)


async def speak(plan: Plan, port: int) -> Seen:
    """One call over a WebSocket of its own."""
    seen = Seen()
    count = len(socket_messages(plan))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            peer = await connect(port, plan.path, host="localhost", headers=list(plan.headers.items()))
            await peer.send(plan.body.decode())
            if plan.fault == "leaves socket":
                count = int(plan.chance * count)
            while len(seen.told) < count and (told := await peer.receive()) is not None:
                seen.told.append(str(told))
            if plan.fault == "leaves socket":
                reset(peer.writer)
            else:
                await peer.close()
    except TimeoutError:
        seen.hung = True
    except (OSError, Refused, AssertionError, ProtocolError):
        pass
    return seen


def judge(plan: Plan, seen: Seen) -> Verdict:
    """Whether the client saw what the other end did."""
    if seen.hung:
        return "hung"
    if plan.wire == "websocket":
        messages = socket_messages(plan)
        if seen.told != messages[: len(seen.told)]:
            return "corrupted"
        return "fine" if plan.ending != "whole" or len(seen.told) == len(messages) else "failed"
    message = seen.message
    # Of a stream without an end more may have come than was planned.
    expected = plan.payload + message.body[len(plan.payload) :] if plan.fault == "endless" else plan.payload
    is_ours = message.status == 502 and message.whole and _is_error(message.body)
    as_sent = message.status == plan.status and expected.startswith(message.body)
    match plan.ending:
        case "whole":
            if message.status == plan.status and not as_sent:
                return "corrupted"
            good = as_sent and message.whole and message.body == expected and _around(plan, message)
        case "cut":
            if message.status == plan.status and (not as_sent or message.whole):
                return "corrupted"
            good = as_sent or is_ours
        case "refused":
            good = is_ours
        case "left":
            good = not message.start or as_sent
            if message.status == plan.status and not as_sent:
                return "corrupted"
        case _:
            good = message.status in (0, 400)
    return "fine" if good else "failed"


def _is_error(body: bytes) -> bool:
    with suppress(ValueError):
        return "llmprof: no answer from" in json.dumps(json.loads(body))
    return False


def _around(plan: Plan, message: Message) -> bool:
    """Whether what came around the body is what was sent."""
    hints = plan.fault == "early hints"
    return (
        all(message.headers.get(name) == text.strip() for name, text in plan.answer_headers.items())
        and message.trailers == (TRAILERS if plan.fault == "trailers" else b"")
        and set(message.interim) == ({HINTS} if hints else set())
    )
