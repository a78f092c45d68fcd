"""HTTP/1 as both ends of a fault test read it: every byte is looked at, and an end that is none is told from one."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Message:
    """One message."""

    raw: bytes = b""
    """The head as it came."""
    start: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: bytes = b""
    interim: list[bytes] = field(default_factory=list)
    """Heads of interim answers before it."""
    whole: bool = False
    """Whether its end came."""

    @property
    def status(self) -> int:
        """Of an answer; 0 if none came."""
        return int(self.start.split()[1]) if self.start else 0


async def read_head(reader: asyncio.StreamReader) -> Message:
    """A head. Raises `IncompleteReadError`."""
    raw = await reader.readuntil(b"\r\n\r\n")
    start, *lines = raw[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Message(raw=raw, start=start, headers={name.lower(): value.strip() for name, _, value in pairs})


async def read_body(reader: asyncio.StreamReader, message: Message, limit: int | None = None) -> None:
    """Fill in the body of a message whose head has been read, to its end or (of a stream) to `limit` bytes.

    Raises `IncompleteReadError` and `OSError`; what came before stays.
    """
    length = message.headers.get("content-length")
    if message.headers.get("transfer-encoding") == "chunked":
        await _chunks(reader, message, limit)
        return
    left = int(length) if length is not None else None
    if left is None and not message.start.startswith("HTTP/"):
        left = 0  # a request
    while left is None or len(message.body) < left:
        more = await reader.read(2**16 if left is None else left - len(message.body))
        if not more:
            message.whole = left is None
            return
        message.body += more
    message.whole = True


async def _chunks(reader: asyncio.StreamReader, message: Message, limit: int | None) -> None:
    while limit is None or len(message.body) < limit:
        line = await reader.readuntil(b"\r\n")
        if not (length := int(line, 16)):
            while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
                message.trailers += line
            message.whole = True
            return
        piece = await reader.readexactly(length + 2)
        assert piece.endswith(b"\r\n")
        message.body += piece[:-2]


async def read_answer(reader: asyncio.StreamReader, message: Message, limit: int | None = None) -> None:
    """Fill in an answer as far as it comes, with the interim ones before it."""
    with suppress(asyncio.IncompleteReadError, OSError):
        while 100 <= (head := await read_head(reader)).status < 200 and head.status != 101:
            message.interim.append(head.raw)
        message.raw, message.start, message.headers = head.raw, head.start, head.headers
        await read_body(reader, message, limit)
