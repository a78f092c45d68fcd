import itertools
import json

import pytest

from llmprof_addon.model.exchange import KEPT_ENDS
from llmprof_addon.model.part import PartKind
from llmprof_addon.providers import anthropic_messages
from llmprof_addon.providers.reader import read_call, settled
from tests.factories import CHAT_URL, MESSAGES_URL, fixture_cases, fixture_exchange, make_exchange

REQUEST = {"model": "claude-sonnet-4-5", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi."}]}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Ho."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 9, "output_tokens": 4},
}


def read(exchange, **fields):
    return read_call(exchange, exchange.request_body, exchange.response_body, **fields)


def read_as(response, *, status=200, kind="application/json", request=REQUEST, **fields):
    headers = (("content-type", kind),)
    return read(make_exchange(request, response, status=status, response_headers=headers, **fields))


def stream(text: str, *, usage: int = 4) -> bytes:
    events = [
        {"type": "message_start", "message": {**ANSWER, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text[at : at + 50]}}
            for at in range(0, len(text), 50)
        ),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": usage}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


@pytest.mark.parametrize("case", fixture_cases("anthropic.messages"))
def test_fixtures_read_without_a_fault(case: str) -> None:
    call = read(fixture_exchange("anthropic.messages", case))
    assert call.api == "anthropic.messages"
    assert call.request_model
    assert not [warning for warning in call.warnings if "could not be read" in warning]
    assert bool(call.error) == case.startswith("error")


def test_provider_model_and_price_by_host_and_path() -> None:
    call = read(fixture_exchange("anthropic.messages", "vertex"))
    assert (call.provider, call.price_provider) == ("gcp.vertex_ai", "google")
    assert call.request_model == "claude-sonnet-4-5@20250929"
    assert call.answer.response_model == "claude-sonnet-4-5-20250929"


def test_a_forced_provider_wins_over_the_host() -> None:
    call = read_as(ANSWER, url="http://127.0.0.1:9/v1/messages", provider="minimax")
    assert (call.provider, call.price_provider, call.api) == ("minimax", "minimax", "anthropic.messages")


def test_an_unknown_host_is_its_own_provider_and_bills_list_prices() -> None:
    call = read_as(ANSWER, url="https://llm.corp.example:8443/v1/messages")
    assert (call.provider, call.api, call.price_provider) == ("llm.corp.example", "anthropic.messages", "anthropic")
    assert call.answer.usage
    assert call.answer.usage.input_tokens == 9


def test_a_host_that_the_user_declared() -> None:
    exchange = make_exchange(REQUEST, ANSWER, url="https://llm.corp.example/generate")
    assert read(exchange).api == "unknown"
    call = read(exchange, extra={"llm.corp.example": "anthropic.messages"})
    assert (call.api, call.provider) == ("anthropic.messages", "llm.corp.example")
    assert call.answer.parts[0].text == "Ho."
    beside = make_exchange(REQUEST, ANSWER, url="https://llm.corp.example/v1/messages/count_tokens")
    assert read(beside, extra={"llm.corp.example": "anthropic.messages"}).api == "unknown"


def test_an_unknown_path_keeps_the_request() -> None:
    call = read_as(ANSWER, url="https://api.openai.com/v1/unheard-of")
    assert call.api == "unknown"
    assert call.prompt.messages[0].kind is PartKind.GENERIC
    assert json.loads(call.prompt.messages[0].value) == REQUEST
    assert call.warnings


