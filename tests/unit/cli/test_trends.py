"""`trends`: a table with sparklines, and the same as JSON."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llmprof_addon.cli.trends import sparkline
from tests.unit.cli.conftest import Cli


def test_all_calls(llmprof: Cli, recorded: Path) -> None:
    ran = llmprof("trends", "--home", recorded)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[1].split()[:2] == ["all", "█"]
    assert ran.lines[2] == "1 day, 2027-01-15 to 2027-01-15 (UTC)"
    assert ran.lines[3] == "no projection from fewer than 50 calls on 2 days"


def test_by_model_as_json(llmprof: Cli, recorded: Path) -> None:
    found = json.loads(llmprof("trends", "--by", "model", "--period", "month", "--json", "--home", recorded).out)
    assert found["starts"] == ["2027-01-01"]
    rows = {row["name"]: row for row in found["rows"]}
    calls = [json.loads(line) for line in llmprof("calls", "--json", "--home", recorded).lines]
    for name, row in rows.items():
        own = [call for call in calls if (call["response_model"] or call["request_model"] or "") == name]
        assert row["calls"] == len(own)
        known = [call["usage"]["input_tokens"] for call in own if call["usage"]["input_tokens"] is not None]
        assert row["input_tokens"] == (sum(known) if known else None)
    assert found["whole"]["calls"] == len(calls)
    assert found["projection"] is None


@pytest.mark.parametrize("by", ["app", "provider", "tool", "server", "template"])
def test_every_dimension_has_a_table(llmprof: Cli, recorded: Path, by: str) -> None:
    ran = llmprof("trends", "--by", by, "--period", "week", "--since", "2027-01-01", "--home", recorded)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0].split()[0] == by


def test_bad_input_is_one_line(llmprof: Cli, recorded: Path) -> None:
    for words in (("--since", "soon"), ("--by", "colour"), ("--period", "hour"), ("--limit", "0")):
        ran = llmprof("trends", *words, "--home", recorded)
        assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert llmprof("trends", "--since", "2030-01-01", "--home", recorded).out == (
        "nothing was recorded since 2030-01-01\n"
    )


def test_sums_that_are_wrong_are_found_and_made_anew(llmprof: Cli, own: Path) -> None:
    with closing(sqlite3.connect(own / "llmprof.db")) as db, db:
        db.execute("UPDATE trend_day SET calls = calls + 1 WHERE dimension = 'provider'")
    ran = llmprof("selftest", "--home", own)
    assert ran.code == 1
    assert "day" in ran.out
    assert llmprof("trends", "--recount", "--home", own).code == 0
    assert llmprof("selftest", "--home", own).code == 0


def test_sparklines() -> None:
    assert sparkline([None, 0, 1, 50, 100]) == "  ▁▄█"
    assert sparkline([]) == ""
    assert len(sparkline(list(range(100)))) == 30
