"""The demo's provider: a loopback server that streams the scripted answers and keeps a prompt cache as Anthropic does.

Usage is made as the provider would make it: every block is counted, the longest prefix that an earlier request left in
the cache at a breakpoint is read, what lies between it and the newest breakpoint is written, the rest is fresh.
"""

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from llmprof_addon.cli.demo.script import MODEL, TURNS
from llmprof_addon.counting.encodings import count
from llmprof_addon.model.part import Json

TOKENIZER_RATIO = (23, 20)
"""Tokens of the demo's model over those of o200k_base: its tokenizer is a finer one."""
TOOL_PREAMBLE_TOKENS = 505
MESSAGE_TOKENS = 4
TURN_START_TOKENS = 3
"""What stands behind the last block: never cached."""
SMALLEST_CACHED_PREFIX = 1024


class Provider:
    """What one server knows: the prefixes that are in its cache, by digest."""

    def __init__(self) -> None:
        self._cached: set[bytes] = set()
        self._counted: dict[str, int] = {}
        self._lock = Lock()

    def usage(self, body: Json) -> dict[str, int]:
        """Input usage of a request in the provider's own form: cache reads and writes beside `input_tokens`."""
        total, read, marked = 0, 0, 0
        path = sha256()
        breakpoints: list[bytes] = []
        with self._lock:
            for text, marker, overhead in _blocks(body):
                path.update(text.encode())
                total += self._tokens(text) + overhead
                if not marker or total < SMALLEST_CACHED_PREFIX:
                    # An earlier request may have ended a breakpoint where this one has none any more.
                    if path.digest() in self._cached:
                        read = total
                    continue
                if path.digest() in self._cached:
                    read = total
                marked = total
                breakpoints.append(path.digest())
            self._cached.update(breakpoints)
        written = max(marked - read, 0)
        return {
            "input_tokens": total - read - written + TURN_START_TOKENS,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
        }

    def _tokens(self, text: str) -> int:
        if text not in self._counted:
            ratio, base = TOKENIZER_RATIO
            self._counted[text] = count(text, "o200k_base") * ratio // base
        return self._counted[text]


def _blocks(body: Json) -> Iterator[tuple[str, bool, int]]:
    """(text, carries a cache marker, tokens around it) of every block, in the order of the cache."""
    for index, schema in enumerate(body["tools"]):
        yield json.dumps(schema), False, 0 if index else TOOL_PREAMBLE_TOKENS
    for block in body["system"]:
        yield block["text"], "cache_control" in block, 0
    for message in body["messages"]:
        for index, block in enumerate(message["content"]):
            bare = {key: value for key, value in block.items() if key != "cache_control"}
            text = bare["text"] if bare["type"] == "text" else json.dumps(bare)
            yield text, "cache_control" in block, 0 if index else MESSAGE_TOKENS


def events(body: Json, usage: dict[str, int]) -> Iterator[tuple[str, Json]]:
    """The stream of the turn that the request's history has come to."""
    number = sum(message["role"] == "assistant" for message in body["messages"])
    turn = TURNS[number]
    message: dict[str, Any] = {
        "id": f"msg_demo_{number:02d}", "type": "message", "role": "assistant", "model": f"{MODEL}-20250929",
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1},
    }  # fmt: skip
    yield "message_start", {"type": "message_start", "message": message}
    yield from _block(0, {"type": "text", "text": ""}, "text_delta", "text", turn.say)
    arguments = json.dumps(turn.arguments)
    if turn.tool:
        block = {"type": "tool_use", "id": f"toolu_demo_{number:02d}", "name": turn.tool, "input": {}}
        yield from _block(1, block, "input_json_delta", "partial_json", arguments)
    output = count(turn.say + (arguments if turn.tool else ""), "o200k_base") * 23 // 20 + 6
    stop = {"stop_reason": "tool_use" if turn.tool else "end_turn", "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": stop, "usage": {"output_tokens": output}}
    yield "message_stop", {"type": "message_stop"}


def _block(index: int, block: Json, delta: str, key: str, text: str) -> Iterator[tuple[str, Json]]:
    yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": block}
    for start in range(0, len(text), 24):
        piece = {"type": delta, key: text[start : start + 24]}
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": piece}
    yield "content_block_stop", {"type": "content_block_stop", "index": index}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        usage = self.server.provider.usage(body)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for name, value in events(body, usage):
            data = f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            time.sleep(0.002)  # a stream that a person can watch passing, and still a demo of seconds
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the demo prints its own progress."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = Provider()


def start() -> tuple[int, _Server]:
    """Serve on a free loopback port until `shutdown()`; returns the port and the server."""
    server = _Server()
    Thread(target=server.serve_forever, name="demo upstream", daemon=True).start()
    return server.server_address[1], server
