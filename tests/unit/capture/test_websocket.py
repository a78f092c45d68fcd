import json
from functools import partial
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.test import tflow, tutils
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from llmprof_addon.capture.exchange import Pending, Wishes
from llmprof_addon.capture.hooks import saved_calls
from llmprof_addon.capture.websocket import Socket, ending, type_of
from llmprof_addon.model.exchange import KEPT_ENDS, Exchange
from llmprof_addon.settings import load


def flow() -> http.HTTPFlow:
    made = tflow.twebsocketflow()
    assert made.websocket
    made.websocket.messages.clear()
    made.request = tutils.treq(method=b"GET", host="api.openai.com", port=443, path=b"/v1/responses", content=b"")
    made.request.headers.update({"upgrade": "websocket", "authorization": "Bearer sk-fake-0123456789"})
    return made


def begin(message: bytes, at_ns: int) -> Pending:
    return Pending(
        flow=flow(), mode="reverse", url="https://h/v1/responses", wishes=Wishes(), message=message, started_ns=at_ns
    )


def message(type_: str, **fields: Any) -> bytes:
    return json.dumps({"type": type_, **fields}).encode()


def talk(socket: Socket, *messages: tuple[str, bytes]) -> list[Exchange]:
    """Messages at one nanosecond after the other, `>` from the client."""
    over = [socket.take(content, 10 + at, from_client=side == ">") for at, (side, content) in enumerate(messages)]
    return [one for one in over if one is not None]


CREATE = message("response.create", input="Hi")


def test_a_request_and_its_messages_up_to_the_end_are_one_exchange() -> None:
    socket = Socket(begin)
    answer = [message("codex.rate_limits"), message("response.created"), message("response.completed", response={})]
    (call,) = talk(socket, (">", CREATE), *(("<", one) for one in answer))
    assert call.request_body == CREATE
    assert call.response_body == b"".join(one + b"\n" for one in answer)
    assert (call.transport, call.outcome, call.status, call.method) == ("websocket", "complete", 101, "GET")
    assert (call.started_ns, call.first_chunk_ns, call.ended_ns) == (10, 11, 13)
    assert socket.in_flight == 0


@pytest.mark.parametrize("end", ["response.completed", "response.incomplete", "response.failed", "response.cancelled"])
def test_every_end_ends(end: str) -> None:
    assert len(talk(Socket(begin), (">", CREATE), ("<", message(end)))) == 1


def test_an_error_ends_with_its_status() -> None:
    error = message("error", status=400, error={"code": "previous_response_not_found"})
    (call,) = talk(Socket(begin), (">", CREATE), ("<", error))
    assert (call.outcome, call.status) == ("complete", 400)
    (other,) = talk(Socket(begin), (">", CREATE), ("<", message("error", status="bad")))
    assert other.status == 101


def test_what_is_no_request_and_what_nobody_asked_for_is_left_out() -> None:
    socket = Socket(begin)
    stray = [("<", message("response.completed")), (">", message("response.processed")), (">", b"no json"), ("<", b"")]
    assert talk(socket, *stray) == []
    assert socket.in_flight == 0
    (call,) = talk(socket, (">", CREATE), (">", message("response.cancel")), ("<", message("response.completed")))
    assert call.response_body == message("response.completed") + b"\n"


def test_requests_are_answered_in_their_order() -> None:
    first, second = message("response.create", n=1), message("response.create", n=2)
    ends = [("<", message("response.completed", n=1)), ("<", message("response.completed", n=2))]
    one, two = talk(Socket(begin), (">", first), (">", second), *ends)
    assert (one.request_body, two.request_body) == (first, second)
    assert b'"n": 1' in one.response_body
    assert b'"n": 2' in two.response_body


def test_an_answer_without_end_ends_where_the_next_begins() -> None:
    first, second = message("response.create", n=1), message("response.create", n=2)
    one, two = talk(
        Socket(begin),
        (">", first),
        ("<", message("response.created", n=1)),
        (">", second),
        ("<", message("response.created", n=2)),
        ("<", message("response.completed")),
    )
    assert (one.outcome, one.request_body) == ("aborted", first)
    assert (two.outcome, two.request_body) == ("complete", second)
    assert b'"n": 2' in two.response_body


