"""How the UI is opened; what it shows is tested elsewhere."""

import os
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.cli import tui
from llmprof_addon.errors import StartError
from tests.unit.cli.conftest import Cli


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was opened, in place of the UI, with a terminal to open it in."""
    seen: list[tuple[Any, ...]] = []
    starter = import_module("llmprof_tui.__main__")

    def open_ui(url: str, home: Path, id: str | None, *, tour: bool, indexed: bool) -> int:
        seen.append((url, home, id, tour, indexed))
        return 0

    monkeypatch.setattr(starter, "open_ui", open_ui)
    monkeypatch.setattr("llmprof_addon.cli.opened.interactive", lambda: True)
    return seen


def test_the_home_and_the_id_are_handed_over(llmprof: Cli, own: Path, opened: list[tuple[Any, ...]]) -> None:
    assert llmprof("tui", "abc", "--home", own).code == 0
    assert opened == [(f"sqlite:///{own}/llmprof.db", own, "abc", False, True)]


def test_without_a_command_a_terminal_opens_it(llmprof: Cli, own: Path, opened: list[tuple[Any, ...]]) -> None:
    assert llmprof("--home", own).code == 0
    assert [(home, id) for _, home, id, *_ in opened] == [(own, None)]


def test_without_a_terminal_it_says_what_prints(llmprof: Cli, own: Path) -> None:
    ran = llmprof("tui", "--home", own)
    assert ran.code == 3
    assert ran.err == "llmprof: the UI needs a terminal; `llmprof runs` and `llmprof report` print instead\n"


def test_an_id_that_is_none_is_one_line(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    starter = import_module("llmprof_tui.__main__")
    assert starter.main([f"sqlite:///{own}/llmprof.db", "nobody"]) == 3
    assert capsys.readouterr().err == (
        "llmprof: there is no run and no call whose id starts with 'nobody'; `llmprof runs` lists them\n"
    )
    assert starter.main(["mysql://x"]) == 2
    assert starter.main([]) == 2


def test_the_browser_view_says_what_is_missing(llmprof: Cli, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ran = llmprof("tui", "--web", "--home", own)
    assert ran.code == 3
    assert ran.lines == []
    assert "llmprof-addon[web]" in ran.err


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The code that is run in place of the demo."""
    code = ["import time; time.sleep(60)"]
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: popen([command[0], "-c", code[0]], **options))
    return code


def test_the_demo_is_ended_and_swept_away(played: list[str], opened: list[tuple[Any, ...]], llmprof: Cli) -> None:
    assert llmprof("tui", "--demo").code == 0
    ((url, home, id, tour, _),) = opened
    assert url == f"sqlite:///{home}/llmprof.db"
    assert (id, tour) == (None, True)
    assert not home.parent.exists()


def test_a_demo_that_failed_says_why(played: list[str]) -> None:
    played[0] = "import sys; sys.exit('llmprof: no port is free')"
    with pytest.raises(StartError) as raised, tui._recording_demo():
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # until it has ended, without taking its exit code
    assert raised.value.hint == "no port is free"