def test_malformed_request_json_is_kept_as_text() -> None:
    call = read_as(
        {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, status=400, request=b'{"a": 1,'
    )
    (part,) = call.prompt.parts
    assert (part.kind, part.text, part.place, part.form) == (PartKind.GENERIC, '{"a": 1,', "", "whole")
    assert call.error
    assert call.error.startswith("request body: not JSON")
    assert "\n" not in call.error


def test_a_request_that_is_no_utf8_is_kept() -> None:
    call = read_as(ANSWER, request=b"\xff\xfe\x00 not text")
    assert call.prompt.parts[0].text
    assert call.error


def test_a_dropped_request_body_is_said() -> None:
    call = read_as(ANSWER, request=b"", request_truncated=70_000_000)
    assert call.prompt.parts == ()
    assert call.error is None
    assert any("70000000 bytes" in warning for warning in call.warnings)
    assert call.answer.usage
    assert call.answer.usage.output_tokens == 4


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "text/event-stream"])
def test_a_stream_is_known_by_its_looks(kind: str) -> None:
    call = read_as(stream("Ho."), kind=kind)
    assert call.stream
    assert call.answer.parts[0].text == "Ho."


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json; charset=utf-8"])
def test_json_is_known_by_its_looks(kind: str) -> None:
    call = read_as(ANSWER, kind=kind)
    assert not call.stream
    assert call.answer.usage
    assert call.answer.usage.output_tokens == 4


def test_a_stream_with_byte_order_mark_and_comments() -> None:
    call = read_as(b"\xef\xbb\xbf: keep-alive\r\n\r\n" + stream("Ho.").replace(b"\n", b"\r\n"))
    assert call.answer.parts[0].text == "Ho."


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            502,
            b"<html><head><title>502</title><style>p{}</style></head>\n<body><h1>Bad Gateway</h1></body></html>",
            "HTTP 502: 502 Bad Gateway",
        ),
        (500, b"upstream\nfell over", "HTTP 500: upstream fell over"),
        (503, b"", "HTTP 503"),
        (
            401,
            b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}',
            "authentication_error: invalid x-api-key",
        ),
        (422, b'{"detail":"bad\\nfield"}', "bad field"),
        (404, b'[{"error":{"code":404,"message":"no such model","status":"NOT_FOUND"}}]', "404: no such model"),
        (400, b"{}", "HTTP 400: {}"),
    ],
)
def test_errors_are_one_line(status: int, body: bytes, error: str) -> None:
    call = read_as(body, status=status, kind="text/html")
    assert call.error == error
    assert call.answer.usage is None


def test_a_long_error_page_is_cut() -> None:
    call = read_as(b"<p>" + b"x" * 10_000, status=500)
    assert call.error
    assert len(call.error) < 400


def test_a_malformed_response_is_an_error() -> None:
    call = read_as(b'{"id": "msg_1", "content": [')
    assert call.error
    assert call.error.startswith("response body: not JSON")
    assert call.warnings == (call.error,)
    assert call.prompt.parts


def test_the_error_of_the_transport_comes_last() -> None:
    call = read_as(b"", status=None, outcome="error", error="connection reset")
    assert call.error == "connection reset"


def test_usage_of_a_stream_without_its_middle() -> None:
    whole = stream("words and more words " * 20_000, usage=77_000)
    dropped = len(whole) - 2 * KEPT_ENDS
    assert dropped > 0
    call = read_as(whole[:KEPT_ENDS] + whole[-KEPT_ENDS:], kind="text/event-stream", response_truncated=dropped)
    usage = call.answer.usage
    assert usage
    assert (usage.input_tokens, usage.output_tokens) == (9, 77_000)
    assert call.answer.finish_reasons == ("end_turn",)
    assert len(call.answer.parts) == 1
    assert f"{dropped} bytes in the middle of the response were not kept" in call.warnings
    assert call.error is None


def test_usage_of_json_without_its_middle() -> None:
    whole = json.dumps(
        {**ANSWER, "content": [{"type": "text", "text": "x" * 400_000}], "usage": ANSWER["usage"]}
    ).encode()
    kept = whole[:KEPT_ENDS] + whole[-KEPT_ENDS:]
    call = read_as(kept, response_truncated=len(whole) - len(kept))
    assert call.answer.usage
    assert call.answer.usage.input_tokens == 9


