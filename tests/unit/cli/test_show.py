import json
from pathlib import Path

import pytest

from tests.factories import FIXTURES, make_exchange
from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import CASES, case_id, record


def test_the_newest_call_by_default(llmprof: Cli, recorded: Path) -> None:
    ran = llmprof("show", "--home", recorded)
    assert (ran.code, ran.err) == (0, "")
    assert ran == llmprof("show", "01bb0002", "--home", recorded)
    assert ran.lines[0] == "claude-sonnet-4-5  anthropic, anthropic.messages, reverse  01bb0002000000000000000000000000"
    assert ran.lines[1].endswith(", 2.0 s (first byte after 500 ms), 200 complete, end_turn")
    assert ran.lines[2] == "input  280, <1% of the window: 200 read from cache, – written to it"
    assert ran.lines[3] == "output 9: – of it reasoning"
    assert ran.lines[4].startswith(
        "cost   $0.0004: $0.0002 fresh input, $0.0001 cache read, $0.0001 output  genai-prices"
    )


@pytest.mark.parametrize(("dialect", "case"), CASES)
def test_raw_is_the_request_as_it_was_sent(dialect: str, case: str, llmprof: Cli, recorded: Path) -> None:
    ran = llmprof("show", case_id(case), "--raw", "--home", recorded)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == json.loads((FIXTURES / dialect / case / "request.json").read_bytes())


@pytest.mark.parametrize(("dialect", "case"), CASES)
def test_json_is_the_call_with_its_trees_and_texts(dialect: str, case: str, llmprof: Cli, recorded: Path) -> None:
    shown = json.loads(llmprof("show", case_id(case), "--json", "--home", recorded).out)
    listed = [json.loads(line) for line in llmprof("calls", "--json", "--home", recorded).lines]
    (own,) = (call for call in listed if call["id"] == case_id(case))
    assert {name: value for name, value in shown.items() if name in own} == own
    assert shown.keys() - own.keys() == {"components", "output_components", "findings", "messages"}
    assert own["api"] == dialect
    assert {each["kind"]: each["tokens"] for each in shown["components"]} == {
        kind: tokens for kind, tokens in own["composition"].items() if tokens
    } or own["usage"]["input_tokens"] is None
    if own["usage"]["input_tokens"] is not None:
        assert sum(each["tokens"] for each in shown["components"]) == own["usage"]["input_tokens"]
    assert {message["section"] for message in shown["messages"]} <= {"tools", "system", "messages", "answer"}


def flame(out: str) -> list[str]:
    """The lines of the prompt's flame."""
    lines = out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("prompt "))
    return lines[start + 1 : lines.index("", start)]


def test_depth_says_how_far_down(llmprof: Cli, recorded: Path) -> None:
    mcp = case_id("mcp_tools")
    by_depth = [llmprof("show", mcp, "--all", "--depth", depth, "--home", recorded).out for depth in (1, 2, 3, 9)]
    counts = [len(flame(out)) for out in by_depth]
    assert counts == sorted(counts)
    assert counts[0] < counts[1] < counts[2]
    assert not any(line.startswith(" ") for line in flame(by_depth[0]))
    assert "tool schemas" in by_depth[0]


def test_most_folds_the_smaller_ones_with_their_sums(llmprof: Cli, tmp_path: Path) -> None:
    tools = [
        {"name": f"tool_{number}", "description": "Do it. " * number, "input_schema": {"type": "object"}}
        for number in range(1, 13)
    ]
    body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "tools": tools}
    body["messages"] = [{"role": "user", "content": "Go."}]
    used = {"input_tokens": 2000, "output_tokens": 3}
    reply = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Done."}], "usage": used}
    record(tmp_path, [make_exchange(body, reply)])
    words = ("show", "--home", tmp_path, "--depth", "2")
    folded = llmprof(*words, "--most", "4").out
    assert "… 8 smaller ones" in folded
    for number in range(1, 13):
        assert (f"tool_{number} " in folded) == (number > 8)
    assert "… 4 smaller ones" in llmprof(*words).out
    assert "smaller" not in llmprof(*words, "--all").out
    # One that would be alone is shown by itself.
    assert "smaller" not in llmprof(*words, "--most", "11").out


def test_an_error_is_shown_with_what_the_provider_said(llmprof: Cli, recorded: Path) -> None:
    ran = llmprof("show", case_id("error"), "--home", recorded)
    assert ran.code == 0
    assert "529 complete" in ran.out
    assert "✗ " in ran.out
    assert "cost   $0" in ran.out


def test_a_request_that_is_no_json_is_shown_whole(llmprof: Cli, tmp_path: Path) -> None:
    reply = {"type": "error", "error": {"type": "invalid_request_error", "message": "not JSON"}}
    record(tmp_path, [make_exchange(b'{"model": "claude', reply, status=400)])
    ran = llmprof("show", "--home", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "✗ " in ran.out
    assert "request body" in ran.out
    assert json.loads(llmprof("show", "--raw", "--home", tmp_path).out) == '{"model": "claude'
