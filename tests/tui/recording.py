"""A small varied store for screens, filled by the real pipeline: an agent with tools and a prompt cache, other apps,
models without price or usage, failures, an image, texts that terminals are bad at."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.pipeline import process
from llmprof_addon.pipeline.unkept import Reduced
from llmprof_addon.pipeline.waste import WasteKeeper
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.factories import CHAT_URL, RESPONSES_URL, STARTED_NS, make_exchange

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
AGENT_TURNS = 12

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def record(home: Path, exchanges: Iterable[Exchange], keep: Reduced | None = None) -> str:
    """Process the exchanges into the home's store, and look for findings; returns its URL."""
    url = f"sqlite:///{home}/llmprof.db"
    book = PriceBook()
    with open_store(url) as store:
        for exchange in sorted(exchanges, key=lambda each: each.ended_ns):
            assert process(exchange, store, book, keep=keep) is not None
        keeper = WasteKeeper(Thresholds())
        while keeper.look(store, at_once=True):  # each for a while alone
            pass
    return url


def varied() -> list[Exchange]:
    """Six runs; the agent's is the newest but one."""
    return [*agent(), *codex(), local(), local(number=2, usage=False), overloaded(), awkward()]


def call_id(run: int, call: int) -> str:
    """The id of a call of these runs."""
    return f"0{run:03x}{call:04x}{'0' * 24}"


def _made(run: int, call: int, started_ns: int, request: Json, response: Json, app: str, **fields: object) -> Exchange:
    seconds = 2 + call % 5
    return replace(
        make_exchange(request, response, **fields),
        id=call_id(run, call),
        started_ns=started_ns,
        first_chunk_ns=started_ns + SECOND // 2,
        ended_ns=started_ns + seconds * SECOND,
        client=Client(user_agent=app, peer="127.0.0.1"),
        request_headers=(("content-type", "application/json"), ("user-agent", app)),
    )


def _tool(name: str, about: str) -> Json:
    schema = {"type": "object", "properties": {"path": {"type": "string", "description": about}}, "required": ["path"]}
    return {"name": name, "description": f"{about}. " * 6, "input_schema": schema}


TOOLS = [
    _tool("read_file", "Read a file of the repository"),
    _tool("run_tests", "Run the tests below a folder"),
    _tool("mcp__github__list_issues", "List the issues of a repository"),
    _tool("mcp__github__create_issue", "Open an issue"),
]


