"""The worker: the process that turns the files of the spool into rows of the store.

Run as `python -m llmprof_addon.worker`, a child of a proxy: each byte on stdin means "look now", its end means
"drain and exit". The loop itself is `spool.drain`; here are the process around it and the pipeline with its store.
"""

import argparse
import math
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from llmprof_addon import __version__, clock, settings
from llmprof_addon.errors import LlmprofError, SpoolError, StoreError
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.settings import Settings
from llmprof_addon.spool.drain import Drain, one_line
from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.lock import FileLock, worker_lock
from llmprof_addon.spool.redaction import redact, without_bodies
from llmprof_addon.spool.statefile import StateFile, read_state

if TYPE_CHECKING:
    from llmprof_addon.pipeline.unkept import Reduced

LOOK_SECONDS = 1.0
"""How long the spool is not looked at if nobody rings."""
UPKEEP_SECONDS = 2.0
"""How long what is left of the store's upkeep may take at the end; the next worker goes on with it."""
PATIENCE_SECONDS = 10.0
"""How long a worker whose bell is closed waits for a store that is away; the files are the next worker's then."""


class Bell:
    """Stdin as a bell: a byte rings it, its end closes it. A thread reads it: Windows cannot select pipes."""

    def __init__(self, handle: int):
        self._closed_at: float | None = None
        self._rung = threading.Event()
        threading.Thread(target=self._listen, args=(handle,), name="llmprof-bell", daemon=True).start()

    def _listen(self, handle: int) -> None:
        try:
            while os.read(handle, 4096):
                self._rung.set()
        except OSError:  # no stdin at all
            pass
        self._closed_at = time.monotonic()
        self._rung.set()

    @property
    def closed(self) -> bool:
        """Whether nobody will ring any more."""
        return self._closed_at is not None

    @property
    def closed_seconds(self) -> float:
        """For how long it has been closed."""
        return 0.0 if self._closed_at is None else time.monotonic() - self._closed_at

    def wait(self, seconds: float) -> None:
        """Wait for a ring, this long at most."""
        self._rung.wait(seconds)
        if not self.closed:
            self._rung.clear()


def _unquoted(error: Exception) -> str:
    """What went wrong and where, without the text of the error, which may quote a prompt."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    where = ", ".join(f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} in {where}"


def _spool(at: Settings) -> Spool:
    if at.bodies == "off":
        return Spool(at.spool_dir, redact=without_bodies, keep_damaged=False)
    return Spool(at.spool_dir, redact=redact)


class Pipeline:
    """`pipeline.process` with its store, which is opened anew after it failed."""

    def __init__(self, at: Settings):
        from llmprof_addon import pipeline  # heavy: tokenizers, prices, Peewee
        from llmprof_addon.pipeline.waste import WasteKeeper
        from llmprof_addon.pricing.book import PriceBook
        from llmprof_addon.store.open import open_store
        from llmprof_addon.store.retention import Keeper
        from llmprof_addon.store.upkeep import upkeep

        book, self._effort = PriceBook(at.pricing), pipeline.Effort()
        self._run = partial(pipeline.process, book=book, extra_hosts=at.known_hosts, effort=self._effort)
        self._open = partial(open_store, at.db_url)
        self._upkeep = partial(upkeep, search=at.search, keeper=Keeper(at.retention))
        self._bodies = at.bodies
        self._keep: Reduced | None = None
        self._kept_up = time.monotonic()
        self._waste = WasteKeeper(at.findings)
        self._store: Any = None

    def open(self) -> None:
        """Open the store, migrated if need be. Raises `StoreError`."""
        if self._store is None:
            self._store = self._open()
            self._keep = self._kept_of(self._store)

    def _kept_of(self, store: Any) -> "Reduced | None":
        """What is kept of calls; `None`: all."""
        from llmprof_addon.pipeline.unkept import without_persons, without_texts
        from llmprof_addon.store.retention import secret_of

        if self._bodies == "off":
            return without_texts(secret_of(store))
        return without_persons() if self._bodies == "redacted" else None

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def ready(self) -> None:
        """Come back when the store takes something. Raises `StoreError`."""
        self._reopen()
        try:
            self._store.ready()
        except StoreError:
            self.close()
            raise

    def _reopen(self) -> None:
        if self._store is not None and self._store.replaced:
            self.close()
        self.open()

    def __call__(self, exchange: Exchange) -> None:
        self._reopen()
        try:
            self._run(exchange, self._store, keep=self._keep)
        except StoreError:
            self.close()
            raise
        except Exception as error:
            if self._bodies != "off" or isinstance(error, LlmprofError):
                raise
            raise SpoolError(_unquoted(error)) from None
        if time.monotonic() - self._kept_up > LOOK_SECONDS:
            self.keep_up()

    def keep_up(self) -> bool:
        """Do some of the store's upkeep; whether there is more. What fails is left for another time."""
        self.look()
        return self._kept(lambda store: bool(self._upkeep(store)))

    def look(self, *, at_once: bool = False) -> bool:
        """Look for findings in runs that have changed, if it is time or `at_once`; whether there are more of them."""
        return self._kept(lambda store: self._waste.look(store, at_once=at_once))

    def _kept(self, work: Callable[[Any], bool]) -> bool:
        if self._store is None:
            return False
        try:
            return work(self._store)
        except StoreError:
            self.close()
            return False
        finally:
            self._kept_up = time.monotonic()

    @property
    def counters(self) -> Mapping[str, int]:
        """What this process did (`calls`, `tokenised_bytes`), and the store since it was opened (`rows_written`, …)."""
        done = asdict(self._effort) | {"runs_looked_at": self._waste.looked}
        return done | (asdict(self._store.counters) if self._store is not None else {})

    @property
    def findings_error(self) -> str | None:
        """What went wrong last while findings were looked for; calls are stored all the same."""
        return self._waste.error


