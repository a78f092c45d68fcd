"""`prune` and `reset`."""

import io
import json
from pathlib import Path

import pytest

from llmprof_addon import clock
from llmprof_addon.cli.opened import age_ns
from llmprof_addon.spool.folder import Spool
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import SECOND, at, record, turn

DAY = 86_400 * SECOND


class Terminal(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


def counted(home: Path) -> tuple[int, int]:
    with open_store(f"sqlite:///{home}/llmprof.db", read_only=True) as store:
        return queries.count(store)


@pytest.fixture
def aged(tmp_path: Path) -> Path:
    """A conversation whose first turn is 40 days old, the second 2 days; and a call of 50 days."""
    first = ["My boat leaks."]
    now = clock.now_ns()
    return record(
        tmp_path,
        [
            at(turn(3, ["Anything else?"], "No."), now - 50 * DAY),
            at(turn(1, first, "How fast?"), now - 40 * DAY),
            at(turn(2, [*first, "How fast?", "A cup an hour."], "Caulk it."), now - 2 * DAY),
        ],
    )


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), (" 12H ", 43_200), ("30d", 2_592_000), ("1w", 604_800)])
def test_ages(text: str, seconds: int) -> None:
    assert age_ns(text) == seconds * SECOND


@pytest.mark.parametrize(
    ("age", "deleted", "left"),
    [("60d", 0, (2, 3)), ("45d", 1, (1, 2)), ("5w", 2, (1, 1)), ("60m", 3, (0, 0)), (f"{10**30}w", 0, (2, 3))],
)
def test_prune_deletes_what_is_older(age: str, deleted: int, left: tuple[int, int], llmprof: Cli, aged: Path) -> None:
    ran = llmprof("prune", "--older-than", age, "--yes", "--home", aged)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[1].split()[:2] == ["deleted", str(deleted)]
    assert counted(aged) == left
    assert llmprof("selftest", "--home", aged).code == 0


def test_a_conversation_that_goes_on_keeps_its_history(llmprof: Cli, aged: Path) -> None:
    before = llmprof("show", "--raw", "--home", aged).out
    llmprof("prune", "--older-than", "30d", "--yes", "--home", aged)
    assert llmprof("show", "--raw", "--home", aged).out == before


@pytest.mark.parametrize("age", ["", "30", "d", "-1d", "1.5d", "30 days", "1y", "30d30d"])
def test_a_bad_age_is_wrong_use(age: str, llmprof: Cli, aged: Path) -> None:
    ran = llmprof("prune", f"--older-than={age}", "--yes", "--home", aged)
    assert (ran.code, ran.out) == (2, "")
    assert f"{age!r} is no age; write a number with a unit, e.g. 90m, 12h, 30d, 8w" in ran.err
    assert counted(aged) == (2, 3)


@pytest.mark.parametrize("words", [("reset",), ("prune", "--older-than", "1d")])
def test_without_a_terminal_and_yes_nothing_is_deleted(
    words: tuple[str, ...], llmprof: Cli, aged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    ran = llmprof(*words, "--home", aged)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "llmprof: not asked, because standard input is no terminal; add --yes\n"
    assert counted(aged) == (2, 3)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), (" YES \n", 0), ("n\n", 1), ("\n", 1), ("", 1), ("yeah\n", 1)])
