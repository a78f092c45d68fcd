from pathlib import Path

from llmprof_addon.spool.attempts import Attempts


def begin(attempts: Attempts, name: str) -> int:
    deaths = attempts.deaths(name)
    attempts.begin(name)
    return deaths


def test_deaths_on_one_file_are_counted(tmp_path: Path) -> None:
    path = tmp_path / ".current"
    assert [begin(Attempts(path), "a.exchange") for _ in range(4)] == [0, 1, 2, 3]
    assert begin(Attempts(path), "b.exchange") == 0
    assert begin(Attempts(path), "a.exchange") == 0


def test_within_one_process_nobody_died(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / ".current")
    assert [begin(attempts, name) for name in ("a", "b", "a", "a")] == [0, 0, 0, 0]
    after = Attempts(tmp_path / ".current")
    assert [begin(after, name) for name in ("z", "a")] == [0, 1]


def test_a_clean_end_leaves_no_note(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / ".current")
    attempts.begin("a")
    attempts.end()
    attempts.end()
    assert list(tmp_path.iterdir()) == []
    assert begin(Attempts(tmp_path / ".current"), "a") == 0


def test_no_note_can_be_written_or_read(tmp_path: Path) -> None:
    assert begin(Attempts(tmp_path / "nowhere" / ".current"), "a") == 0
    (tmp_path / ".current").write_bytes(b"\xff\x00 junk")
    assert begin(Attempts(tmp_path / ".current"), "a") == 0


def test_to_ask_counts_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".current"
    Attempts(path).begin("a")
    assert [Attempts(path).deaths("a") for _ in range(3)] == [1, 1, 1]
    assert Attempts(path).deaths("b") == 0