def agent(turns: int = AGENT_TURNS, started_ns: int = STARTED_NS + 40 * MINUTE, run: int = 1) -> Iterator[Exchange]:
    """A coding agent's run on Claude; each turn reads what the one before wrote to the cache."""
    system = [{"type": "text", "text": "You are a careful engineer.\n\n## Rules\n" + "Read before you edit. " * 60}]
    messages: list[Json] = [{"role": "user", "content": "Fix the flaky upload test, and say what was wrong."}]
    read, size = 0, 1600
    for turn in range(turns):
        request = {"model": "claude-sonnet-4-5", "max_tokens": 4000, "system": system, "tools": TOOLS}
        request |= {"messages": list(messages), "stream": False}
        tool = "read_file" if turn % 3 else "run_tests"
        last = turn + 1 == turns
        said: list[Json] = [{"type": "text", "text": f"Step {turn + 1}: look at `upload.py`."}]
        if not last:
            said.append({"type": "tool_use", "id": f"toolu_{turn}", "name": tool, "input": {"path": f"src/{turn}.py"}})
        used = {"input_tokens": 30, "cache_read_input_tokens": read, "cache_creation_input_tokens": size - read}
        used |= {"output_tokens": 40 + turn}
        reply = {"id": f"msg_{run}_{turn}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
        reply |= {"content": said, "stop_reason": "end_turn" if last else "tool_use", "usage": used}
        at = started_ns + turn * 20 * SECOND
        yield _made(run, turn, at, request, reply, "claude-cli/2.1.0 (external, cli)")
        result = f"line of a file, number {turn}\n" * (20 + 25 * (turn % 4))
        messages += [
            {"role": "assistant", "content": said},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": result}]},
        ]
        read, size = size, size + 250 + 260 * (turn % 4)


def codex(turns: int = 3, run: int = 2) -> Iterator[Exchange]:
    """Responses API, reasoning and function calls."""
    items: list[Json] = [{"role": "user", "content": [{"type": "input_text", "text": "Add a retry to the client."}]}]
    for turn in range(turns):
        request = {"model": "gpt-5.1", "instructions": "You write Go. " * 40, "input": list(items)}
        output: list[Json] = [
            {"type": "reasoning", "id": f"rs_{turn}", "summary": [{"type": "summary_text", "text": "Think it over."}]},
            {"type": "function_call", "id": f"fc_{turn}", "call_id": f"call_{turn}", "name": "shell"}
            | {"arguments": '{"command": ["go", "test", "./..."]}'},
        ]
        usage = {"input_tokens": 520 + 90 * turn, "input_tokens_details": {"cached_tokens": 512 if turn else 0}}
        usage |= {"output_tokens": 80, "output_tokens_details": {"reasoning_tokens": 50}, "total_tokens": 600}
        reply = {"id": f"resp_{turn}", "object": "response", "status": "completed", "model": "gpt-5.1"}
        reply |= {"output": output, "usage": usage}
        at = STARTED_NS + 20 * MINUTE + turn * 30 * SECOND
        yield _made(run, turn, at, request, reply, "codex_cli_rs/0.169.0", url=RESPONSES_URL)
        items += [*output, {"type": "function_call_output", "call_id": f"call_{turn}", "output": "ok\n" * 40}]


def local(number: int = 1, *, usage: bool = True) -> Exchange:
    """A model that nobody lists a price of; without usage its numbers are estimates."""
    request = {
        "model": "tiny-local-7b",
        "messages": [{"role": "user", "content": f"Question {number}: what is a keel?"}],
    }
    choice = {"index": 0, "message": {"role": "assistant", "content": "A beam."}, "finish_reason": "stop"}
    reply = {"id": f"chatcmpl-{number}", "object": "chat.completion", "model": "tiny-local-7b", "choices": [choice]}
    if usage:
        reply["usage"] = {"prompt_tokens": 17, "completion_tokens": 4, "total_tokens": 21}
    at = STARTED_NS + number * MINUTE
    return _made(
        2 + number, 0, at, request, reply, "python-httpx/0.28", url="http://localhost:8000/v1/chat/completions"
    )


def overloaded() -> Exchange:
    """Refused by the provider."""
    request = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Are you up?"}]}
    reply = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    return _made(5, 0, STARTED_NS + 5 * MINUTE, request, reply, "test-client/1.0", status=529)


def awkward() -> Exchange:
    """Escapes, control characters, right-to-left and double-width text, an image, a tool without a name."""
    text = "\x1b[31mred\x1b[0m bell \x07 שלום עולם 你好世界 👩‍👩‍👧 [bold]no markup[/bold] \u202eoverride\u202c end"
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    call = {"id": "call_x", "type": "function", "function": {"name": "", "arguments": "{not json"}}
    messages: list[Json] = [
        {"role": "system", "content": "# Zażółć\n\n" + "| a | b |\n|---|---|\n| 1 | 2 |\n"},
        {"role": "user", "content": [{"type": "text", "text": text}, image]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_x", "content": '{"rows": [1, 2, {"deep": ["你好", null]}]}'},
    ]
    tools = [{"type": "function", "function": {"name": "", "parameters": {"type": "object", "properties": {}}}}]
    request = {"model": "gpt-4o", "messages": messages, "tools": tools}
    choice = {"index": 0, "message": {"role": "assistant", "content": "1. one\n2. two"}, "finish_reason": "length"}
    reply = {"id": "chatcmpl-x", "object": "chat.completion", "model": "gpt-4o-2024-08-06", "choices": [choice]}
    reply["usage"] = {"prompt_tokens": 420, "completion_tokens": 9, "total_tokens": 429}
    return _made(6, 0, STARTED_NS + 55 * MINUTE, request, reply, "OpenAI/Python 3.5.0", url=CHAT_URL)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the varied store; only read."""
    home = tmp_path_factory.mktemp("recorded")
    record(home, varied())
    return home


@pytest.fixture
def home(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it for each test."""
    return Path(shutil.copytree(recorded, tmp_path / "home"))
