"""Reading never raises, whatever came over the wire, and loses nothing of what can be read."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.exchange import KEPT_ENDS
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.reader import read_call
from tests.factories import CHAT_URL, MESSAGES_URL, RESPONSES_URL, fixture_cases, fixture_exchange, make_exchange

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)
fields = st.sampled_from(
    [
        "messages",
        "input",
        "system",
        "tools",
        "content",
        "role",
        "type",
        "text",
        "usage",
        "choices",
        "output",
        "error",
        "id",
    ]
)
shaped = st.recursive(
    anything, lambda inner: st.dictionaries(fields, inner | st.lists(inner, max_size=3), max_size=4), max_leaves=12
)
json_body = shaped.map(lambda value: json.dumps(value).encode())
sse_body = st.lists(
    st.tuples(st.sampled_from([b"data: ", b"event: ", b": ", b""]), json_body | st.binary(max_size=8))
).map(lambda lines: b"\n\n".join(start + rest for start, rest in lines))
body = json_body | sse_body | st.binary(max_size=60)


@given(
    request=body,
    response=body,
    url=st.sampled_from([CHAT_URL, RESPONSES_URL, MESSAGES_URL, "https://api.example/other", ""]),
    status=st.sampled_from([None, 200, 204, 404, 529]),
    kind=st.sampled_from(["application/json", "text/event-stream", "text/html", ""]),
    dropped=st.sampled_from([0, 0, 5]),
)
@settings(max_examples=100, deadline=None)
def test_nothing_makes_reading_fail(request, response, url, status, kind, dropped) -> None:
    headers = (("content-type", kind),)
    exchange = make_exchange(
        request, response, url=url, status=status, response_headers=headers, response_truncated=dropped
    )
    call = read_call(exchange, request, response)
    assert not [warning for warning in call.warnings if "could not be read as" in warning]
    assert call.error is None or "\n" not in call.error
    chains(call.prompt, call.answer.parts)
    if call.api != "unknown" and not (call.error or "").startswith("request body"):
        assert assemble(call.prompt.params, call.prompt.parts) == json.loads(request)


@given(case=st.sampled_from(fixture_cases("anthropic.messages")), end=st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_a_response_that_breaks_off_anywhere(case: str, end: int) -> None:
    exchange = fixture_exchange("anthropic.messages", case, outcome="aborted")
    whole = exchange.response_body
    call = read_call(exchange, exchange.request_body, whole[: end % (len(whole) + 1)])
    assert not [warning for warning in call.warnings if "could not be read as" in warning]
    full = read_call(exchange, exchange.request_body, whole).answer
    if call.answer.usage and full.usage:
        assert call.answer.usage.output_tokens in (None, full.usage.output_tokens)


@given(filler=st.integers(0, 300), tail=st.integers(200, 400))
@settings(max_examples=30, deadline=None)
def test_the_gap_may_fall_anywhere(filler: int, tail: int) -> None:
    """A stream whose middle was dropped at any byte still gives ids and usage."""
    exchange = fixture_exchange("anthropic.messages", "stream")
    head, end = exchange.response_body.split(b"event: content_block_stop")
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "abé"}}
    delta = f"event: content_block_delta\ndata: {json.dumps(text, ensure_ascii=False)}\n\n".encode()
    long = head + b": " + b"x" * filler + b"\n\n" + delta * 700
    end = b"event: content_block_stop" + end
    kept_tail = delta * 3 + end
    kept_tail = kept_tail[-(len(end) + tail) :]
    cut = read_call(
        fixture_exchange("anthropic.messages", "stream", response_truncated=10**6),
        exchange.request_body,
        long[:KEPT_ENDS] + kept_tail,
    )
    usage = cut.answer.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (15, 17)
    assert cut.answer.response_id == "msg_fixture_01"
    assert "\ufffd" not in (cut.answer.parts[0].text or "")
