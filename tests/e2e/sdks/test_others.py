"""JavaScript's SDKs and curl through the real proxy, each in a process of its own."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.answers import MODELS
from tests.e2e.replay import Replay
from tests.e2e.running import Proxy
from tests.e2e.sdks.asked import prompt_tokens
from tests.e2e.sdks.chat import RESULT, TURNS, tool_result
from tests.e2e.sdks.provider import KEY
from tests.e2e.sdks.test_python import AT_ONCE, newest

JS = Path(__file__).parent / "js"
RESULTS = [tool_result(turn) for turn in range(1, TURNS)]
JS_SDKS = {
    "openai-chat": ("openai", "openai.chat", "openai-js", "gpt-4o-mini"),
    "openai-responses": ("openai", "openai.responses", "openai-js", "gpt-4o-mini"),
    "anthropic": ("anthropic", "anthropic.messages", "anthropic-js", "claude-haiku-4-5"),
}


@pytest.fixture(params=JS_SDKS)
def kind(request: pytest.FixtureRequest) -> str:
    if not shutil.which("node") or not (JS / "node_modules").exists():
        pytest.skip("node or the packages of tests/e2e/sdks/js are not there")
    return str(request.param)


def talk(kind: str, how: str, label: str, environ: dict[str, str]) -> Any:
    command = ["node", str(JS / "talk.mjs"), kind, how, label]
    given = environ | {"KEY": KEY, "RESULTS": json.dumps(RESULTS)}
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_told(row: dict[str, Any], way: str, provider: str, api: str, app: str, model: str) -> None:
    """What every row has to say."""
    assert (row["mode"], row["provider"], row["api"], row["app"]) == (way, provider, api, app)
    assert (row["request_model"], row["response_model"]) == (model, MODELS[model])
    assert (row["status"], row["outcome"], row["error"]) == (200, "complete", None)
    assert (row["usage"]["source"], row["usage"]["output_tokens"]) == ("reported", 7)
    assert sum(row["composition"].values()) == row["usage"]["input_tokens"]
    assert row["cost"] is not None


@pytest.mark.parametrize("how", ["whole", "streamed"])
def test_a_tool_loop_of_five_turns_in_javascript(
    proxy: Proxy, upstream: Replay, kind: str, way: str, how: str, environ: dict[str, str]
) -> None:
    before, asked = proxy.stored(), len(upstream.requests)
    assert talk(kind, how, f"The weather, {kind}, {way}, {how}?", environ) == [f"You said: {RESULT}"]
    rows = newest(proxy, before, TURNS)
    bodies = [json.loads(request.body) for request in upstream.requests[asked:]]
    assert [row["usage"]["input_tokens"] for row in rows] == [prompt_tokens(body) for body in bodies]
    for row in rows:
        assert_told(row, way, *JS_SDKS[kind])
        assert row["stream"] == (how == "streamed")
    assert len({row["run_id"] for row in rows}) == 1
    assert {"tool_schemas", "tool_calls", "tool_results", "user"} <= rows[-1]["composition"].keys()


def test_twenty_at_once_in_javascript(
    proxy: Proxy, upstream: Replay, kind: str, way: str, environ: dict[str, str]
) -> None:
    before, label = proxy.stored(), f"Number of {kind}, {way}:"
    assert talk(kind, "at-once", label, environ) == [f"You said: {label} {number}" for number in range(AT_ONCE)]
    rows = newest(proxy, before, AT_ONCE)
    for row in rows:
        assert_told(row, way, *JS_SDKS[kind])
    assert Counter(row["stream"] for row in rows) == {False: AT_ONCE // 2, True: AT_ONCE // 2}
    assert len({row["run_id"] for row in rows}) == AT_ONCE


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_turns_of_curl(proxy: Proxy, upstream: Replay, way: str, environ: dict[str, str], stream: bool) -> None:
    """What a shell script does: five questions, each with what was said before."""
    before, asked = proxy.stored(), len(upstream.requests)
    history: list[Any] = []
    for turn in range(TURNS):
        history.append({"role": "user", "content": f"Turn {turn} of {way}, {stream}."})
        printed = curl({"messages": history, "stream": stream, "stream_options": OPTIONS if stream else None}, environ)
        if stream:
            events = [json.loads(line[6:]) for line in printed.splitlines() if line.startswith("data: {")]
            assert printed.endswith("data: [DONE]\n\n")
            pieces = [choice["delta"].get("content") or "" for event in events for choice in event["choices"]]
            said = "".join(pieces)
        else:
            said = json.loads(printed)["choices"][0]["message"]["content"]
        assert said == f"You said: Turn {turn} of {way}, {stream}."
        history.append({"role": "assistant", "content": said})
    rows = newest(proxy, before, TURNS)
    bodies = [json.loads(request.body) for request in upstream.requests[asked:]]
    assert [row["usage"]["input_tokens"] for row in rows] == [prompt_tokens(body) for body in bodies]
    for row in rows:
        assert_told(row, way, "openai", "openai.chat", "curl", "gpt-4o-mini")
        assert row["stream"] == stream
    assert len({row["run_id"] for row in rows}) == 1


OPTIONS = {"include_usage": True}


def curl(body: dict[str, Any], environ: dict[str, str]) -> str:
    """What curl prints of the answer."""
    base = environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
    headers = ["-H", "content-type: application/json", "-H", f"authorization: Bearer {KEY}"]
    sent = json.dumps({"model": "gpt-4o-mini", **{name: value for name, value in body.items() if value is not None}})
    command = ["curl", "-sS", "-N", "--fail-with-body", *headers, "-d", sent, f"{base}/chat/completions"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_twenty_of_curl_at_once(proxy: Proxy, way: str, environ: dict[str, str]) -> None:
    """In one process: `--parallel` over one connection or many, as curl likes."""
    before = proxy.stored()
    base = environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
    headers = ["-H", "content-type: application/json", "-H", f"authorization: Bearer {KEY}"]
    command = ["curl", "-sS", "--parallel", "--parallel-immediate"]
    for number in range(AT_ONCE):
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Number {number} of curl, {way}."}]}
        command += [*(["--next", "-sS"] if number else []), *headers, "-d", json.dumps(body)]
        command.append(f"{base}/chat/completions")
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for number in range(AT_ONCE):
        assert f"You said: Number {number} of curl, {way}." in done.stdout
    rows = newest(proxy, before, AT_ONCE)
    for row in rows:
        assert_told(row, way, "openai", "openai.chat", "curl", "gpt-4o-mini")
    assert len({row["run_id"] for row in rows}) == AT_ONCE
