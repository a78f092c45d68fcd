"""`cache`, and what `report` and `show` say of a broken cache."""

import json
from pathlib import Path

import pytest

from llmprof_addon.model.cache import CacheCause
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.simulator.runs import play
from tests.unit.cli.conftest import Cli


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run whose system prompt changed in its sixth call."""
    home = tmp_path_factory.mktemp("broken")
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        list(play("anthropic", CacheCause.SYSTEM_CHANGED, 5, store, PriceBook(), turns=7))
    return home


def test_a_break_is_told_with_its_cost_and_both_texts(llmprof: Cli, broken: Path) -> None:
    ran = llmprof("cache", "--home", broken)
    assert (ran.code, ran.err) == (0, "")
    assert "re-write factor 1.78" in ran.lines[1]
    assert ran.lines[2].startswith("1 break: 10.7k tokens paid for anew, $0.3036 wasted; $0.5710 instead of $0.8746")
    assert ran.lines[4].startswith("✂ call 6  10.7k lost, $0.3036 wasted  the system prompt changed: system[1]")
    assert ran.lines[5].startswith("  − garden buffer")
    assert ran.lines[6].startswith("  + Today is day 5. garden buffer")


def test_the_json_has_every_verdict(llmprof: Cli, broken: Path) -> None:
    found = json.loads(llmprof("cache", "--home", broken, "--json").out)
    assert list(found["by_cause"]) == ["system_changed"]
    assert [each["cache"]["verdict"] for each in found["verdicts"]] == ["cold", *["hit"] * 4, "break", "hit"]
    (broke,) = [each for each in found["verdicts"] if each["cache"]["lost_tokens"]]
    assert broke["after"].startswith("Today is day 5.")
    assert broke["cache"]["lost_tokens"] == found["lost_tokens"] == found["by_cause"]["system_changed"]["lost_tokens"]
    assert broke["cache"]["wasted_usd"] == found["wasted_usd"]
    (run,) = [json.loads(line) for line in llmprof("runs", "--home", broken, "--json").lines]
    assert (run["cache_breaks"], run["wasted_usd"]) == (1, found["wasted_usd"])


def test_report_and_show_say_it_too(llmprof: Cli, broken: Path) -> None:
    report = llmprof("report", "--home", broken).out
    assert "1 cache break: 10.7k tokens paid for anew" in report
    assert " 6 ✂ " in report
    calls = [json.loads(line) for line in llmprof("calls", "--home", broken, "--json").lines]
    (broke,) = [call for call in calls if call["cache"]["lost_tokens"]]
    shown = llmprof("show", "--home", broken, broke["id"]).out
    assert "cache  break: the system prompt changed: system[1]; 10,652 tokens paid for anew, $0.3036 wasted" in shown


def test_a_run_without_verdicts_says_so(llmprof: Cli, recorded: Path) -> None:
    runs = [json.loads(line) for line in llmprof("runs", "--home", recorded, "--json").lines]
    calls = [json.loads(line) for line in llmprof("calls", "--home", recorded, "--json").lines]
    unjudged = {run["id"] for run in runs} - {call["run_id"] for call in calls if call["cache"]}
    assert unjudged
    for run in unjudged:
        ran = llmprof("cache", "--home", recorded, run)
        assert ran.code == 0
        assert "no verdict" in ran.out


def test_an_unknown_run_is_one_line(llmprof: Cli, broken: Path) -> None:
    ran = llmprof("cache", "--home", broken, "nothing")
    assert (ran.code, len(ran.err.splitlines())) == (3, 1)
