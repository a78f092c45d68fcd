"""`llmprof check` and `llmprof baseline` over the recorded home: eight calls in seven runs, the newest of two."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import conversation, record, turn

NEWEST_USD = "0.00072"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--max-usd", NEWEST_USD], 0),
        (["--max-usd", "0.00071"], 1),
        (["--max-context", "280", "--last"], 0),
        (["--max-context", "279"], 1),
        (["--max-context", "0.1%"], 1),
        (["--max-growth", "139"], 1),
        (["--max-schema-tokens", "0"], 0),
        (["--min-cache-hit", "72%"], 1),
        (["--max-breaks", "0"], 0),
        (["--max-usd", "1", "--max-breaks", "0", "--max-growth", "1"], 1),
    ],
)
def test_each_limit_decides(llmprof: Cli, recorded: Path, words: list[str], code: int) -> None:
    done = llmprof("check", "--home", recorded, *words)
    assert (done.code, done.err) == (code, "")
    assert done.lines[0].startswith("1 of" if code else "passed: run ")
    assert len(done.lines) == 1 + sum(word.startswith(("--m", "--t")) for word in words)


def test_an_unpriced_run_passes_no_limit_of_dollars(llmprof: Cli, tmp_path: Path) -> None:
    first, second = conversation()
    body = second.request_body.replace(b"claude-sonnet-4-5", b"mystery-9")
    answer = second.response_body.replace(b"claude-sonnet-4-5", b"mystery-9")
    third = turn(3, ["Something else."], "Yes.", request_body=body, response_body=answer)
    home = record(tmp_path / "home", [first, second, third])
    done = llmprof("check", "--home", home, "--since", "2020-01-01", "--max-usd", "100")
    assert done.code == 1
    assert "not known (1 of 3 calls without a known price: mystery-9)" in done.lines[1]


def test_calls_since_a_time_are_taken_together(llmprof: Cli, recorded: Path) -> None:
    done = llmprof("check", "--home", recorded, "--since", "2020-01-01T00:00", "--max-usd", "1", "--json")
    told = json.loads(done.out)
    assert (done.code, told["measured"]["calls"]) == (0, 8)
    nothing = llmprof("check", "--home", recorded, "--since", "2099-01-01", "--max-usd", "1")
    assert (nothing.code, nothing.out) == (3, "")
    assert "nothing was recorded since 2099-01-01" in nothing.err


def test_a_baseline_and_what_is_worse(llmprof: Cli, recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / "budget.json"
    path.write_text(llmprof("baseline", "--home", recorded).out)
    assert json.loads(path.read_text())["cost_usd"] == NEWEST_USD
    assert llmprof("baseline", "--home", recorded, "--json").out == json.dumps(json.loads(path.read_text())) + "\n"
    same = llmprof("check", "--home", recorded, "--baseline", path, "--tolerance", "0%")
    assert (same.code, same.lines[0].partition(":")[0]) == (0, "passed")
    path.write_text(path.read_text().replace(NEWEST_USD, "0.0005"))
    worse = llmprof("check", "--home", recorded, "--baseline", path)
    assert worse.code == 1
    assert [line for line in worse.lines if line.startswith("✗")] == [
        "✗ baseline: dollars            $0.00072, 44% more than $0.0005; tolerated is 5%"
    ]
    assert llmprof("check", "--home", recorded, "--baseline", path, "--tolerance", "44%").code == 0


@pytest.mark.parametrize("form", ["text", "markdown", "junit", "json"])
def test_forms(llmprof: Cli, recorded: Path, form: str) -> None:
    done = llmprof("check", "--home", recorded, "--max-usd", "0", "--format", form)
    assert done.code == 1
    if form == "junit":
        assert ElementTree.fromstring(done.out).get("failures") == "1"
    elif form == "json":
        assert json.loads(done.out)["checks"][0]["value"] == NEWEST_USD
    else:
        assert f"${NEWEST_USD}" in done.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "nothing to check"),
        (["--max-usd", "cheap"], 2, "max-usd: 'cheap' is no amount of dollars"),
        (["--max-usd", "1", "--tolerance", "x"], 2, "tolerance: 'x' is no share"),
        (["--max-usd", "1", "--since", "soon"], 2, "'soon' is no age"),
        (["--max-usd", "1", "--since", "1h", "--last"], 2, "exclude one another"),
        (["nope", "--max-usd", "1"], 3, "there is no run whose id starts with 'nope'"),
        (["--baseline", "/no/such/file"], 3, "/no/such/file: No such file or directory"),
        (["--baseline", "BROKEN"], 2, "is no baseline of llmprof"),
        (["--json", "--format", "text", "--max-usd", "1"], 2, "not allowed with"),
    ],
)
def test_wrong_use_is_one_line(
    llmprof: Cli, recorded: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    (tmp_path / "broken.json").write_text("{}")
    done = llmprof(
        "check", "--home", recorded, *(tmp_path / "broken.json" if word == "BROKEN" else word for word in words)
    )
    assert (done.code, done.out, len(done.err.splitlines())) == (code, "", 1)
    assert said in done.err


def test_no_store_and_unknown_run(llmprof: Cli, recorded: Path, tmp_path: Path) -> None:
    assert llmprof("check", "--home", tmp_path / "new", "--max-usd", "1").code == 3
    unknown = llmprof("baseline", "--home", recorded, "nope")
    assert (unknown.code, unknown.out) == (3, "")


@pytest.mark.parametrize(("limit", "code"), [("0", 1), ("99", 0)])
def test_a_reader_that_goes_away_opens_no_gate(recorded: Path, limit: str, code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    words = ["check", "--home", str(recorded), "--max-usd", limit]
    ran = subprocess.run([sys.executable, "-m", "llmprof_addon", *words], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (ran.returncode, ran.stderr) == (code, b"")