def settle(at: Settings, *, patience_seconds: float = 30.0) -> int:
    """Return when no file waits in the spool: process them here unless a worker already does; how many failed.

    Raises `StoreError` if the store takes nothing for longer than `patience_seconds`.
    """
    spool, lock = _spool(at), worker_lock(at.spool_dir)
    failed = spool.failed().files
    down_since: float | None = None
    while not lock.acquire():
        if not spool.scan():
            return spool.failed().files - failed
        error = (read_state(at.home / "worker.json") or {}).get("store_error")
        if not error:
            down_since = None
        elif down_since is None:
            down_since = time.monotonic()
        elif time.monotonic() - down_since > patience_seconds:
            raise StoreError(str(error))
        time.sleep(0.1)
    pipeline: Pipeline | None = None
    try:
        spool.sweep()
        pipeline = Pipeline(at)
        Drain(spool, pipeline, ready=pipeline.ready).drain(patience_seconds=patience_seconds)
        _keep_up(pipeline, lambda: False)
    finally:
        if pipeline is not None:
            pipeline.close()
        lock.release()
    return spool.failed().files - failed


def _keep_up(pipeline: Pipeline, stopped: Callable[[], bool], *, patience_seconds: float = math.inf) -> None:
    """Look for findings in all runs that wait, and bring the store's upkeep to an end, as far as there is time."""
    end = time.monotonic() + patience_seconds
    while not stopped() and pipeline.look(at_once=True) and time.monotonic() < end:
        pass
    end = time.monotonic() + UPKEEP_SECONDS
    while not stopped() and pipeline.keep_up() and time.monotonic() < end:
        pass


def _stand_by(lock: FileLock, spool: Spool, bell: Bell, stopped: Callable[[], bool]) -> bool:
    """Wait until the lock is ours; False if there is nothing left to wait for."""
    while not lock.acquire():
        if bell.closed:  # the holder drains, or we do once it has gone
            if not spool.scan() or bell.closed_seconds > PATIENCE_SECONDS:
                return False
            time.sleep(0.1)
        else:
            bell.wait(LOOK_SECONDS)
        if stopped():
            return False
    return True


def run(at: Settings, bell: Bell, connect: Callable[[Settings], Any] = Pipeline) -> int:
    """Process what comes into the spool until the bell is closed or the process is told to stop; the exit code."""
    spool, lock = _spool(at), worker_lock(at.spool_dir)
    state, started_ns = StateFile(at.home / "worker.json"), clock.now_ns()
    pipeline: Any = None

    def report(worker: Drain, *, now: bool = False) -> None:
        state.write(
            {
                "pid": os.getpid(),
                "version": __version__,
                "started_ns": started_ns,
                "processed": worker.processed,
                "failed": worker.failed,
                "last_error": worker.last_error,
                "store_error": worker.store_error,
                "findings_error": pipeline.findings_error if pipeline is not None else None,
                "counters": dict(pipeline.counters) if pipeline is not None else {},
            },
            now=now,
        )

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not worker.stopping:
            time.sleep(min(0.2, seconds))
            if bell.closed_seconds > PATIENCE_SECONDS:  # nobody waits for us any longer
                worker.stop()

    worker = Drain(
        spool, lambda exchange: pipeline(exchange), ready=lambda: pipeline.ready(), report=report, pause=pause
    )

    def stop(number: int, frame: object) -> None:
        worker.stop()  # nothing more: the thread that is interrupted may hold any lock

    signal.signal(signal.SIGTERM, stop)
    # Ctrl-C reaches every process of the terminal; the proxy decides, by closing our stdin.
    signal.signal(signal.SIGINT, stop if sys.stdin.isatty() else signal.SIG_IGN)
    if not _stand_by(lock, spool, bell, lambda: worker.stopping):
        return 0
    try:
        spool.sweep()
        pipeline = connect(at)
        try:
            pipeline.open()
        except StoreError as error:  # may pass; the files wait
            worker.store_error = worker.last_error = one_line(error)
        report(worker, now=True)
        while not worker.stopping:
            closed = bell.closed
            worker.drain()
            if closed:
                _keep_up(pipeline, lambda: worker.stopping, patience_seconds=PATIENCE_SECONDS)
                break
            while not worker.stopping and not spool.scan() and pipeline.keep_up():
                pass
            report(worker)
            bell.wait(LOOK_SECONDS)
    finally:
        report(worker, now=True)
        if pipeline is not None:
            pipeline.close()
        lock.release()
    if worker.store_error and spool.scan():
        print(f"llmprof worker: {worker.store_error}; what waits stays in {spool.folder}", file=sys.stderr)
        return 3
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="llmprof-worker", description=__doc__)
    parser.add_argument("--home", metavar="DIR", help="where spool and store are (LLMPROF_HOME, ~/.llmprof)")
    parser.add_argument("--db", metavar="URL", help="the store (LLMPROF_DB_URL)")
    given = parser.parse_args(arguments)
    if hasattr(os, "nice"):
        try:
            os.nice(10)
        except OSError:
            pass
    try:
        return run(settings.load({"home": given.home, "db_url": given.db}), Bell(0))
    except (LlmprofError, OSError) as error:  # a disk that is full or read-only; the proxy starts another
        print(f"llmprof worker: {one_line(error)}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
