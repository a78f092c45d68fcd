"""The scripted provider behind every proxy that is compared: a process that answers what is rendered already.

`python -m tests.benchmarks.peers_upstream CONVERSATIONS STEP CALLS` prints its port when it is ready.
"""

import asyncio
import re
import sys

from tests.benchmarks import peers_script as script

_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
_STREAMED = re.compile(rb'"stream": *true')
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\ncontent-length: %d\r\n\r\n%s"
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_bench\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
LONGEST_SMALL = 4_096

SMALL = _HEAD % (len(script.SMALL_ANSWER), script.SMALL_ANSWER)
CHUNKS = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in script.STREAM]
FIRST, LAST = _STREAM_HEAD + CHUNKS[0], CHUNKS[-1] + b"0\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection: requests with a `content-length`, one after the other."""

    def __init__(self, answers: dict[tuple[int, int], bytes]) -> None:
        self._answers = answers
        self._data = bytearray()
        self._body_at = self._end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._data += data
        while True:
            if not self._end:
                at = self._data.find(b"\r\n\r\n")
                if at < 0:
                    return
                length = _LENGTH.search(self._data, 0, at)
                self._body_at = at + 4
                self._end = self._body_at + (int(length[1]) if length else 0)
            if len(self._data) < self._end:
                return
            body = bytes(memoryview(self._data)[self._body_at : self._end])
            del self._data[: self._end]
            self._end = 0
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        if len(body) > LONGEST_SMALL and (key := script.answer_key(body)) is not None:
            answer = self._answers[key]
            self._transport.write(_HEAD % (len(answer), answer))
        elif _STREAMED.search(body):
            self._transport.write(FIRST)
            self._later(1)
        else:
            self._transport.write(SMALL)

    def _later(self, number: int) -> None:
        asyncio.get_running_loop().call_later(script.PAUSE_SECONDS, self._chunk, number)

    def _chunk(self, number: int) -> None:
        if self._transport.is_closing():
            return
        if number < len(CHUNKS) - 1:
            self._transport.write(CHUNKS[number])
            self._later(number + 1)
        else:
            self._transport.write(LAST)


async def serve(conversations: int, step: int, calls: int) -> None:
    """Answer until the process is ended."""
    known = [exchange for talk in script.talks(conversations, step) for exchange in talk]
    answers = script.answers(known + script.background(calls))
    del known
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(answers), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
