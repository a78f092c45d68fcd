"""The set-up script on machines that lack something: one line that says what to do, and nothing half made."""

import os
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).with_name("setup.sh")

OLD = "#!/bin/sh\nexit 1\n"
"""A Python that is too old, or a version manager's shim of one that is not selected."""
WITHOUT_ENSUREPIP = """#!/bin/sh
case "$2" in
*ensurepip*) exit 1 ;;
*print*) echo 3.13 ;;
*) exit 0 ;;
esac
"""


def set_up(tmp_path: Path, **pythons: str) -> subprocess.CompletedProcess[str]:
    folder = tmp_path / "path"
    folder.mkdir()
    for name, script in pythons.items():
        (folder / name.replace("_", ".")).write_text(script)
        (folder / name.replace("_", ".")).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(SETUP), "requirements.lock"],
        cwd=tmp_path,
        env={"PATH": str(folder), "VENV": ".venv"},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell script")
@pytest.mark.parametrize(
    ("pythons", "line"),
    [
        ({}, "needs Python 3.12 or newer"),
        ({"python3": OLD, "python3_13": OLD}, "needs Python 3.12 or newer"),
        ({"python3": WITHOUT_ENSUREPIP}, "install the system package python3.13-venv"),
    ],
    ids=["no Python", "old Pythons", "no ensurepip"],
)
def test_what_is_missing_is_said_in_one_line(tmp_path: Path, pythons: dict[str, str], line: str) -> None:
    done = set_up(tmp_path, **pythons)
    assert done.returncode == 3
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / ".venv").exists()
