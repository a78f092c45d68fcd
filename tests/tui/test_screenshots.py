"""The README's pictures: there, named there, small, and of the screens as they are."""

import html
import re
from pathlib import Path

import pytest

from tests.tui import screenshots

README = screenshots.FOLDER.parents[1] / "README.md"
WORDS = {
    "runs": ("Runs", "The test test_upload_retr", "context", "tool schemas", "Search", "9 runs by start"),
    "run": ("1 Calls", "2 Tools", "window 200k", "ended with", "Tokens/$"),
    "call": ("1 Flame", "6 Raw", "prompt › tool results › read_file", "73% of tool results"),
    "diff": ("before", "after", "tokens are shared", "Here is the module under test."),
}
LARGEST_BYTES = 120_000


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")  # which it sets: put back afterwards
        screenshots.main(folder)
    return folder


def words(picture: Path) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", picture.read_text(encoding="utf-8"))).replace("\xa0", " ")


@pytest.mark.parametrize("name", screenshots.PICTURES)
def test_a_picture_shows_its_screen(taken: Path, name: str) -> None:
    kept = screenshots.FOLDER / f"{name}.svg"
    assert f"tui/screenshots/{name}.svg" in README.read_text(encoding="utf-8")
    assert kept.stat().st_size < LARGEST_BYTES
    for word in WORDS[name]:
        assert word in words(taken / f"{name}.svg")
        assert word in words(kept), "take it anew: python -m tests.tui.screenshots"
