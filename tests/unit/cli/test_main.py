import subprocess
import sys
from pathlib import Path

import pytest

from llmprof_addon import __version__, cli
from llmprof_addon.errors import ConfigError, SpoolError, StartError, StoreError
from tests.unit.cli.conftest import Cli


def test_no_command_shows_all_commands(llmprof: Cli) -> None:
    ran = llmprof()
    assert ran.code == 0
    for name, summary in cli.COMMANDS.items():
        assert name in ran.out
        assert summary in ran.out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_teaches_and_takes_a_home(name: str, llmprof: Cli) -> None:
    ran = llmprof(name, "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert "--home DIR" in ran.out
    assert max(map(len, ran.lines)) <= 120
    if name != "version":
        assert "Examples:\n  llmprof " in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rnus"], "invalid choice: 'rnus'"),
        (["runs", "--jsonx"], "unrecognized arguments: --jsonx"),
        (["runs", "--js"], "unrecognized arguments: --js"),
        (["runs", "--limit", "0"], "'0' is no whole number above 0"),
        (["calls", "--limit", "many"], "'many' is no whole number above 0"),
        (["show", "--depth", "-1"], "--depth"),
        (["import"], "PATH"),
        (["prune"], "--older-than"),
    ],
)
def test_wrong_use_is_2_and_one_line(words: list[str], said: str, llmprof: Cli) -> None:
    ran = llmprof(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("llmprof: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert "--help` says more" in ran.err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("that is wrong", hint="do this"), 2, "llmprof: that is wrong; do this\n"),
        (StartError("port 4000 is in use"), 3, "llmprof: port 4000 is in use\n"),
        (StoreError("two\nlines\x1b[2J"), 3, "llmprof: two lines [2J\n"),
        (SpoolError("damaged"), 3, "llmprof: damaged\n"),
        (PermissionError(13, "Permission denied", "/some/file"), 3, "llmprof: /some/file: Permission denied\n"),
        (OSError("timed out"), 3, "llmprof: timed out\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_are_one_line_and_a_code(
    error: BaseException, code: int, line: str, llmprof: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr("llmprof_addon.cli.version.run", fail)
    ran = llmprof("version")
    assert (ran.code, ran.out, ran.err) == (code, "", line)


def test_version(llmprof: Cli) -> None:
    assert llmprof("version").out.startswith(f"llmprof {__version__} (mitmproxy 12.")
    assert llmprof("--version").out == f"llmprof {__version__}\n"


READERS = ("runs", "calls", "show", "report", "selftest")


@pytest.mark.parametrize("command", READERS)
def test_without_a_store_there_is_a_line_that_says_how_to_make_one(command: str, llmprof: Cli, tmp_path: Path) -> None:
    ran = llmprof(command, "--home", tmp_path / "none")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"llmprof: no store at {tmp_path}/none/llmprof.db; `llmprof up` makes one and records into it\n"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", READERS)
def test_a_file_that_is_no_store_is_left_alone(command: str, llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "llmprof.db").write_bytes(b"something else " * 100)
    ran = llmprof(command, "--home", tmp_path)
    assert ran.code == 3
    assert "not a database" in ran.err
    assert ran.err.count("\n") == 1
    assert (tmp_path / "llmprof.db").read_bytes() == b"something else " * 100


def test_an_unknown_database_is_wrong_use(llmprof: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMPROF_DB_URL", "mysql://there/db")
    ran = llmprof("runs")
    assert ran.code == 2
    assert "LLMPROF_DB_URL: 'mysql' is no database that llmprof knows" in ran.err


def test_an_unwritable_home_could_not_run(llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "one.exchange").write_bytes(b"")
    ran = llmprof("import", tmp_path / "one.exchange", "--home", tmp_path / "file" / "home")
    assert ran.code == 3
    assert ran.err.startswith(f"llmprof: cannot write to {tmp_path}/file/home: Not a directory; name a folder")


def test_the_home_may_stand_before_the_command_and_the_later_one_wins(
    llmprof: Cli, recorded: Path, tmp_path: Path
) -> None:
    inside = llmprof("runs", "--home", recorded)
    assert inside.code == 0
    assert llmprof("--home", recorded, "runs") == inside
    assert llmprof("--home", tmp_path / "none", "runs", "--home", recorded) == inside


def test_the_home_of_the_environment(llmprof: Cli, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMPROF_HOME", str(recorded))
    assert llmprof("calls") == llmprof("calls", "--home", recorded)


@pytest.mark.parametrize("words", [("calls", "--json"), ("runs",), ("show",), ("report",)])
def test_a_reader_that_goes_away_is_no_error(words: tuple[str, ...], recorded: Path) -> None:
    command = [sys.executable, "-m", "llmprof_addon", *words, "--home", str(recorded)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    assert (process.wait(30), complaint) == (0, b"")
    process.stderr.close()


def test_a_pipe_of_few_characters_gets_the_report_all_the_same(recorded: Path) -> None:
    command = [sys.executable, "-X", "utf8=0", "-m", "llmprof_addon", "show", "--home", str(recorded)]
    done = subprocess.run(command, capture_output=True, timeout=30, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"claude-sonnet-4-5" in done.stdout