def test_what_is_on_its_way_ends_with_the_socket() -> None:
    socket = Socket(begin)
    talk(socket, (">", CREATE), ("<", message("response.created")), (">", CREATE))
    one, two = socket.close("aborted", "gone", 99)
    assert (one.outcome, one.error, one.ended_ns) == ("aborted", "gone", 99)
    assert one.response_body
    assert not two.response_body
    assert socket.close("aborted", "gone", 99) == []


def test_each_message_is_one_line() -> None:
    spread = json.dumps({"type": "response.completed", "response": {}}, indent=1).replace("\n", "\r\n").encode()
    (call,) = talk(Socket(begin), (">", CREATE), ("<", spread))
    assert call.response_body.count(b"\n") == 1
    assert json.loads(call.response_body)["type"] == "response.completed"


def test_a_request_beyond_the_bound_leaves_its_size() -> None:
    socket = Socket(begin, bound_bytes=100)
    large = message("response.create", input="x" * 200)
    over = talk(socket, (">", CREATE), (">", large), *[("<", message("response.completed"))] * 2)
    assert [(one.request_body, one.request_truncated) for one in over] == [(CREATE, 0), (b"", len(large))]


def test_a_long_answer_keeps_its_ends() -> None:
    socket = Socket(lambda content, at_ns: _small(begin(content, at_ns)))
    deltas = [("<", message("response.output_text.delta", delta="x" * 1000))] * 300
    (call,) = talk(socket, (">", CREATE), *deltas, ("<", message("response.completed", usage=1)))
    assert len(call.response_body) == 2 * KEPT_ENDS
    assert call.response_truncated > 100_000
    assert call.response_body.endswith(message("response.completed", usage=1) + b"\n")


def _small(pending: Pending) -> Pending:
    pending.tee = type(pending.tee)(bound_bytes=1)
    return pending


@pytest.mark.parametrize(
    ("content", "type_"),
    [
        (b'{"type":"response.create"}', "response.create"),
        (b' {\n "type" : "response.completed", "x": 1}', "response.completed"),
        (b'{"event_id": "e", "type": "response.create"}', "response.create"),
        (b'{"item": {"type": "response.create"}, "type": "other"}', "other"),
        (b'{"text": "\\"type\\":\\"response.create\\""}', None),
        (b'["response.create"]', None),
        (b'{"x": "response.create", "type": 3, "error": "', None),
        (b"[" * 100_000 + b'"error"', None),
    ],
    ids=["first", "spaced", "later", "inner", "in text", "list", "cut", "deep"],
)
def test_type_of(content: bytes, type_: str | None) -> None:
    assert type_of(content) == type_


def test_saved_flows_have_their_calls() -> None:
    made = flow()
    assert made.websocket
    add = partial(WebSocketMessage, Opcode.TEXT)
    made.websocket.messages += [
        add(True, CREATE, 1000.0),
        WebSocketMessage(Opcode.BINARY, True, CREATE, 1000.5),
        add(False, message("response.completed"), 1001.0),
        add(True, CREATE, 1002.0),
    ]
    made.websocket.closed_by_client, made.websocket.close_code, made.websocket.timestamp_end = True, 1006, 1003.0
    settings = load({"home": "/nowhere"})
    one, two = saved_calls(made, settings)
    assert (one.outcome, one.mode, one.started_ns) == ("complete", "import", 1_000_000_000_000)
    assert (two.outcome, two.ended_ns, two.error) == (
        "aborted",
        1_003_000_000_000,
        "the client closed the socket (1006)",
    )
    assert [again.id for again in saved_calls(made, settings)] == [one.id, two.id]
    assert one.id != two.id
    made.request.path = "/v1/realtime?model=x"
    assert list(saved_calls(made, settings)) == []


def test_how_a_socket_ended() -> None:
    made = flow()
    assert made.websocket
    made.websocket.closed_by_client, made.websocket.close_code, made.websocket.close_reason = False, 1011, "oops"
    assert ending(made) == ("error", "the server closed the socket (1011 oops)")
