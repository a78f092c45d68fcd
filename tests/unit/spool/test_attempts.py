from pathlib import Path

from llmprof_addon.spool.attempts import Attempts


def test_deaths_on_one_file_are_counted(tmp_path: Path) -> None:
    path = tmp_path / ".current"
    assert [Attempts(path).begin("a.exchange") for _ in range(4)] == [0, 1, 2, 3]
    assert Attempts(path).begin("b.exchange") == 0
    assert Attempts(path).begin("a.exchange") == 0


def test_within_one_process_nobody_died(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / ".current")
    assert [attempts.begin(name) for name in ("a", "b", "a", "a")] == [0, 0, 0, 0]
    after = Attempts(tmp_path / ".current")
    assert [after.begin(name) for name in ("z", "a", "a")] == [0, 1, 0]


def test_a_clean_end_leaves_no_note(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / ".current")
    attempts.begin("a")
    attempts.end()
    attempts.end()
    assert list(tmp_path.iterdir()) == []
    assert Attempts(tmp_path / ".current").begin("a") == 0


def test_no_note_can_be_written_or_read(tmp_path: Path) -> None:
    assert Attempts(tmp_path / "nowhere" / ".current").begin("a") == 0
    (tmp_path / ".current").write_bytes(b"\xff\x00 junk")
    assert Attempts(tmp_path / ".current").begin("a") == 0
