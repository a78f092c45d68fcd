"""`llmprof diff`: two turns of a conversation, and two runs."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import case_id, conversation, record, turn

FIRST, SECOND = (exchange.id for exchange in conversation())


def test_two_calls(llmprof: Cli, recorded: Path) -> None:
    done = llmprof("diff", "--home", recorded, FIRST, SECOND)
    assert done.code == 0, done.err
    assert "one prompt begins with all of the other" in done.out
    (change,) = [line.split() for line in done.lines if line.startswith("change ") and "part" not in line]
    assert change == ["change", "+140", "+100", "±0", "+$0.0001"]
    assert [line.split()[0] for line in done.lines if "messages[" in line] == ["new", "new"]


def test_json_sums_to_the_calls(llmprof: Cli, recorded: Path) -> None:
    told = json.loads(llmprof("diff", "--home", recorded, FIRST, SECOND, "--json").out)
    usages = [told[side]["usage"]["input_tokens"] for side in ("before", "after")]
    assert sum(part["tokens"] for part in told["parts"]) == usages[1] - usages[0]
    assert sum(kind["tokens"] for kind in told["kinds"]) == usages[1] - usages[0]
    assert told["parting"] is None
    assert {part["change"] for part in told["parts"]} == {"same", "new", "changed"}


def test_other_prompts_part(llmprof: Cli, recorded: Path) -> None:
    done = llmprof("diff", "--home", recorded, case_id("agent_turn"), case_id("mcp_tools"))
    assert "the prompts part at " in done.out
    assert "gone" in done.out
    same = llmprof("diff", "--home", recorded, FIRST, FIRST)
    assert "both prompts are the same, part for part" in same.out
    few = llmprof("diff", "--home", recorded, case_id("agent_turn"), case_id("mcp_tools"), "--most", "2")
    assert few.lines[-1].startswith("2 of ")


def test_two_runs(llmprof: Cli, tmp_path: Path) -> None:
    other = turn(9, ["Something else.", "What?", "The mast."], "Paint it.")
    home = record(tmp_path / "home", [*conversation(), other])
    newest, oldest = (json.loads(line) for line in llmprof("runs", "--home", home, "--json").lines)
    done = llmprof("diff", "--home", home, oldest["id"], newest["id"])
    assert done.code == 0, done.err
    assert f"the largest prompt of each: {SECOND} and {other.id}" in done.out
    told = json.loads(llmprof("diff", "--home", home, oldest["id"], newest["id"], "--json").out)
    assert (told["before"]["calls"], told["after"]["calls"]) == (2, 1)
    assert told["largest"]["after"]["id"] == other.id
    totals = [sum(kind[f"tokens_{side}"] for kind in told["kinds"]) for side in ("before", "after")]
    assert totals == [told["before"]["usage"]["input_tokens"], told["after"]["usage"]["input_tokens"]]


def test_a_run_without_a_prompt(llmprof: Cli, recorded: Path) -> None:
    runs = [json.loads(line) for line in llmprof("runs", "--home", recorded, "--json").lines]
    failed = next(run for run in runs if run["peak_context_tokens"] is None)
    done = llmprof("diff", "--home", recorded, failed["id"], runs[0]["id"])
    assert (done.code, done.lines[-1]) == (0, "one of the runs has no prompt")


@pytest.mark.parametrize(("other", "code"), [("nope", 3), ("RUN", 2)])
def test_what_cannot_be_compared_is_one_line(llmprof: Cli, recorded: Path, other: str, code: int) -> None:
    newest = json.loads(llmprof("runs", "--home", recorded, "--json", "--limit", "1").out)["id"]
    done = llmprof("diff", "--home", recorded, FIRST, newest if other == "RUN" else other)
    assert (done.code, done.out, len(done.err.splitlines())) == (code, "", 1)
