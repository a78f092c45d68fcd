"""`findings`, and what `report`, `show` and `runs` say of them."""

import json
from pathlib import Path

import pytest

from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.pipeline.waste import WasteKeeper
from llmprof_addon.store.open import open_store
from tests.unit.cli.conftest import Cli
from tests.unit.pipeline.wasting import Agent


@pytest.fixture(scope="module")
def wasting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run that carried a server's tools for nothing, read a file twice, and was cut off once."""
    home = tmp_path_factory.mktemp("wasting")
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        agent = Agent(store, servers=("wiki\x1b[2J",))
        text = agent.words(500)
        agent.turn(text, path="src/main.py")
        agent.work(8)
        agent.turn("done", tool="run")
        agent.turn(text, path="src/main.py")
        agent.turn("", outcome="aborted")
        agent.work(2)
        WasteKeeper(Thresholds()).look(store)
    return home


def test_each_finding_says_what_to_do_and_where(llmprof: Cli, wasting: Path) -> None:
    ran = llmprof("findings", "--home", wasting)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[1].startswith("3 findings: $0.")
    assert "could be saved" in ran.lines[1]
    heads = [line for line in ran.lines if line[:1] in ("●", "▲", "·")]
    assert [head.split("  ")[-2].strip() for head in heads] == ["billed failures", "fetched again", "unused server"]
    assert sum(line.startswith("  → ") for line in ran.lines) == 3
    assert "    tools[2] " in ran.out
    assert "\x1b" not in ran.out
    assert "llmprof show 0000" in ran.out


def test_fewer_places(llmprof: Cli, wasting: Path) -> None:
    assert "    and 1 more" in llmprof("findings", "--home", wasting, "--places", 1).lines


def test_the_json_has_every_place(llmprof: Cli, wasting: Path) -> None:
    found = json.loads(llmprof("findings", "--home", wasting, "--json").out)
    assert list(found) == ["run_id", "cost_usd", "reclaimable_tokens", "reclaimable_usd", "findings"]
    assert [each["code"] for each in found["findings"]] == ["billed_failures", "fetched_again", "unused_server"]
    server = found["findings"][2]
    assert [(each["saves"], each["path"], each["share"]) for each in server["evidence"]] == [
        ("part", "tools[2]", 1.0),
        ("part", "tools[3]", 1.0),
    ]
    assert server["tokens"] == sum(each["tokens"] for each in server["evidence"])
    assert float(server["saving_usd"]) > 0
    (cut,) = found["findings"][0]["evidence"]
    assert (cut["saves"], cut["node"], cut["path"], cut["call"]) == ("call", None, None, f"{12:032x}")
    assert float(found["reclaimable_usd"]) < float(found["cost_usd"])


def test_report_show_and_runs_say_it_too(llmprof: Cli, wasting: Path) -> None:
    found = json.loads(llmprof("findings", "--home", wasting, "--json").out)
    (run,) = [json.loads(line) for line in llmprof("runs", "--home", wasting, "--json").lines]
    assert (run["findings"], run["reclaimable_usd"]) == (3, found["reclaimable_usd"])
    assert run["reclaimable_tokens"] == found["reclaimable_tokens"]
    report = llmprof("report", "--home", wasting).out
    assert "What to change, $0." in report
    assert "none of the 2 tools of wiki" in report
    shown = json.loads(llmprof("show", f"{11:032x}", "--home", wasting, "--json").out)
    assert [each["code"] for each in shown["findings"]] == ["unused_server"]
    assert shown["findings"][0]["evidence"][0]["call"] == shown["id"]
    cut = json.loads(llmprof("show", f"{12:032x}", "--home", wasting, "--json").out)
    assert [each["code"] for each in cut["findings"]] == ["billed_failures", "fetched_again", "unused_server"]
    assert cut["findings"][0]["saving_usd"] == cut["cost"]["total_usd"]
    assert "unused server" in llmprof("show", f"{11:032x}", "--home", wasting).out


def test_thresholds_hold_at_once(llmprof: Cli, wasting: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'db_url = "sqlite:///{wasting}/llmprof.db"\n[findings]\nunused_tool_calls = 500\nduplicate_tokens = 99999\n'
    )
    found = json.loads(llmprof("findings", "--home", tmp_path, "--json").out)
    assert [each["code"] for each in found["findings"]] == ["billed_failures"]


def test_a_bad_threshold_is_one_line(llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[findings]\nsaving = 1\n")
    ran = llmprof("findings", "--home", tmp_path)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    assert "unknown threshold: saving" in ran.err


def test_runs_without_anything_to_say(llmprof: Cli, recorded: Path) -> None:
    ran = llmprof("findings", "--home", recorded)
    assert (ran.code, ran.lines[1]) == (0, "nothing found that would be worth changing")
    assert json.loads(llmprof("findings", "--home", recorded, "--json").out)["findings"] == []


def test_an_unknown_run_and_an_empty_home(llmprof: Cli, recorded: Path, tmp_path: Path) -> None:
    for home, words in ((recorded, ("nowhere",)), (tmp_path, ())):
        ran = llmprof("findings", *words, "--home", home)
        assert ran.code == 3
        assert len(ran.err.splitlines()) == 1
