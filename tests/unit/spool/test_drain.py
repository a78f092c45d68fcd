import time
from pathlib import Path

import pytest

from llmprof_addon.errors import LlmprofError, StoreError
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.spool.attempts import Attempts
from llmprof_addon.spool.drain import MAX_DEATHS, Drain, one_line
from llmprof_addon.spool.folder import Spool
from tests.unit.spool.exchanges import make_exchange


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    for number in (3, 1, 2):
        spool.add(make_exchange(id=f"e{number}", ended_ns=number))
    return spool


def test_files_are_processed_by_end_time_and_deleted_after(spool: Spool) -> None:
    seen: list[tuple[str, int]] = []
    drain = Drain(spool, lambda exchange: seen.append((exchange.id, len(spool.scan()))))
    drain.drain()
    assert seen == [("e1", 3), ("e2", 2), ("e3", 1)]
    assert (drain.processed, drain.failed, drain.last_error) == (3, 0, None)
    assert spool.scan() == []


def test_what_arrives_meanwhile_is_taken_too_if_asked(spool: Spool) -> None:
    def process(exchange: Exchange) -> None:
        if exchange.id == "e2":
            spool.add(make_exchange(id="late", ended_ns=9))

    once = Drain(spool, process)
    once.drain(until_empty=False)
    assert [once.processed, len(spool.scan())] == [3, 1]
    once.drain()
    assert [once.processed, len(spool.scan())] == [4, 0]


def test_poisoned_and_corrupt_files_fail_and_the_rest_goes_on(spool: Spool) -> None:
    (spool.folder / "00000000000000000000-x.exchange").write_bytes(b"junk\n")

    def process(exchange: Exchange) -> None:
        if exchange.id == "e2":
            raise KeyError("key sk-fake-0123456789abcdef is missing")

    drain = Drain(spool, process)
    drain.drain()
    assert (drain.processed, drain.failed) == (2, 2)
    assert spool.scan() == []
    reports = {path.name[20:22]: path.read_text() for path in spool.failed_folder.glob("*.traceback.txt")}
    assert "not JSON" in reports["-x"]
    assert "KeyError" in reports["-e"]
    assert "in process" in reports["-e"]
    assert drain.last_error is not None
    assert "sk-fake-0123456789abcdef" not in reports["-e"] + drain.last_error
    assert len(list(spool.failed_folder.glob("*.exchange"))) == 2


@pytest.mark.parametrize("error", [RecursionError, MemoryError, AssertionError, LlmprofError])
def test_no_exception_ends_the_loop(spool: Spool, error: type[Exception]) -> None:
    def process(exchange: Exchange) -> None:
        raise error("oops")

    drain = Drain(spool, process)
    drain.drain()
    assert drain.failed == 3


def test_a_store_that_is_away_is_waited_for_in_order(spool: Spool) -> None:
    seen: list[str] = []
    pauses: list[float] = []
    states: list[str | None] = []

    def process(exchange: Exchange) -> None:
        if exchange.id == "e2" and len(pauses) < 8:
            raise StoreError("database is locked")
        seen.append(exchange.id)

    drain = Drain(spool, process, report=lambda drain: states.append(drain.store_error), pause=pauses.append)
    drain.drain()
    assert seen == ["e1", "e2", "e3"]
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert (drain.failed, drain.store_error) == (0, None)
    assert states.count("database is locked") == 8


def test_a_call_that_the_store_alone_refuses_does_not_hold_up_the_others(spool: Spool) -> None:
    seen: list[str] = []

    def process(exchange: Exchange) -> None:
        if exchange.id == "e1":
            raise StoreError("string or blob too big")
        seen.append(exchange.id)

    drain = Drain(spool, process, pause=lambda seconds: None)
    drain.drain()
    assert seen == ["e2", "e3"]
    assert (drain.processed, drain.failed, drain.store_error) == (2, 1, None)
    (report,) = spool.failed_folder.glob("*.traceback.txt")
    assert "takes other calls, not this one: string or blob too big" in report.read_text()


def test_patience_ends(spool: Spool) -> None:
    def process(exchange: Exchange) -> None:
        raise StoreError("no such host")

    with pytest.raises(StoreError, match="no such host"):
        Drain(spool, process, pause=lambda seconds: time.sleep(0.01)).drain(patience_seconds=0.05)
    assert len(spool.scan()) == 3
    assert not spool.failed_folder.exists()
    assert not (spool.folder / ".current").exists()


