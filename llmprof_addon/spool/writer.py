"""From the proxy's hooks to the spool: a queue bounded by bytes and one thread that redacts and writes.

`put` neither blocks nor raises, whatever the disk does. What does not fit loses its bodies, and at last itself; all
of that is counted, for the user to see.
"""

import errno
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from llmprof_addon.model.exchange import KEPT_ENDS, Exchange
from llmprof_addon.spool.folder import Spool, metadata_only, unchanged, write_exchange

BUDGET_BYTES = 256 * 1024 * 1024
GATHER_SECONDS = 0.01
"""How long calls gather before the thread writes them: waking it for each one costs the event loop a third of its
throughput, in handing over the interpreter lock."""
METADATA_BYTES = 4096
"""What an exchange counts for beside its bodies."""

_RETRY_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
_OWN_FAULTS = (errno.EFBIG, errno.ENAMETOOLONG)
"""What a disk says of one file. Whatever else it says may pass, and is waited for as long as memory allows."""


def without_request(exchange: Exchange) -> Exchange:
    """The exchange without its request body, which is most of it and can mostly be found in the call before."""
    dropped = len(exchange.request_body)
    return replace(exchange, request_body=b"", request_truncated=exchange.request_truncated + dropped)


def without_middle(exchange: Exchange) -> Exchange:
    """The exchange without the middle of its response; the ends of one that is not encoded carry ids and usage."""
    body = exchange.response_body
    dropped = len(body) - 2 * KEPT_ENDS
    if dropped <= 0:
        return exchange
    return replace(
        exchange,
        response_body=body[:KEPT_ENDS] + body[-KEPT_ENDS:],
        response_truncated=exchange.response_truncated + dropped,
    )


class SpoolWriter:
    """One thread that writes what `put` hands over. `put` is for one thread, the event loop's."""

    def __init__(
        self,
        spool: Spool | Path,
        *,
        prepare: Callable[[Exchange], Exchange] = unchanged,
        budget_bytes: int = BUDGET_BYTES,
        capture_dir: Path | None = None,
        on_written: Callable[[], None] | None = None,
    ):
        """Start the thread.

        Args:
            spool: where the files go.
            prepare: redaction, run on the writer's thread; if it raises, no body is written.
            budget_bytes: bound of what waits in memory; beyond three quarters of it bodies are dropped.
            capture_dir: a second folder that gets a copy of every file.
            on_written: called after the last file that waits, on the writer's thread.
        """
        self._spool = spool if isinstance(spool, Spool) else Spool(spool)
        self._prepare = prepare
        self._budget_bytes = budget_bytes
        self._capture_dir = capture_dir
        self._on_written = on_written
        self._queue: SimpleQueue[Exchange | None] = SimpleQueue()
        self._put_bytes = 0  # each of the two counters has one writing thread, so neither needs a lock
        self._taken_bytes = 0
        self._closing = threading.Event()
        self.written = 0
        self.dropped_bodies = 0
        """Exchanges that lost bodies because too much was waiting."""
        self.unprepared = 0
        """Exchanges written without bodies because `prepare` failed."""
        self._refused = 0
        self._unwritten = 0
        self.last_error: str | None = None
        self._thread = threading.Thread(target=self._run, name="llmprof-spool", daemon=True)
        self._thread.start()

    @property
    def queued_bytes(self) -> int:
        """What waits in memory."""
        return self._put_bytes - self._taken_bytes

    @property
    def lost(self) -> int:
        """Exchanges that are not in the spool: nothing of them fitted the budget, or the disk refused them."""
        return self._refused + self._unwritten

    def put(self, exchange: Exchange) -> bool:
        """Hand an exchange over; whether it was taken, be it without its bodies."""
        whole = exchange
        roomy = self._budget_bytes * 3 // 4 - self.queued_bytes
        if _size(exchange) > roomy:
            exchange = without_request(exchange)
        if _size(exchange) > roomy:
            exchange = without_middle(exchange)
        size = _size(exchange)
        if self._closing.is_set() or self.queued_bytes + size > self._budget_bytes:
            self._refused += 1
            return False
        self.dropped_bodies += size < _size(whole)
        self._put_bytes += size
        self._queue.put(exchange)
        return True

    def close(self, timeout: float = 5.0) -> bool:
        """Take nothing more and write what waits; whether all of it was written within `timeout` seconds."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive() and self._unwritten == 0

    def _run(self) -> None:
        while (exchange := self._queue.get()) is not None:
            if self._queue.empty():
                self._closing.wait(GATHER_SECONDS)
            size = _size(exchange)
            try:
                self._write(exchange)
                if self._on_written is not None and (self._closing.is_set() or self._queue.empty()):
                    self._on_written()
            except Exception as error:  # the thread must outlive whatever a callback or the disk does
                self.last_error = f"{type(error).__name__}: {error}"
            self._taken_bytes += size

    def _write(self, exchange: Exchange) -> None:
        try:
            exchange = self._prepare(exchange)
        except Exception as error:  # a bug in redaction must cost bodies, not secrets
            self.unprepared += 1
            self.last_error = f"redaction failed: {type(error).__name__}"
            exchange = metadata_only(exchange)
        if not self._add(exchange):
            return
        if self._capture_dir is not None:
            write_exchange(self._capture_dir, exchange)

    def _add(self, exchange: Exchange) -> bool:
        pauses = iter(_RETRY_SECONDS)
        while True:
            try:
                self._spool.add(exchange)
            except OSError as error:
                self.last_error = f"cannot write to {self._spool.folder}: {error.strerror or error}"
                pause = next(pauses, None if error.errno in _OWN_FAULTS else _RETRY_SECONDS[-1])
                if pause is None or self._closing.wait(pause):
                    break
            else:
                self.written += 1
                return True
        self._unwritten += 1
        return False


def _size(exchange: Exchange) -> int:
    return METADATA_BYTES + len(exchange.request_body) + len(exchange.response_body)
