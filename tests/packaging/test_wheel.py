"""The wheel as a user gets it: everything the source tree has, nothing else, and it runs where no checkout is."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.packaging


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=os.environ | environ, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", folder, ROOT, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_what_the_source_tree_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = run("git", "ls-files", "llmprof_addon", "tui/llmprof_tui", cwd=ROOT).split()
    assert names == {name.removeprefix("tui/") for name in tracked}
    assert {name.split("/")[0] for name in names} == {"llmprof_addon", "llmprof_tui"}


def test_wheel_installs_from_the_lock_and_runs_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    install = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
    run(*install, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=tmp_path)
    run(*install, "--no-deps", wheel, cwd=tmp_path)
    command = tmp_path / "venv" / "bin" / "llmprof"
    assert run(command, "version", cwd=tmp_path).startswith("llmprof ")
    report = run(command, "demo", "--home", tmp_path / "home", cwd=tmp_path)
    assert "tool schemas" in report
    assert run(command, "selftest", "--home", tmp_path / "home", cwd=tmp_path)


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
