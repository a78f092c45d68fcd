"""Whatever is said over a socket, in whatever order: every request becomes one exchange, and nothing raises."""

import json
from collections.abc import Sequence
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.test import tflow

from llmprof_addon.capture.exchange import Pending, Wishes
from llmprof_addon.capture.websocket import CREATE, CREATED, ENDS, Socket
from llmprof_addon.model.exchange import Exchange

flow = tflow.twebsocketflow()
types = st.sampled_from([CREATE, CREATED, *sorted(ENDS), "response.output_text.delta", "response.cancel", "other"])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
messages = st.builds(
    lambda type_, text, type_first: json.dumps(
        {"type": type_, "text": text} if type_first else {"text": text, "type": type_}, indent=len(text) % 2 or None
    ).encode(),
    types,
    texts,
    st.booleans(),
)
said = st.lists(st.tuples(st.booleans(), messages | texts.map(str.encode) | st.binary(max_size=20)), max_size=30)


def begin(message: bytes, at_ns: int) -> Pending:
    return Pending(flow=flow, mode="forward", url="https://h/", wishes=Wishes(), message=message, started_ns=at_ns)


def heard(conversation: Sequence[tuple[bool, bytes]], bound_bytes: int) -> list[Exchange]:
    socket, clock = Socket(begin, bound_bytes), count(1)
    over = [socket.take(content, next(clock), from_client=client) for client, content in conversation]
    return [one for one in over if one is not None] + socket.close("aborted", "gone", next(clock))


def is_create(content: bytes) -> bool:
    try:
        value = json.loads(content)
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("type") == CREATE


@given(conversation=said, bound=st.sampled_from([0, 100, 10_000]))
def test_every_request_is_one_exchange_in_order(conversation: list[tuple[bool, bytes]], bound: int) -> None:
    asked = [content for client, content in conversation if client and is_create(content)]
    exchanges = heard(conversation, bound)
    assert [one.request_truncated or len(one.request_body) for one in exchanges] == [len(one) for one in asked]
    if bound == 10_000:
        assert [one.request_body for one in exchanges] == asked
    for one in exchanges:
        assert one.started_ns <= (one.first_chunk_ns or one.started_ns) <= one.ended_ns


@given(conversation=said)
def test_answers_are_what_the_server_said_while_somebody_waited(conversation: list[tuple[bool, bytes]]) -> None:
    waiting, expected = 0, b""
    over = heard(conversation, 10_000)
    socket, clock = Socket(begin), count(1)
    for client, content in conversation:
        if not client and waiting:
            expected += content.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
        socket.take(content, next(clock), from_client=client)
        waiting = socket.in_flight
    assert b"".join(one.response_body for one in over) == expected
