import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon.model.exchange import KEPT_ENDS, Exchange
from llmprof_addon.spool import writer as writer_
from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.writer import METADATA_BYTES, SpoolWriter, without_middle, without_request
from tests.unit.spool.exchanges import make_exchange


class Gate:
    """A `prepare` that lets the writer thread wait."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, exchange: Exchange) -> Exchange:
        self.reached.set()
        assert self.open.wait(10)
        return exchange


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_is_put_is_prepared_written_and_announced(tmp_path: Path) -> None:
    calls: list[str] = []
    writer = SpoolWriter(
        tmp_path / "spool",
        prepare=lambda exchange: replace(exchange, redactions=1),
        capture_dir=tmp_path / "captured",
        on_written=lambda: calls.append(threading.current_thread().name),
    )
    exchanges = [make_exchange(id=f"e{number}", ended_ns=number) for number in range(20)]
    assert all(writer.put(exchange) for exchange in exchanges)
    assert writer.close()
    for folder in (tmp_path / "spool", tmp_path / "captured"):
        spool = Spool(folder)
        assert [spool.read(name) for name in spool.scan()] == [replace(each, redactions=1) for each in exchanges]
    assert set(calls) == {"llmprof-spool"}
    assert (writer.written, writer.queued_bytes, writer.dropped_bodies, writer.lost) == (20, 0, 0, 0)


def test_overflow_drops_the_request_then_the_middle_of_the_response(tmp_path: Path) -> None:
    gate = Gate()
    writer = SpoolWriter(tmp_path, prepare=gate, budget_bytes=1_000_000)
    assert writer.put(make_exchange(id="first", ended_ns=0))
    assert gate.reached.wait(5)
    body = b"a" * 70_000 + b"m" * 200_000 + b"z" * 130_000
    for number in (1, 2):
        assert writer.put(make_exchange(id="big", ended_ns=number, request_body=b"q" * 600_000, response_body=body))
    assert writer.queued_bytes == 3 * METADATA_BYTES + 26 + len(body) + 2 * KEPT_ENDS
    assert (writer.dropped_bodies, writer.lost) == (2, 0)
    gate.open.set()
    assert writer.close()
    _, one, two = map(Spool(tmp_path).read, Spool(tmp_path).scan())
    assert (one.request_body, one.request_truncated, one.response_truncated) == (b"", 600_000, 0)
    assert one.response_body == body
    assert (two.request_truncated, two.response_truncated) == (600_000, 400_000 - 2 * KEPT_ENDS)
    assert two.response_body == body[:KEPT_ENDS] + body[-KEPT_ENDS:]


def test_a_response_of_two_ends_stays_whole() -> None:
    short = make_exchange(response_body=b"<" * KEPT_ENDS + b">" * KEPT_ENDS)
    assert without_middle(short) is short
    assert without_middle(replace(short, response_body=short.response_body + b"x")).response_truncated == 1
    assert without_request(replace(short, request_truncated=2)).request_truncated == 15


def test_queue_never_exceeds_its_budget(tmp_path: Path) -> None:
    gate = Gate()
    writer = SpoolWriter(tmp_path, prepare=gate, budget_bytes=500_000)
    taken = 0
    for number in range(300):
        taken += writer.put(make_exchange(id=f"e{number}", request_body=b"q" * 50_000))
        assert writer.queued_bytes <= 500_000
    assert writer.lost == 300 - taken > 0
    assert writer.dropped_bodies > 0
    gate.open.set()
    writer.close()
    exchanges = [Spool(tmp_path).read(name) for name in Spool(tmp_path).scan()]
    assert len(exchanges) == taken == writer.written
    assert all(each.request_truncated == 50_000 or len(each.request_body) == 50_000 for each in exchanges)


def test_failing_redaction_costs_bodies_not_secrets(tmp_path: Path) -> None:
    def fail(exchange: Exchange) -> Exchange:
        raise ValueError("sk-fake-secret")

    writer = SpoolWriter(tmp_path, prepare=fail)
    writer.put(make_exchange(request_headers=(("x-api-key", "sk-fake-secret"),), request_body=b"sk-fake-secret"))
    assert writer.close()
    (path,) = tmp_path.glob("*.exchange")
    assert b"sk-fake" not in path.read_bytes()
    assert writer.unprepared == 1
    assert writer.last_error == "redaction failed: ValueError"


def test_disk_errors_are_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = os.replace, iter([True, True])

    def flaky(source: str, target: str) -> None:
        if next(failures, False):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", flaky)
    writer = SpoolWriter(tmp_path)
    writer.put(make_exchange())
    until(lambda: writer.written == 1)
    assert writer.last_error is not None
    assert "No space left on device" in writer.last_error
    assert writer.lost == 0
    writer.close()


def test_a_disk_is_waited_for_but_not_a_file_that_is_too_big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_, "_RETRY_SECONDS", (0.001, 0.001))
    real, failures = os.replace, iter([28] * 50 + [27] * 50)  # no space left on device, file too large

    def flaky(source: str, target: str) -> None:
        if code := next(failures, 0):
            raise OSError(code, os.strerror(code))
        real(source, target)

    monkeypatch.setattr(os, "replace", flaky)
    writer = SpoolWriter(tmp_path)
    writer.put(make_exchange(id="big"))
    until(lambda: writer.lost == 1)
    assert next(failures) == 27
    monkeypatch.setattr(os, "replace", real)
    writer.put(make_exchange(id="small"))
    until(lambda: writer.written == 1)
    writer.close()


def test_unwritable_spool_is_counted_and_close_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    writer = SpoolWriter(tmp_path / "spool")
    for _ in range(3):
        assert writer.put(make_exchange())
    began = time.monotonic()
    assert not writer.close(5)
    assert time.monotonic() - began < 3
    assert writer.lost == 3
    assert writer.last_error is not None


def test_broken_callbacks_do_not_end_the_thread(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("no bell")

    (tmp_path / "captured").write_text("no folder")
    writer = SpoolWriter(tmp_path / "spool", capture_dir=tmp_path / "captured", on_written=fail)
    writer.put(make_exchange(id="a"))
    writer.put(make_exchange(id="b"))
    assert writer.close()
    assert len(Spool(tmp_path / "spool").scan()) == writer.written == 2


def test_put_after_close_is_refused(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path)
    writer.close()
    assert not writer.put(make_exchange())
    assert writer.lost == 1


def test_close_gives_up_in_time(tmp_path: Path) -> None:
    gate = Gate()
    writer = SpoolWriter(tmp_path, prepare=gate)
    writer.put(make_exchange())
    began = time.monotonic()
    assert not writer.close(0.1)
    assert time.monotonic() - began < 2
    gate.open.set()
