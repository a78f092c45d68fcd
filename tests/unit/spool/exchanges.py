"""Exchanges for the tests of the spool and the worker."""

from typing import Any

from llmprof_addon.clock import new_id
from llmprof_addon.model.exchange import Client, Exchange


def make_exchange(**fields: Any) -> Exchange:
    started = fields.setdefault("started_ns", 1_700_000_000_000_000_000)
    fields.setdefault("ended_ns", started + 2_000_000_000)
    fields.setdefault("id", new_id(started // 1))
    fields.setdefault("mode", "reverse")
    fields.setdefault("method", "POST")
    fields.setdefault("url", "https://api.example.test/v1/chat/completions")
    fields.setdefault("request_body", b'{"model":"m"}')
    fields.setdefault("response_body", b'{"usage":{}}\n')
    return Exchange(**fields)


def make_full_exchange() -> Exchange:
    return make_exchange(
        first_chunk_ns=1_700_000_000_500_000_000,
        transport="sse",
        outcome="aborted",
        error="client went away",
        request_headers=(("Content-Type", "application/json"), ("X-Odd", "caf\udce9")),
        response_headers=(("Content-Encoding", "br"), ("Set-Cookie", "a"), ("Set-Cookie", "b")),
        status=200,
        client=Client(app="example", user_agent="example/1", peer="127.0.0.1"),
        tags=(("team", "blue"), ("team", "red")),
        session="s-1",
        provider="openai",
        request_body=b"\n\n\x00\xff",
        response_body=bytes(range(256)),
        request_truncated=3,
        response_truncated=4,
        redactions=5,
    )
