from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli


def test_the_loader_lies_in_the_home_and_its_path_is_printed(llmprof: Cli, tmp_path: Path) -> None:
    ran = llmprof("addon", "--home", tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, f"{tmp_path}/llmprof_addon\n", "")
    compile((tmp_path / "llmprof_addon").read_text(), "loader", "exec")


def test_or_here(llmprof: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    ran = llmprof("addon", "--here", "--home", tmp_path / "home")
    assert (ran.code, ran.out) == (0, f"{tmp_path}/here/llmprof_addon\n")
    assert (tmp_path / "here" / "llmprof_addon").is_file()


def test_where_nothing_can_be_written_it_could_not_run(llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = llmprof("addon", "--home", tmp_path / "file" / "home")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"llmprof: cannot write to {tmp_path}/file/home")
