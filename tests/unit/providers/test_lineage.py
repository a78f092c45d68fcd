import json
from typing import Any

from llmprof_addon.model.part import Json
from llmprof_addon.providers.identity import app_of, identify
from llmprof_addon.providers.lineage import lineage
from tests.factories import make_exchange


def said(body: Json = None, **headers: str) -> dict[str, Any]:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lineage(make_exchange(request_headers=pairs), {} if body is None else body)


def test_claude_code_says_it_in_headers() -> None:
    assert said(
        x_claude_code_agent_id="a1",
        X_Claude_Code_Parent_Agent_Id="a0",
        x_claude_code_request_class="subagent",
        x_claude_code_agent_type="Explore",
        x_claude_code_prompt_id="p1",
        x_claude_code_compaction="auto",
        x_claude_code_context_compacted="manual",
        x_claude_code_prev_tool_durations="Bash=742; mcp__a%3Bb=9;broken;=3;Read=x",
    ) == {
        "agent": "a1",
        "parent_agent": "a0",
        "request_class": "subagent",
        "agent_type": "Explore",
        "user_prompt": "p1",
        "compaction": "auto",
        "compacted": "manual",
        "tool_durations_ms": (("Bash", 742), ("mcp__a;b", 9)),
    }


def test_claude_code_says_it_in_its_first_system_block() -> None:
    billing = (
        "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli; cch=0a1b2; cc_is_subagent=true;"
        " cc_prev_req=req_1; cc_prompt_id=p1; cc_turn_origin=sdk;"
    )
    body = {"system": [{"type": "text", "text": billing}], "diagnostics": {"previous_message_id": "msg_1"}}
    expected = {
        "subagent": "true",
        "user_prompt": "p1",
        "trigger": "sdk",
        "entrypoint": "cli",
        "previous_request": "req_1",
        "previous_message": "msg_1",
    }
    assert said(body) == expected
    assert said(body | {"system": billing}) == expected
    assert said({"system": [{"type": "text", "text": f"Quote: {billing}"}]}) == {}


TURN = {
    "session_id": "s",
    "thread_id": "t1",
    "parent_thread_id": "t0",
    "forked_from_thread_id": "t9",
    "turn_id": "u1",
    "root_turn_id": "u0",
    "parent_turn_id": "u-",
    "window_id": "t1:2",
    "agent_name": "/root/helper",
    "subagent_kind": "reviewer",
    "request_kind": "turn",
    "thread_source": "subagent",
    "turn_trigger": "exec",
    "window_number": 2,
}
LINEAGE = {
    "agent": "t1",
    "parent_agent": "t0",
    "agent_name": "/root/helper",
    "agent_type": "reviewer",
    "request_class": "turn",
    "thread_source": "subagent",
    "forked_from": "t9",
    "window": "t1:2",
    "turn": "u1",
    "root_turn": "u0",
    "parent_turn": "u-",
    "trigger": "exec",
}


def test_codex_says_it_in_headers() -> None:
    found = said(x_codex_turn_metadata=json.dumps(TURN), x_openai_subagent="collab_spawn", thread_id="t1")
    assert found == LINEAGE | {"subagent": "collab_spawn"}
    assert said(x_codex_parent_thread_id="t0", x_codex_window_id="t1:0", thread_id="t1") == {
        "agent": "t1",
        "parent_agent": "t0",
        "window": "t1:0",
    }


def test_the_word_of_a_message_goes_before_that_of_its_connection() -> None:
    held = {"x-codex-turn-metadata": json.dumps(TURN), "x-openai-subagent": "review", "thread_id": "t1"}
    old = json.dumps({"thread_id": "t-old", "turn_id": "u-old", "session_id": "s-old"})
    found = said({"client_metadata": held}, x_codex_turn_metadata=old, x_openai_subagent="compact", thread_id="t-old")
    assert found == LINEAGE | {"subagent": "review"}
    exchange = make_exchange(request_headers=(("x-codex-turn-metadata", old),))
    assert identify(exchange, {"client_metadata": held}).session == "s"
    assert identify(exchange, {"client_metadata": held}).turn == "u1"


def test_odd_values_say_nothing() -> None:
    for held in (
        [],
        "x",
        {"x-codex-turn-metadata": "[1"},
        {"x-codex-turn-metadata": 3, "thread_id": {}, "turn_id": ""},
    ):
        assert said({"client_metadata": held, "diagnostics": [], "system": 3}) == {}
    assert said([], x_codex_turn_metadata="[" * 100_000) == {}
    assert said({"diagnostics": {"previous_message_id": None}}) == {}


def test_apps() -> None:
    for agent, app in (
        ("KimiCLI/1.2", "kimi-cli"),
        ("grok-cli/0.1", "grok-cli"),
        ("CodeBuddy/2.0", "codebuddy"),
        ("antigravity/1.0 linux", "antigravity"),
        ("pi-coding-agent/0.3", "pi"),
        ("codex_exec/0.169.0 (Linux)", "codex"),
        ("pip/24.0", "pip"),
    ):
        assert app_of(make_exchange(request_headers=(("user-agent", agent),))) == app
