import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmprof_addon.errors import SpoolError
from llmprof_addon.spool.lock import worker_lock

HOLD = """
import sys, pathlib
from llmprof_addon.spool.lock import worker_lock
lock = worker_lock(pathlib.Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    one, two = worker_lock(tmp_path / "spool"), worker_lock(tmp_path / "spool")
    assert one.acquire()
    assert one.acquire()
    assert not two.acquire()
    assert two.holder() == os.getpid()
    one.release()
    assert not one.held
    assert two.acquire()
    two.release()


def test_a_full_disk_does_not_keep_the_lock_from_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    one, two = worker_lock(tmp_path), worker_lock(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert one.acquire()
    assert one.held
    assert not two.acquire()
    one.release()
    assert two.acquire()
    two.release()


def test_a_place_for_no_lock_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(SpoolError, match="cannot lock "):
        worker_lock(tmp_path / "spool" / "below").acquire()


def test_death_frees_the_lock(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "True\n"
    lock = worker_lock(tmp_path)
    assert not lock.acquire()
    assert lock.holder() == child.pid
    child.kill()
    child.communicate()
    assert lock.acquire()
    lock.release()


def test_holder_of_a_lock_that_never_was(tmp_path: Path) -> None:
    assert worker_lock(tmp_path / "none").holder() is None
