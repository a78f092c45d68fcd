"""`session`: a run by hand, from its start to its end; what there is nothing to do with is one line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon import clock
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.tui.recording import agent
from tests.unit.cli.conftest import Cli


def test_a_run_by_hand(llmprof: Cli, tmp_path: Path) -> None:
    def session(*words: str) -> dict[str, object]:
        ran = llmprof("session", *words, "--home", tmp_path, "--json")
        assert (ran.code, ran.err, len(ran.lines)) == (0, "", 1)
        found: dict[str, object] = json.loads(ran.out)
        return found

    assert session("start", "new  prompt", "--note", "warm")["state"] == "active"
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        made = replace(next(agent(turns=1)), started_ns=clock.now_ns(), ended_ns=clock.now_ns() + 10**9)
        process(made, store, PriceBook())
    assert session("pause")["state"] == "paused"
    assert session("resume")["state"] == "active"
    assert session("rename", "second try")["name"] == "second try"
    assert session("tag", "team:blue", "kind:test")["tags"] == {"team": "blue", "kind": "test"}
    assert session("tag", "kind:")["tags"] == {"team": "blue"}
    ended = session("end")
    assert (ended["state"], ended["calls"], ended["note"]) == ("ended", 1, "warm")
    (run,) = [json.loads(line) for line in llmprof("runs", "--home", tmp_path, "--json").lines]
    assert (run["id"], run["label"]) == (ended["run_id"], "second try")
    told = llmprof("session", "status", "--home", tmp_path)
    assert told.lines[0].startswith("second try: ended, from ")
    assert told.lines[1:] == ["warm", "team:blue", f"llmprof report {run['id']}"]


@pytest.mark.parametrize("action", [["pause"], ["resume"], ["end"], ["rename", "x"], ["tag", "a:b"]])
def test_nothing_to_do_it_with(llmprof: Cli, tmp_path: Path, action: list[str]) -> None:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db"):
        pass
    ran = llmprof("session", *action, "--home", tmp_path)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (3, "", 1)
    assert "no session" in ran.err
    assert llmprof("session", "status", "--home", tmp_path, "--json").out == "null\n"
    assert llmprof("session", "status", "--home", tmp_path).out == "no session was ever started\n"


@pytest.mark.parametrize("words", [["start", " "], ["start"], ["tag", "nothing"], ["tag", ":x"], [], ["begin"]])
def test_wrong_use(llmprof: Cli, tmp_path: Path, words: list[str]) -> None:
    ran = llmprof("session", *words, "--home", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err
