"""`runs`, `calls` and `report`: the same stored numbers for people and for programs."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from llmprof_addon.store.open import open_store
from tests.factories import make_exchange
from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import STARTED_NS, case_id, record, turn


def test_runs_newest_first(llmprof: Cli, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "180")
    ran = llmprof("runs", "--home", recorded)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0].split() == "run when app what model calls peak in cached out cost savable".split()
    assert len(ran.lines) == 8
    assert re.match(r"[0-9a-f]{8}  2027-01-15 \d\d:\d\d  ", ran.lines[1])
    assert re.split(r" {2,}", ran.lines[1])[2:] == [
        *("test-client", "My boat leaks near the keel.", "claude-sonnet-4-5"),
        *("2", "280", "420", "71%", "18", "$0.0007", "–"),
    ]
    assert "1 (1 ✗)" in ran.out


def test_runs_as_json_are_the_rows_of_the_store(llmprof: Cli, recorded: Path) -> None:
    rows = [json.loads(line) for line in llmprof("runs", "--home", recorded, "--json").lines]
    assert len(rows) == 7
    assert [row["started_ns"] for row in rows] == sorted((row["started_ns"] for row in rows), reverse=True)
    newest = rows[0]
    assert newest["calls"] == 2
    assert newest["label"] == "My boat leaks near the keel."
    assert newest["models"] == ["claude-sonnet-4-5"]
    assert newest["usage"]["input_tokens"] == 420
    assert newest["usage"]["cache_read_input_tokens"] == 300
    assert newest["peak_context_tokens"] == 280
    assert newest["cache_hit_ratio"] == round(300 / 420, 6)
    # 120 fresh at $3, 300 read at $0.30, 18 out at $15 per million.
    assert newest["cost"]["total_usd"] == "0.00072"
    assert llmprof("runs", "--home", recorded, "--json", "--limit", 2).lines == [json.dumps(row) for row in rows[:2]]


def test_calls_of_all_runs_and_of_one(llmprof: Cli, recorded: Path) -> None:
    every = llmprof("calls", "--home", recorded)
    assert (every.code, every.err, len(every.lines)) == (0, "", 9)
    rows = [json.loads(line) for line in llmprof("calls", "--home", recorded, "--json").lines]
    assert [row["id"][:13] for row in rows] == [line.split()[0] for line in every.lines[1:]]
    run = rows[0]["run_id"]
    own = llmprof("calls", "--home", recorded, "--run", run[:7])
    assert [line.split()[0] for line in own.lines[1:]] == ["01bb000200000", "01bb000100000"]
    assert llmprof("calls", "--home", recorded, "--run", run, "--json").lines == [json.dumps(row) for row in rows[:2]]


def test_a_list_that_is_cut_says_so(llmprof: Cli, recorded: Path) -> None:
    assert llmprof("runs", "--home", recorded, "--limit", 3).lines[-1] == "3 of 7 runs; --limit N shows more"
    assert llmprof("calls", "--home", recorded, "--limit", 1).lines[-1] == "1 of 8 calls; --limit N shows more"
    run = json.loads(llmprof("runs", "--home", recorded, "--json", "--limit", 1).out)["id"]
    assert llmprof("calls", "--home", recorded, "--run", run, "--limit", 1).lines[-1].startswith("1 of 2 calls")
    assert "more" not in llmprof("calls", "--home", recorded, "--run", run, "--limit", 2).out


def test_failed_and_cut_calls_are_marked(llmprof: Cli, recorded: Path) -> None:
    lines = {line.split()[0]: line for line in llmprof("calls", "--home", recorded).lines}
    assert "✗ 529" in lines[case_id("error")[:13]]
    assert "≈" in lines[case_id("cut_stream")[:13]]


def test_ids_that_begin_alike_are_shown_as_far_as_they_differ(llmprof: Cli, tmp_path: Path) -> None:
    ids = [f"01900000{'0' * 20}{number:04x}" for number in range(3)]
    record(tmp_path, [turn(1, [f"Question {id_}"], "Yes.", id=id_) for id_ in ids])
    shown = [line.split()[0] for line in llmprof("calls", "--home", tmp_path).lines[1:]]
    assert sorted(shown) == ids
    for id_ in shown:
        assert llmprof("show", id_, "--home", tmp_path).code == 0


def test_an_empty_store_is_an_empty_list(llmprof: Cli, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db"):
        pass
    for command in ("runs", "calls"):
        ran = llmprof(command, "--home", tmp_path)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "nothing is recorded yet; start with `llmprof up`, or look at `llmprof demo`\n"
        assert llmprof(command, "--home", tmp_path, "--json").out == ""
    for command in ("show", "report"):
        ran = llmprof(command, "--home", tmp_path)
        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith("llmprof: nothing is recorded yet; start with")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "01aa"), "6 ids start with '01aa'; give more of the id"),
        (("show", "ffff"), "there is no call whose id starts with 'ffff'; `llmprof calls` lists them"),
        (("show", ""), "there is no call whose id starts with ''"),
        (("show", "%"), "there is no call whose id starts with '%'"),
        (("report", "zz"), "there is no run whose id starts with 'zz'; `llmprof runs` lists them"),
        (("calls", "--run", "zz"), "there is no run whose id starts with 'zz'"),
    ],
)
def test_ids_that_name_none_or_several(words: tuple[str, ...], said: str, llmprof: Cli, recorded: Path) -> None:
    ran = llmprof(*words, "--home", recorded)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"llmprof: {said}")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
@pytest.mark.parametrize(
    "words", [("runs",), ("calls",), ("report",), ("show", "01aa0005"), ("report", "--depth", "5")]
)
def test_no_width_cuts_a_number(
    words: tuple[str, ...], columns: int, llmprof: Cli, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dollars() -> list[str]:
        return re.findall(r"[<≥]*\$[\d.,]+(?!\S)", llmprof(*words, "--home", recorded).out)

    monkeypatch.setenv("COLUMNS", "300")
    whole = dollars()
    assert len(whole) >= 7
    monkeypatch.setenv("COLUMNS", str(columns))
    assert dollars() == whole
    if columns >= 80:
        lines = llmprof(*words, "--home", recorded).lines
        # Sentences about the call or run stand before the first blank line: the terminal wraps them.
        tables = lines[lines.index("") if "" in lines else 0 :]
        assert max(map(len, tables)) <= columns


def test_report_tells_growth_the_largest_prompt_and_dollars(llmprof: Cli, recorded: Path) -> None:
    ran = llmprof("report", "--home", recorded)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0].startswith("My boat leaks near the keel.  ")
    assert ran.lines[1:3] == [
        "test-client, claude-sonnet-4-5: 2 calls in 7.0 s",
        "420 in (71% read from cache), 18 out, $0.0007",
    ]
    growth = ran.lines[ran.lines.index("Context growth") + 2 :][:2]
    assert [line.split()[0] for line in growth] == ["1", "2"]
    assert [line.count("█") for line in growth] == [28, 56]
    assert "The largest prompt, call 2  llmprof show 01bb0002000000000000000000000000" in ran.out
    dollars = ran.lines[ran.lines.index("Dollars of the whole run by component") + 1 :]
    assert dollars[0].split() == ["component", "tokens", "carried", "read", "cost", "share"]
    assert any(line.startswith("answer: text") for line in dollars)
    shares = [int(line.split()[-1].strip("<%")) for line in dollars[1:]]
    assert shares == sorted(shares, reverse=True)
    assert 98 <= sum(shares) <= 102


def test_the_legend_breaks_between_its_entries(llmprof: Cli, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    run = json.loads(llmprof("show", case_id("function_turn"), "--home", recorded, "--json").out)["run_id"]
    lines = llmprof("report", run, "--home", recorded).lines
    legend = [line for line in lines if line.startswith("██ ")]
    assert len(legend) > 2
    assert max(map(len, legend)) <= 40
    assert all(re.fullmatch(r"██ [a-z]+( [a-z]+)?", entry) for line in legend for entry in line.split("   "))


def test_report_as_json_has_all_of_it(llmprof: Cli, recorded: Path) -> None:
    for line in llmprof("runs", "--home", recorded, "--json").lines[:6]:
        run = json.loads(line)
        told = json.loads(llmprof("report", run["id"], "--home", recorded, "--json").out)
        calls = [json.loads(one) for one in llmprof("calls", "--run", run["id"], "--home", recorded, "--json").lines]
        assert (told["run"], told["calls"]) == (run, calls[::-1])
        assert told["largest"]["id"] in {call["id"] for call in calls}
        prompts = sum(one["tokens"] for one in told["kinds"] if one["in"] == "prompt")
        assert prompts == (run["usage"]["input_tokens"] or 0)
        if run["cost"] is not None and all(call["cost"] for call in calls):
            paid = sum(Decimal(one["cost_usd"] or 0) for one in told["kinds"])
            assert paid == Decimal(run["cost"]["total_usd"])


def test_report_of_a_run_that_only_failed(llmprof: Cli, recorded: Path) -> None:
    call = json.loads(llmprof("show", case_id("error"), "--home", recorded, "--json").out)
    ran = llmprof("report", call["run_id"], "--home", recorded)
    assert (ran.code, ran.err) == (0, "")
    assert "1 call, 1 failed in 2.0 s" in ran.out
    assert "1 ✗" in ran.out


def test_report_of_a_long_run_shows_its_last_calls_by_their_numbers(llmprof: Cli, tmp_path: Path) -> None:
    calls = [turn(number, [f"Question {number}"], "Yes.", session="long") for number in range(1, 64)]
    record(tmp_path, calls)
    ran = llmprof("report", "--home", tmp_path)
    assert "the last 60 of 63 calls" in ran.out
    growth = ran.lines[ran.lines.index("Context growth") + 2 :]
    assert [line.split()[0] for line in growth[:60]] == [str(number) for number in range(4, 64)]


HOSTILE = "\x1b[2J\x1b]0;owned\x07[red]boom[/red]\u202egnihton\r\n\ud800[/]"


def test_texts_from_the_wire_do_not_drive_the_terminal(llmprof: Cli, tmp_path: Path) -> None:
    tool = {"name": "[bold]tool\x1b[0m", "description": HOSTILE, "input_schema": {"type": "object"}}
    request = {"model": f"m-{HOSTILE}", "max_tokens": 9, "tools": [tool], "system": HOSTILE}
    request["messages"] = [{"role": "user", "content": HOSTILE}]
    answer = {"type": "message", "role": "assistant", "stop_reason": HOSTILE, "content": []}
    answer["content"] = [{"type": "text", "text": HOSTILE}]
    exchange = make_exchange(
        request, answer, tags=(("team", HOSTILE),), request_headers=(("user-agent", f"app-{HOSTILE}"),)
    )
    failed = make_exchange(
        request,
        {"type": "error", "error": {"type": "x", "message": HOSTILE}},
        id="2" * 32,
        status=400,
        started_ns=STARTED_NS + 1,
    )
    record(tmp_path, [exchange, failed])
    for words in (("runs",), ("calls",), ("report",), ("show",), ("show", "0000", "--depth", "9"), ("selftest",)):
        ran = llmprof(*words, "--home", tmp_path)
        assert (ran.code, ran.err) == (0, "")
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", ran.out)
    assert "[red]boom[/red]" in llmprof("show", "0000", "--home", tmp_path).out
    assert "[bold]tool" in llmprof("show", "0000", "--home", tmp_path).out
    for words in (("runs", "--json"), ("calls", "--json"), ("show", "0000", "--json"), ("show", "0000", "--raw")):
        ran = llmprof(*words, "--home", tmp_path)
        assert ran.out.isascii()
        assert "\x1b" not in ran.out
    assert json.loads(llmprof("show", "0000", "--home", tmp_path, "--raw").out) == request


def test_unpriced_calls_have_no_cost_and_runs_say_at_least(llmprof: Cli, tmp_path: Path) -> None:
    said = ["Hello?", "Hi.", "And?"]
    priced, unpriced = turn(1, said[:1], "Hi."), turn(2, said, "No.")
    body = unpriced.request_body.replace(b"claude-sonnet-4-5", b"boat-model-1")
    reply = unpriced.response_body.replace(b"claude-sonnet-4-5", b"boat-model-1")
    record(tmp_path, [priced, turn(2, said, "No.", request_body=body, response_body=reply)])
    calls = [json.loads(line) for line in llmprof("calls", "--home", tmp_path, "--json").lines]
    assert [call["cost"] is None for call in calls] == [True, False]
    assert "≥$0.0003" in llmprof("runs", "--home", tmp_path).out
    assert "≥$0.0003" in llmprof("report", "--home", tmp_path).out
    assert llmprof("calls", "--home", tmp_path).lines[1].endswith("–")
    assert "no price is known for this model" in llmprof("show", "--home", tmp_path).out