def test_every_prefix_of_a_stream_gives_what_is_there() -> None:
    whole = stream("Once upon a time there was a proxy. " * 3)
    texts = []
    for end in range(0, len(whole), 7):
        call = read_as(whole[:end], kind="text/event-stream", outcome="aborted", error="client went away")
        texts.append(call.answer.parts[0].text if call.answer.parts else "")
        usage = call.answer.usage
        assert usage is None or usage.output_tokens in (None, 4)
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert texts[-1].endswith("proxy. ")


def test_writes_without_a_split_follow_the_markers() -> None:
    def usage_with(marker):
        request = {
            **REQUEST,
            "system": [{"type": "text", "text": "s", **({"cache_control": marker} if marker else {})}],
        }
        body = {**ANSWER, "usage": {"input_tokens": 1, "cache_creation_input_tokens": 50, "output_tokens": 4}}
        usage = read_as(body, request=request).answer.usage
        assert usage
        assert usage.input_tokens == 51
        return usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens

    assert usage_with({"type": "ephemeral"}) == (50, 0)
    assert usage_with({"type": "ephemeral", "ttl": "1h"}) == (0, 50)
    assert usage_with(None) == (50, 0)


def test_the_longest_ttl_of_all_markers() -> None:
    assert read(fixture_exchange("anthropic.messages", "cache_1h")).cache_ttl == "1h"
    assert read(fixture_exchange("anthropic.messages", "cache_5m")).cache_ttl == "5m"
    assert read(fixture_exchange("anthropic.messages", "plain")).cache_ttl is None
    assert read_as(ANSWER, request={**REQUEST, "cache_control": {"type": "ephemeral", "ttl": "1h"}}).cache_ttl == "1h"


def test_model_of_a_deployment() -> None:
    url = "https://ours.openai.azure.com/openai/deployments/our%20model/chat/completions?api-version=1"
    call = read_as({}, url=url, request={"messages": []})
    assert (call.provider, call.api, call.request_model) == ("azure.openai", "openai.chat", "our model")


def test_a_fault_of_a_dialect_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(body):
        raise KeyError("boom")

    monkeypatch.setattr(anthropic_messages, "read_request", fail)
    monkeypatch.setattr(anthropic_messages, "read_response", fail)
    call = read_as(ANSWER)
    assert call.prompt.parts[0].kind is PartKind.GENERIC
    assert len([warning for warning in call.warnings if "KeyError" in warning]) == 2


def test_deep_nesting_does_no_harm() -> None:
    deep = b'{"messages": [{"role": "user", "content": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"
    call = read_as(deep, request=deep, url=CHAT_URL)
    assert call.prompt.parts


@pytest.mark.parametrize(
    "url", ["", "not a url", "https://[::1/v1/messages", "https://h:99999999/v1/messages", MESSAGES_URL]
)
def test_odd_addresses(url: str) -> None:
    assert read_as(ANSWER, url=url).provider


def test_stream_flag_of_the_request() -> None:
    assert read_as(b"", request={**REQUEST, "stream": True}, status=529).stream
    assert not read_as(ANSWER, request={**REQUEST, "stream": "yes"}).stream


def test_identity_is_read_along() -> None:
    assert read(fixture_exchange("anthropic.messages", "coding_agent")).identity.app == "claude-code"


LAST = {
    "chat": b"data: [DONE]\n\n",
    "messages": b'event: message_stop\ndata: {"type": "message_stop"}\n\n',
    "responses": b'event: response.completed\ndata: {"type":"response.completed","response":{}}\n\n',
}


@pytest.mark.parametrize("last", LAST.values(), ids=LAST.keys())
def test_a_client_that_leaves_after_the_last_event_has_heard_all(last: bytes) -> None:
    left = {"outcome": "aborted", "error": "Client disconnected.", "transport": "sse"}
    before = b'data: {"id": 1}\n\n'
    done = settled(make_exchange(REQUEST, before + last, **left), before + last)
    assert (done.outcome, done.error) == ("complete", None)
    for cut in (b"", before, before + last[:-2], before + last + before, b"data: 7\n\n", b"data: {\n\n"):
        exchange = make_exchange(REQUEST, cut, **left)
        assert settled(exchange, cut) is exchange
    broken = make_exchange(REQUEST, before + last, **{**left, "outcome": "error"})
    assert settled(broken, before + last) is broken


GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:"
WORD = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Ho"}]}}]}
WHOLE = {"candidates": [{"content": {"parts": [{"text": "."}]}, "finishReason": "STOP"}], "usageMetadata": {}}
ENDED = {
    "ollama": (b'{"response": "Ho"}\n', b'{"response": "", "done": true}\n'),
    "ollama, no line end": (b'{"response": "Ho"}\n', b'{"response": "", "done": true}'),
    "gemini": (f"data: {json.dumps(WORD)}\n\n".encode(), f"data: {json.dumps(WHOLE)}\n\n".encode()),
    "gemini, array": (b"[" + json.dumps(WORD).encode() + b"\n,\n", json.dumps(WHOLE).encode()),
    "code assist": (b'data: {"response": {}}\n\n', f"data: {json.dumps({'response': WHOLE})}\n\n".encode()),
    "cohere": (b'data: {"event_type":"text-generation"}\n\n', b'data: {"event_type":"stream-end"}\n\n'),
}


@pytest.mark.parametrize(("before", "last"), ENDED.values(), ids=ENDED.keys())
def test_every_kind_of_stream_has_a_last_event(before: bytes, last: bytes) -> None:
    left = {"outcome": "aborted", "error": "Client disconnected.", "url": GEMINI_URL + "streamGenerateContent"}
    done = settled(make_exchange(REQUEST, before + last, **left), before + last)
    assert (done.outcome, done.error) == ("complete", None)
    for cut in (before, before + last[:-3]):
        exchange = make_exchange(REQUEST, cut, **left)
        assert settled(exchange, cut) is exchange


def test_model_and_stream_stand_in_the_address() -> None:
    call = read_as({}, url=GEMINI_URL + "generateContent?key=k", request={"contents": []})
    assert (call.api, call.request_model, call.stream) == ("gemini.generate_content", "gemini-2.5-pro", False)
    failed = read_as({"error": {"code": 429, "message": "slow"}}, url=GEMINI_URL + "streamGenerateContent", status=429)
    assert (failed.stream, failed.error) == (True, "429: slow")


def test_an_array_is_a_stream_only_where_one_was_asked_for() -> None:
    chunks = json.dumps([WORD, WHOLE]).encode()
    for operation, stream in (("streamGenerateContent", True), ("generateContent", False)):
        call = read_as(chunks, url=GEMINI_URL + operation, request={"contents": []})
        assert call.stream is stream
        assert [part.text for part in call.answer.parts] == ["Ho."]


def test_an_array_without_its_middle_keeps_its_usage() -> None:
    last = {**WHOLE, "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 9}}
    chunks = [{"candidates": [{"content": {"parts": [{"text": "words and " * 50}]}}]}] * 800
    whole = ("[" + "\n,\r\n".join(json.dumps(chunk, indent=2) for chunk in [*chunks, last]) + "\n]").encode()
    dropped = len(whole) - 2 * KEPT_ENDS
    kept = whole[:KEPT_ENDS] + whole[-KEPT_ENDS:]
    call = read_as(kept, url=GEMINI_URL + "streamGenerateContent", response_truncated=dropped)
    assert call.answer.usage
    assert (call.answer.usage.input_tokens, call.answer.usage.output_tokens) == (7, 9)
    assert call.answer.finish_reasons == ("STOP",)
    assert call.warnings == (f"{dropped} bytes in the middle of the response were not kept",)
    assert len(call.answer.parts) == 1


def test_an_answer_of_lines_under_any_name() -> None:
    lines = b'{"message": {"role": "assistant", "content": "Ho"}}\n{"message": {"content": "."}, "done": true}\n'
    for kind in ("application/x-ndjson", "application/json", ""):
        call = read_as(lines, url="http://127.0.0.1:11434/api/chat", kind=kind)
        assert (call.stream, [part.text for part in call.answer.parts]) == (True, ["Ho."])
