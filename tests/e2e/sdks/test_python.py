"""Python's SDKs through the real proxy, by base URL and as HTTPS proxy: what they receive, and what is stored of it."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.e2e.replay import Replay
from tests.e2e.running import Proxy, llmprof
from tests.e2e.sdks.asked import prompt_tokens
from tests.e2e.sdks.chat import RESULT, TURNS, Chat
from tests.e2e.sdks.libraries import (
    Groq,
    Langchain,
    LitellmAnthropic,
    LitellmGemini,
    LitellmOpenai,
    Mistral,
    PydanticAi,
)
from tests.e2e.sdks.vendors import Cohere, Converse, GoogleGenai, Invoke, Ollama

AT_ONCE = 20
SDKS = (
    *(GoogleGenai, Ollama, Cohere, Converse, Invoke, Groq, Mistral),
    *(LitellmOpenai, LitellmAnthropic, LitellmGemini, Langchain, PydanticAi),
)


@pytest.fixture(params=SDKS, ids=lambda kind: kind.__name__)
def chat(request: pytest.FixtureRequest, proxy: Proxy, way: str, environ: dict[str, str]) -> Chat:
    return request.param(proxy.reverse_url + request.param.prefix if way == "reverse" else None)


def newest(proxy: Proxy, before: int, calls: int) -> list[dict[str, Any]]:
    """The rows of the calls since there were `before`, in the order in which they started; not one more."""
    proxy.settle(before + calls)
    printed = llmprof(proxy.home, "calls", "--json", "--limit", str(calls)).stdout
    return [json.loads(line) for line in reversed(printed.splitlines())]


def assert_told(row: dict[str, Any], chat: Chat, way: str) -> None:
    """What every row has to say."""
    assert (row["mode"], row["provider"], row["api"], row["app"]) == (way, chat.provider, chat.api, chat.app)
    assert (row["request_model"], row["response_model"]) == (chat.model, chat.answered_model)
    assert (row["status"], row["outcome"], row["error"]) == (200, "complete", None)
    assert (row["usage"]["source"], row["usage"]["output_tokens"]) == ("reported", chat.output_tokens)
    assert sum(row["composition"].values()) == row["usage"]["input_tokens"]
    assert (row["cost"] is not None) == chat.is_priced
    assert 0 < row["ttft_ms"] <= row["duration_ms"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_tool_loop_of_five_turns(proxy: Proxy, upstream: Replay, chat: Chat, way: str, stream: bool) -> None:
    before, asked = proxy.stored(), len(upstream.requests)
    assert chat.loop(f"The weather, by {way}, {stream}?", stream=stream) == f"You said: {RESULT}"
    rows = newest(proxy, before, TURNS)
    bodies = [json.loads(request.body) for request in upstream.requests[asked:]]
    assert [row["usage"]["input_tokens"] for row in rows] == [prompt_tokens(body) for body in bodies]
    for row in rows:
        assert_told(row, chat, way)
        assert row["stream"] == stream
        assert row["composition"]["tool_schemas"] > 0
    assert len({row["run_id"] for row in rows}) == 1
    assert {"tool_calls", "tool_results", "user"} <= rows[-1]["composition"].keys()


def test_twenty_at_once(proxy: Proxy, upstream: Replay, chat: Chat, way: str) -> None:
    before, asked = proxy.stored(), len(upstream.requests)
    questions = [f"Number {number} of {type(chat).__name__}, {way}." for number in range(AT_ONCE)]
    assert chat.at_once(questions) == [f"You said: {question}" for question in questions]
    rows = newest(proxy, before, AT_ONCE)
    bodies = [json.loads(request.body) for request in upstream.requests[asked:]]
    assert Counter(row["usage"]["input_tokens"] for row in rows) == Counter(map(prompt_tokens, bodies))
    for row in rows:
        assert_told(row, chat, way)
    assert Counter(row["stream"] for row in rows) == {False: AT_ONCE // 2, True: AT_ONCE // 2}
    assert len({row["run_id"] for row in rows}) == AT_ONCE
