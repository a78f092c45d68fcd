"""The main job, as a new user runs it: the demo records a run through the real proxy and reports on it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def llmprof(*words: str | Path, **environ: str) -> str:
    command = [sys.executable, "-m", "llmprof_addon", *map(str, words)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("demo") / "home"
    return home, llmprof("demo", "--home", home)


def test_report_tells_growth_flame_and_dollars(recorded: tuple[Path, str]) -> None:
    home, report = recorded
    for words in ("Context growth", "The largest prompt", "tool schemas", "Dollars of the whole run", str(home)):
        assert words in report


def test_twelve_calls_are_one_run_half_by_either_way_in(recorded: tuple[Path, str]) -> None:
    home, _ = recorded
    (run,) = map(json.loads, llmprof("runs", "--json", "--home", home).splitlines())
    calls = [json.loads(line) for line in llmprof("calls", "--json", "--home", home).splitlines()]
    assert run["calls"] == len(calls) == 12
    assert sorted(call["mode"] for call in calls) == ["forward"] * 6 + ["reverse"] * 6
    assert all(call["stream"] and call["transport"] == "sse" and call["outcome"] == "complete" for call in calls)
    assert all(call["usage"]["source"] == "reported" and call["cost"] for call in calls)
    assert run["cache_hit_ratio"] > 0.5


def test_unused_mcp_server_stands_in_the_flame(recorded: tuple[Path, str]) -> None:
    home, _ = recorded
    shown = json.loads(llmprof("show", "--json", "--home", home))
    (schemas,) = (component for component in shown["components"] if component["kind"] == "tool_schemas")
    (tracker,) = (child for child in schemas["children"] if child["name"] == "tracker")
    assert len(tracker["children"]) == 7
    assert sum(component["tokens"] for component in shown["components"]) == shown["usage"]["input_tokens"]


def test_laws_hold_and_a_second_demo_is_a_second_run(recorded: tuple[Path, str]) -> None:
    home, _ = recorded
    llmprof("demo", "--home", home)
    assert "no breaches" in llmprof("selftest", "--home", home)
    assert len(llmprof("runs", "--json", "--home", home).splitlines()) == 2


def test_the_users_own_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "llmprof.db").write_bytes(b"somebody else's")
    llmprof("demo", LLMPROF_HOME=str(tmp_path / "own"), LLMPROF_DB_URL=f"sqlite:///{tmp_path}/team.db")
    assert (tmp_path / "own" / "llmprof.db").read_bytes() == b"somebody else's"
    assert (tmp_path / "own" / "demo" / "llmprof.db").exists()
    assert not (tmp_path / "team.db").exists()
