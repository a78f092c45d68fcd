import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llmprof_addon.spool.workerprocess import WorkerProcess

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

ROOT = Path(__file__).parents[3]

FAKE = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
with open(folder / "starts", "a") as file:
    print(os.getpid(), os.environ.get("PYTHONPATH"), os.environ.get("LLMPROF_X"), file=file)
while data := os.read(0, 4096):
    with open(folder / "nudges", "ab") as file:
        file.write(data)
if "--slow" in sys.argv:
    time.sleep(60)
(folder / "drained").touch()
"""


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def make(folder: Path, *arguments: str, interpreter: str = sys.executable) -> WorkerProcess:
    package = folder / "parent" / "llmprof_addon"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "worker.py").write_text(FAKE)
    return WorkerProcess(
        interpreter=interpreter,
        package_parent=package.parent,
        arguments=(str(folder), *arguments),
        environ={"LLMPROF_X": "1"},
        log=folder / "logs" / "worker.log",
    )


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_it_is_started_rung_and_drained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    worker = make(tmp_path)
    worker.start()
    until(lambda: len(lines(tmp_path / "starts")) == 1)
    assert lines(tmp_path / "starts") == [f"{worker.pid} None 1"]
    worker.nudge()
    until(lambda: (tmp_path / "nudges").exists())
    assert worker.stop(10)
    assert (tmp_path / "drained").exists()
    assert worker.pid is None
    worker.nudge()
    assert worker.stop(1)


def test_it_is_started_again_when_it_dies(tmp_path: Path) -> None:
    worker = make(tmp_path)
    worker.start()
    until(lambda: len(lines(tmp_path / "starts")) == 1)
    assert worker.pid is not None
    os.kill(worker.pid, 9)
    until(lambda: len(lines(tmp_path / "starts")) == 2)
    assert worker.restarts == 1
    assert worker.last_error == "the worker ended with exit code -9"
    for _ in range(3):
        worker.nudge()
    until(lambda: (tmp_path / "nudges").exists())
    assert worker.stop(10)


def test_nudges_never_block(tmp_path: Path) -> None:
    worker = make(tmp_path)
    worker.start()
    until(lambda: len(lines(tmp_path / "starts")) == 1)
    assert worker.pid is not None
    os.kill(worker.pid, 19)  # SIGSTOP: nobody reads the pipe
    began = time.monotonic()
    for _ in range(100_000):
        worker.nudge()
    assert time.monotonic() - began < 5
    os.kill(worker.pid, 18)
    assert worker.stop(10)


def test_stop_is_bounded(tmp_path: Path) -> None:
    worker = make(tmp_path, "--slow")
    worker.start()
    until(lambda: len(lines(tmp_path / "starts")) == 1)
    began = time.monotonic()
    assert not worker.stop(0.3)
    assert time.monotonic() - began < 4
    assert worker.pid is None


def test_a_missing_interpreter_is_said_and_harmless(tmp_path: Path) -> None:
    worker = make(tmp_path, interpreter="/nowhere/python")
    worker.start()
    worker.nudge()
    assert worker.last_error == "cannot start the worker with /nowhere/python: No such file or directory"
    assert not worker.stop(5)


def test_the_real_worker_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the json of the current folder was imported')")
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "worker.log"
    worker = WorkerProcess(interpreter=sys.executable, package_parent=ROOT, arguments=("--help",), log=log)
    worker.start()
    until(lambda: "usage: llmprof-worker" in log.read_text() if log.exists() else False)
    worker.stop(10)