def test_stop_ends_after_the_current_file_and_in_a_pause(spool: Spool) -> None:
    drain = Drain(spool, lambda exchange: drain.stop())
    drain.drain()
    assert (drain.processed, len(spool.scan())) == (1, 2)

    def away(exchange: Exchange) -> None:
        raise StoreError("away")

    waiting = Drain(spool, away, pause=lambda seconds: waiting.stop())
    waiting.drain()
    assert (waiting.processed, waiting.failed, len(spool.scan())) == (0, 0, 2)


def test_a_file_that_kills_the_process_is_quarantined_at_last(spool: Spool) -> None:
    deadly = spool.scan()[0]
    for _ in range(MAX_DEATHS):
        Attempts(spool.folder / ".current").begin(deadly)
    drain = Drain(spool, lambda exchange: None)
    drain.drain()
    assert (drain.processed, drain.failed) == (2, 1)
    (report,) = spool.failed_folder.glob("*.traceback.txt")
    assert f"died {MAX_DEATHS} times" in report.read_text()


def test_to_die_while_the_store_is_away_is_no_fault_of_the_file(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempts, "end", lambda attempts: None)  # as where the process is killed

    class Killed(BaseException):
        pass

    def away(*_: object) -> None:
        raise StoreError("away")

    def kill(seconds: float) -> None:
        raise Killed

    for _ in range(2 * MAX_DEATHS):
        drain = Drain(spool, away, ready=away, pause=kill)
        with pytest.raises(Killed):
            drain.drain()
    drain = Drain(spool, lambda exchange: None)
    drain.drain()
    assert (drain.processed, drain.failed) == (3, 0)


def test_a_file_is_not_doubted_before_it_was_tried_again(spool: Spool) -> None:
    Attempts(spool.folder / ".current").begin(spool.scan()[0])
    pauses = 0

    def ready() -> None:
        if pauses < 20:
            raise StoreError("away")

    def pause(seconds: float) -> None:
        nonlocal pauses
        pauses += 1

    drain = Drain(spool, lambda exchange: None, ready=ready, pause=pause)
    drain.drain()
    assert (drain.processed, drain.failed, pauses) == (3, 0, 20)


def test_a_file_that_cannot_be_moved_is_left_and_said(spool: Spool) -> None:
    spool.failed_folder.write_text("no folder")

    def process(exchange: Exchange) -> None:
        if exchange.id == "e1":
            raise ValueError("bad")

    drain = Drain(spool, process)
    drain.drain()
    assert drain.processed == 2
    assert [spool.read(name).id for name in spool.scan()] == ["e1"]
    assert drain.last_error is not None
    assert "cannot move" in drain.last_error


def test_a_file_that_cannot_be_removed_is_stored_once_and_removed_later(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    drain = Drain(spool, lambda exchange: seen.append(exchange.id))
    with monkeypatch.context() as patch:

        def read_only(name: str) -> None:
            raise OSError(30, "Read-only file system")

        patch.setattr(spool, "done", read_only)
        drain.drain()
        drain.drain()
        assert (seen, drain.failed, len(spool.scan())) == (["e1", "e2", "e3"], 0, 3)
        assert drain.last_error is not None
        assert "cannot remove" in drain.last_error
    drain.drain()
    assert (seen, drain.failed, spool.scan()) == (["e1", "e2", "e3"], 0, [])
    assert not spool.failed_folder.exists()


def test_a_file_that_vanished_is_no_failure(spool: Spool) -> None:
    def process(exchange: Exchange) -> None:
        for name in spool.scan()[1:]:
            spool.done(name)

    drain = Drain(spool, process)
    drain.drain()
    assert (drain.processed, drain.failed) == (1, 0)
    assert drain.last_error is None
    assert not spool.failed_folder.exists()


def test_errors_fit_one_line_without_secrets() -> None:
    assert one_line(ValueError("a\n  b sk-fake-0123456789abcdef")) == "ValueError: a b [redacted]"
    assert one_line(StoreError("locked", hint="wait")) == "locked"
