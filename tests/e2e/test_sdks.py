"""The real SDKs through the real proxy, as base URL and as HTTPS proxy: what they receive, and what is stored of it."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.e2e import answers
from tests.e2e.replay import Answer, Replay, Request
from tests.e2e.running import Proxy, llmprof, running

KEY = "sk-fake-0123456789-of-the-sdk-tests"
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "get_weather", "description": "Ask.", "parameters": WEATHER}}
RESPONSES_TOOL: Any = {"type": "function", "name": "get_weather", "description": "Ask.", "parameters": WEATHER}
MESSAGES_TOOL: Any = {"name": "get_weather", "description": "Ask.", "input_schema": WEATHER}
GPT, CLAUDE = "gpt-4o-mini", "claude-haiku-4-5"
WAYS = ("reverse", "forward")
AT_ONCE = 20


def provider(request: Request) -> Answer:
    """The made-up provider, which knows no key that starts with `sk-fake-wrong` and says so with the key in it."""
    key = request.header("x-api-key") or (request.header("authorization") or "").removeprefix("Bearer ")
    if key.startswith("sk-fake-wrong"):
        message = {"message": f"Incorrect API key provided: {key}.", "type": "invalid_request_error"}
        body = gzip.compress(json.dumps({"error": message}).encode())
        headers = (("content-type", "application/json"), ("content-encoding", "gzip"))
        return Answer(status=401, headers=headers, chunks=[body])
    assert key == KEY
    assert not any(name.lower().startswith("x-llmprof") for name, _ in request.headers)
    return answers.answer(request)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Replay]:
    with Replay(provider) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(upstream: Replay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("sdks") / "home"
    there = f"api.openai.com:443={upstream.url},api.anthropic.com:443={upstream.url}"
    with running(home, connect=there, upstream_proxy="") as proxy:
        yield proxy
    assert_absent(home, "sk-fake")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "forward":
        monkeypatch.setenv("HTTPS_PROXY", proxy.forward_url)
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.bundle))
    else:
        monkeypatch.delenv("HTTPS_PROXY", raising=False)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{proxy.reverse_url}/v1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", proxy.reverse_url)
    return str(request.param)


def options(case: str, **more: Any) -> Any:
    """Arguments of every client; the tag tells the rows of the tests apart."""
    return {"api_key": KEY, "max_retries": 0, "default_headers": {"x-llmprof-tag": f"case:{case}"}, **more}


def files_with(home: Path, text: str) -> list[str]:
    """The files below a home, the database and the logs among them, that hold the text."""
    sign = text.encode()
    return [str(path) for path in home.rglob("*") if path.is_file() and sign in path.read_bytes()]


def assert_absent(home: Path, text: str) -> None:
    """Neither a file below the home nor what the commands show of the calls (contents are compressed) holds it."""
    assert files_with(home, text) == []
    calls = llmprof(home, "calls", "--json").stdout
    assert text not in calls
    failed = [row for row in map(json.loads, calls.splitlines()) if row["status"] != 200]
    for row in failed[:2]:
        shown = llmprof(home, "show", row["id"], "--json")
        assert shown.returncode == 0, shown.stderr
        assert text not in shown.stdout


def assert_told(row: dict[str, Any], way: str, api: str, *, stream: bool) -> None:
    """What every row has to say."""
    assert (row["mode"], row["api"], row["stream"]) == (way, api, stream)
    assert (row["status"], row["outcome"], row["error"]) == (200, "complete", None)
    provider, model = ("anthropic", CLAUDE) if api == "anthropic.messages" else ("openai", GPT)
    assert (row["provider"], row["request_model"]) == (provider, model)
    assert row["response_model"] == answers.MODELS[model]
    assert row["cost"] is not None
    assert 0 < row["ttft_ms"] <= row["duration_ms"]
    assert sum(row["composition"].values()) == row["usage"]["input_tokens"]


def test_openai_chat_turns(proxy: Proxy, way: str) -> None:
    client = openai.OpenAI(**options(f"chat-{way}"))
    history: list[Any] = [{"role": "system", "content": "Be brief."}]
    for turn in range(3):
        history.append({"role": "user", "content": f"Turn {turn} of {way}."})
        done = client.chat.completions.create(model=GPT, messages=history)
        assert done.choices[0].message.content == f"You said: Turn {turn} of {way}."
        assert done.usage is not None
        assert done.usage.prompt_tokens == 100 + 10 * len(history)
        history.append({"role": "assistant", "content": done.choices[0].message.content})
    rows = proxy.tagged(f"chat-{way}", 3)
    for turn, row in enumerate(rows):
        assert_told(row, way, "openai.chat", stream=False)
        assert row["usage"]["input_tokens"] == 100 + 10 * (2 + 2 * turn)
        assert row["usage"]["source"] == "reported"
    assert len({row["run_id"] for row in rows}) == 1


def test_openai_chat_streamed_with_tools(proxy: Proxy, way: str) -> None:
    client = openai.OpenAI(**options(f"chat-stream-{way}"))
    history: list[Any] = [{"role": "user", "content": f"Weather, by {way}?"}]
    asked: Any = {"model": GPT, "tools": [CHAT_TOOL], "stream_options": {"include_usage": True}}
    with client.chat.completions.stream(messages=history, **asked) as stream:
        events = [event.type for event in stream]
        answer = stream.get_final_completion()
    assert "tool_calls.function.arguments.delta" in events
    (call,) = answer.choices[0].message.tool_calls or ()
    assert (call.function.name, call.function.arguments) == ("get_weather", answers.ARGUMENTS)
    history += [
        {"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": call.id}]},
        {"role": "tool", "tool_call_id": call.id, "content": "Rain, and åska."},
    ]
    chunks = list(client.chat.completions.create(messages=history, stream=True, **asked))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == "You said: Rain, and åska."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 137
    first, second = proxy.tagged(f"chat-stream-{way}", 2)
    for row in (first, second):
        assert_told(row, way, "openai.chat", stream=True)
        assert row["transport"] == "sse"
        assert row["ttft_ms"] < row["duration_ms"]
        assert row["composition"]["tool_schemas"] > 0
    assert first["finish_reasons"] == ["tool_calls"]
    assert second["finish_reasons"] == ["stop"]
    assert second["composition"]["tool_results"] > 0
    assert first["run_id"] == second["run_id"]


CALL: Any = {"type": "function", "function": {"name": "get_weather", "arguments": answers.ARGUMENTS}}


def test_openai_stream_without_usage_is_counted(proxy: Proxy, way: str) -> None:
    client = openai.OpenAI(**options(f"no-usage-{way}"))
    chunks = list(client.chat.completions.create(model=GPT, stream=True, messages=[{"role": "user", "content": way}]))
    assert all(chunk.usage is None for chunk in chunks)
    (row,) = proxy.tagged(f"no-usage-{way}", 1)
    assert row["usage"]["source"] in ("counted", "estimated")
    assert row["usage"]["input_tokens"] == row["estimated_input_tokens"] == sum(row["composition"].values())


async def test_openai_twenty_at_once(proxy: Proxy, way: str) -> None:
    case = f"at-once-{way}"
    async with openai.AsyncOpenAI(**options(case)) as client:

        async def ask(number: int) -> str:
            said: list[Any] = [{"role": "user", "content": f"Number {number}, {way}."}]
            if number % 2:
                done = await client.chat.completions.create(model=GPT, messages=said)
                return done.choices[0].message.content or ""
            pieces = await client.chat.completions.create(model=GPT, messages=said, stream=True)
            return "".join([piece.choices[0].delta.content or "" async for piece in pieces])

        said = await asyncio.gather(*(ask(number) for number in range(AT_ONCE)))
    assert said == [f"You said: Number {number}, {way}." for number in range(AT_ONCE)]
    rows = await asyncio.to_thread(proxy.tagged, case, AT_ONCE)
    assert sum(row["stream"] for row in rows) == AT_ONCE // 2
    assert len({row["run_id"] for row in rows}) == AT_ONCE


def test_openai_responses_turns(proxy: Proxy, way: str) -> None:
    client = openai.OpenAI(**options(f"responses-{way}"))
    history: list[Any] = [{"role": "user", "content": f"The weather, by {way}?"}]
    asked: Any = {"model": GPT, "instructions": "Be brief.", "tools": [RESPONSES_TOOL]}
    done = client.responses.create(input=history, **asked)
    (call,) = done.output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Bergen"}
    history += [call, {"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}]
    with client.responses.stream(input=history, **asked) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        answer = stream.get_final_response()
    assert "".join(deltas) == answer.output_text == "You said: Rain."
    assert answer.usage is not None
    assert answer.usage.input_tokens == 130
    first, second = proxy.tagged(f"responses-{way}", 2)
    assert_told(first, way, "openai.responses", stream=False)
    assert_told(second, way, "openai.responses", stream=True)
    assert [first["usage"]["input_tokens"], second["usage"]["input_tokens"]] == [110, 130]
    assert second["composition"]["tool_results"] > 0
    assert second["composition"]["tool_calls"] > 0
    assert first["run_id"] == second["run_id"]


async def test_openai_responses_async(proxy: Proxy, way: str) -> None:
    async with openai.AsyncOpenAI(**options(f"responses-async-{way}")) as client:
        done = await client.responses.create(model=GPT, input=f"Plain, by {way}.")
        events = [event async for event in await client.responses.create(model=GPT, input="Streamed.", stream=True)]
    assert done.output_text == f"You said: Plain, by {way}."
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "You said: Streamed."
    rows = await asyncio.to_thread(proxy.tagged, f"responses-async-{way}", 2)
    assert [row["stream"] for row in rows] == [False, True]


def test_anthropic_turns(proxy: Proxy, way: str) -> None:
    client = anthropic.Anthropic(**options(f"messages-{way}"))
    asked: Any = {"model": CLAUDE, "max_tokens": 100, "tools": [MESSAGES_TOOL], "system": "Be brief."}
    history: list[Any] = [{"role": "user", "content": f"Weather, by {way}?"}]
    assert client.messages.count_tokens(messages=history, model=CLAUDE).input_tokens == 110
    done = client.messages.create(messages=history, **asked)
    (block,) = done.content
    assert block.type == "tool_use"
    assert (block.name, block.input) == ("get_weather", {"city": "Bergen"})
    result = {"type": "tool_result", "tool_use_id": block.id, "content": "Rain, and åska."}
    history += [{"role": "assistant", "content": done.content}, {"role": "user", "content": [result]}]
    with client.messages.stream(messages=history, **asked) as stream:
        said = "".join(stream.text_stream)
        answer = stream.get_final_message()
    assert said == "You said: Rain, and åska."
    assert answer.usage.cache_read_input_tokens == 40
    first, second = proxy.tagged(f"messages-{way}", 2)  # counting tokens is no call
    assert_told(first, way, "anthropic.messages", stream=False)
    assert_told(second, way, "anthropic.messages", stream=True)
    for row, total in ((first, 110), (second, 130)):
        assert row["usage"]["input_tokens"] == total
        assert row["usage"]["cache_read_input_tokens"] == 40
        assert row["usage"]["cache_creation_5m_input_tokens"] == 20
        assert row["usage"]["output_tokens"] == 7
    assert first["finish_reasons"] == ["tool_use"]
    assert second["finish_reasons"] == ["end_turn"]
    assert {"tool_schemas", "system", "user", "tool_calls", "tool_results"} <= second["composition"].keys()
    assert first["run_id"] == second["run_id"]


async def test_anthropic_async_streams(proxy: Proxy, way: str) -> None:
    case = f"messages-async-{way}"
    async with anthropic.AsyncAnthropic(**options(case)) as client:

        async def ask(number: int) -> str:
            said: list[Any] = [{"role": "user", "content": f"Number {number}, {way}."}]
            async with client.messages.stream(model=CLAUDE, max_tokens=50, messages=said) as stream:
                return await stream.get_final_text()

        said = await asyncio.gather(*(ask(number) for number in range(AT_ONCE)))
    assert said == [f"You said: Number {number}, {way}." for number in range(AT_ONCE)]
    assert all(row["stream"] for row in await asyncio.to_thread(proxy.tagged, case, AT_ONCE))


def test_key_reaches_no_file(proxy: Proxy, way: str) -> None:
    """The provider's error says the key back, compressed; nobody finds it below the home."""
    wrong = f"sk-fake-wrong-0123456789-{way}"
    said: list[Any] = [{"role": "user", "content": f"Hello, by {way}. My key is {wrong}."}]
    client = openai.OpenAI(**options(f"wrong-{way}", api_key=wrong))
    with pytest.raises(openai.AuthenticationError, match=wrong):
        client.chat.completions.create(model=GPT, messages=said)
    claude = anthropic.Anthropic(**options(f"wrong-{way}", api_key=wrong))
    with pytest.raises(anthropic.AuthenticationError, match=wrong):
        claude.messages.create(model=CLAUDE, max_tokens=10, messages=said)
    for row in proxy.tagged(f"wrong-{way}", 2):
        assert row["status"] == 401
        assert "Incorrect API key provided" in row["error"]
        assert row["cost"] is None or float(row["cost"]["total_usd"]) == 0
    assert_absent(proxy.home, wrong)