def test_reset_asks(typed: str, code: int, llmprof: Cli, aged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    ran = llmprof("reset", "--home", aged)
    assert (ran.code, ran.err) == (code, "")
    assert ran.out.startswith(f"Delete 3 calls in 2 runs from {aged}/llmprof.db? [y/N] ")
    assert counted(aged) == ((0, 0) if code == 0 else (2, 3))


def test_prune_asks_with_the_time(llmprof: Cli, aged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    ran = llmprof("prune", "--older-than", "400d", "--home", aged)
    assert ran.code == 1
    assert f" from {aged}/llmprof.db? [y/N] " in ran.out
    assert ran.out.startswith("Delete the calls from before 20")


def test_what_would_go_is_what_goes(llmprof: Cli, aged: Path) -> None:
    words = ("prune", "--older-than", "45d", "--bodies", "30d", "--json", "--home", aged)
    foreseen = llmprof(*words, "--dry-run")
    assert counted(aged) == (2, 3)
    pruned = llmprof(*words, "--yes")
    assert (foreseen.code, pruned.code, foreseen.err + pruned.err) == (0, 0, "")
    would, did = json.loads(foreseen.out), json.loads(pruned.out)
    assert (would.pop("dry_run"), did.pop("dry_run")) == (True, False)
    assert did["left"].pop("bytes") > 0
    assert would["left"].pop("bytes") is None  # before it is known
    assert would == did
    assert (did["deleted"]["calls"], did["texts_dropped"]["calls"]) == (1, 1)


def test_a_dropped_text_says_so(llmprof: Cli, aged: Path) -> None:
    said = llmprof("search", "boat leaks", "--json", "--home", aged)
    assert "My boat leaks." in llmprof("show", "--raw", "--home", aged).out
    ran = llmprof("prune", "--bodies", "1d", "--yes", "--home", aged)
    assert ran.out.splitlines()[2].split()[:3] == ["texts", "dropped", "3"]
    for words in (("show",), ("show", "--raw"), ("rent",), ("tools",), ("cache",), ("runs",), ("calls",)):
        shown = llmprof(*words, "--home", aged)
        assert (shown.code, shown.err) == (0, ""), words
        if words[0] == "show":
            assert "text was dropped for its age" in shown.out
            assert "A cup an hour" not in shown.out
    assert llmprof("search", "boat leaks", "--json", "--home", aged).out == ""
    assert said.code == 0
    assert llmprof("selftest", "--home", aged).code == 0


def test_the_limits_of_the_settings_hold_without_others(
    llmprof: Cli, aged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMPROF_CALLS_DAYS", "45")
    assert llmprof("prune", "--yes", "--home", aged).out.splitlines()[1].split()[:2] == ["deleted", "1"]
    monkeypatch.setenv("LLMPROF_MAX_DB_MB", "many")
    ran = llmprof("prune", "--yes", "--home", aged)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "LLMPROF_MAX_DB_MB must be a whole number above 0" in ran.err


def test_reset_leaves_an_empty_store_the_ca_and_what_waits(llmprof: Cli, own: Path) -> None:
    (own / "ca").mkdir()
    (own / "ca" / "bundle.pem").touch()
    (own / "config.toml").touch()
    spool = Spool(own / "spool")
    spool.quarantine(spool.add(turn(8, ["Broken?"], "Yes.")), "Traceback")
    waiting = spool.add(turn(9, ["Later?"], "Yes."))
    ran = llmprof("reset", "--yes", "--home", own)
    assert (ran.code, ran.out, ran.err) == (0, "deleted 8 calls in 7 runs\n", "")
    assert counted(own) == (0, 0)
    assert (own / "ca" / "bundle.pem").exists()
    assert (own / "config.toml").exists()
    assert spool.scan() == [waiting]
    assert list(spool.failed_folder.iterdir()) == []
    assert llmprof("runs", "--home", own).out.startswith("nothing is recorded yet")
    assert llmprof("reset", "--yes", "--home", own).out == "deleted 0 calls in 0 runs\n"


@pytest.mark.parametrize("words", [("reset", "--yes"), ("prune", "--older-than", "1d", "--yes")])
def test_a_store_that_is_not_there_is_not_made(words: tuple[str, ...], llmprof: Cli, tmp_path: Path) -> None:
    ran = llmprof(*words, "--home", tmp_path / "none")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"llmprof: no store at {tmp_path}/none/llmprof.db; there is nothing to delete\n"
    assert not (tmp_path / "none").exists()
