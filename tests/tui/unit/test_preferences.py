"""Preferences come back, and a file that is of no use is no error."""

import json
from pathlib import Path

import pytest
from llmprof_tui.preferences import Preferences


def test_values_come_back(tmp_path: Path) -> None:
    Preferences(tmp_path / "new" / "ui.json").set("theme", "llmprof-light")
    again = Preferences(tmp_path / "new" / "ui.json")
    assert again.get("theme", "llmprof-dark") == "llmprof-light"
    assert again.get("order", "cost") == "cost"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["ui.json"]


def test_a_value_of_another_type_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "ui.json").write_text(json.dumps({"descending": "yes", "order": 3, "levels": {"a": "b"}}))
    found = Preferences(tmp_path / "ui.json")
    assert found.get("descending", True) is True
    assert found.get("order", "cost") == "cost"
    assert found.get("levels", {}) == {"a": "b"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe"], ids=["empty", "cut", "list", "binary"])
def test_a_file_that_is_of_no_use_means_defaults(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ui.json").write_bytes(content)
    found = Preferences(tmp_path / "ui.json")
    assert found.get("theme", "x") == "x"
    found.set("theme", "y")
    assert Preferences(tmp_path / "ui.json").get("theme", "x") == "y"


def test_a_place_that_cannot_be_written_loses_the_value_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = Preferences(tmp_path / "file" / "ui.json")
    found.set("theme", "y")
    assert found.get("theme", "x") == "y"
    assert Preferences(None).get("theme", "x") == "x"
