import os
from pathlib import Path

from llmprof_addon.spool.statefile import StateFile, alive, make_private, read_state


def test_state_is_replaced_as_a_whole_and_only_when_due(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "a" / "worker.json")
    assert file.write({"n": 1})
    assert not file.write({"n": 2})
    assert read_state(file.path) == {"n": 1}
    assert file.write({"n": 3}, now=True)
    assert not file.write({"n": 3}, now=True)
    assert read_state(file.path) == {"n": 3}
    assert [path.name for path in file.path.parent.iterdir()] == ["worker.json"]


def test_a_removed_file_comes_back(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "x.json")
    file.write({"n": 1})
    file.remove()
    assert read_state(file.path) is None
    assert file.write({"n": 1}, now=True)


def test_who_is_alive() -> None:
    assert alive(os.getpid())
    assert not alive(0)
    assert not alive(-1)
    assert not alive(1 << 70)


def test_private_folders_leave_existing_ones_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private(tmp_path / "a" / "b")
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    if os.name != "nt":
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
