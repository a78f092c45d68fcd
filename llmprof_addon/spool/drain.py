"""The loop over the files of a spool: each is processed in order and deleted after its commit.

What cannot be processed is quarantined and the next file is taken. A store that is down or locked is no fault of the
file: that is waited for, unless the store turns out to take other files. The exchange's id makes a repetition
harmless, so dying at any point is, too.
"""

import time
import traceback
from collections.abc import Callable
from functools import partial

from llmprof_addon.errors import LlmprofError, SpoolError, StoreError
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.secrets import redact_text
from llmprof_addon.spool.attempts import Attempts
from llmprof_addon.spool.folder import Spool

MAX_DEATHS = 5
"""After so many deaths of the process on one file the file is quarantined; somebody may have killed it a few times."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
_PAUSES_BEFORE_DOUBT = 8
"""After so many (21 s) the file itself may be what the store refuses."""


class Drain:
    """The loop over the files of one spool; whoever runs it holds the lock."""

    def __init__(
        self,
        spool: Spool,
        process: Callable[[Exchange], object],
        *,
        ready: Callable[[], object] = lambda: None,
        report: Callable[["Drain"], object] | None = None,
        pause: Callable[[float], object] = time.sleep,
    ):
        """Prepare the loop.

        Args:
            spool: where the files are.
            process: writes the rows of one exchange; raises `StoreError` where the store cannot take them for now.
            ready: comes back when the store takes something; raises `StoreError` as `process` does.
            report: called after every file and before every pause.
            pause: waits so many seconds for the store, or less when there is a reason to look again.
        """
        self.processed = 0
        self.failed = 0
        self.last_error: str | None = None
        self.store_error: str | None = None
        """Why the store takes nothing; `None` as soon as it does."""
        self.stopping = False
        self._spool = spool
        self._process = process
        self._ready = ready
        self._report = report
        self._pause = pause
        self._attempts = Attempts(spool.folder / ".current")
        self._stuck: set[str] = set()
        self._stored: set[str] = set()
        """Files whose rows are stored and that the disk does not let go of."""

    def stop(self) -> None:
        """End after the current file."""
        self.stopping = True

    def drain(self, *, until_empty: bool = True, patience_seconds: float | None = None) -> None:
        """Process the files that wait, oldest first; with `until_empty` also those that come in the meantime.

        Raises `StoreError` if the store takes nothing for longer than `patience_seconds`; without it waits on.
        """
        all(map(self._remove, sorted(self._stored)))  # up to the first that still cannot be
        try:
            while names := [name for name in self._spool.scan() if name not in self._stuck | self._stored]:
                for name in names:
                    if self.stopping:
                        return
                    self._take(name, patience_seconds)
                    self._tell()
                if not until_empty:
                    return
        finally:
            self._attempts.end()

    def _take(self, name: str, patience_seconds: float | None) -> None:
        deaths = self._attempts.deaths(name)
        try:
            if deaths >= MAX_DEATHS:
                self._quarantine(name, f"The worker died {deaths} times while it processed this file.\n")
                return
            # A worker that is killed while it waits for the store did not die of the file.
            if deaths and not self._patiently(None, self._ready, patience_seconds):
                return
            self._attempts.begin(name)
            exchange = self._spool.read(name)
            if self._patiently(name, partial(self._process, exchange), patience_seconds):
                self._remove(name)
                self.processed += 1
        except StoreError:
            raise
        except Exception as error:  # whatever a file does to its readers, the next one is processed
            if isinstance(error.__cause__, FileNotFoundError):  # taken out of turn, or by somebody's hand
                return
            self.last_error = one_line(error)
            self._quarantine(name, redact_text(traceback.format_exc())[0])

    def _patiently(self, name: str | None, work: Callable[[], object], patience_seconds: float | None) -> bool:
        """Do some work, however long the store is away; False if told to stop before it was back.

        `name`: the file that may be the reason why the store refuses the work. Raises `SpoolError` if it is.
        """
        until = None if patience_seconds is None else time.monotonic() + patience_seconds
        seconds, pauses = _FIRST_PAUSE_SECONDS, 0
        while True:
            try:
                work()
            except StoreError as error:
                self.store_error = self.last_error = one_line(error)
                if name and pauses >= _PAUSES_BEFORE_DOUBT and self._takes_another(name):
                    self.store_error = None
                    raise SpoolError(f"the store takes other calls, not this one: {error.message}") from error
                if until is not None and time.monotonic() >= until:
                    raise
            else:
                self.store_error = None
                return True
            self._tell()
            self._pause(seconds)
            if self.stopping:
                return False
            seconds, pauses = min(2 * seconds, _LONGEST_PAUSE_SECONDS), pauses + 1

    def _takes_another(self, name: str) -> bool:
        """Whether the store takes one of the next files, so that it cannot be away."""
        for other in [each for each in self._spool.scan() if each != name and each not in self._stored][:3]:
            try:
                self._process(self._spool.read(other))
            except Exception:  # its own turn comes
                continue
            self._remove(other)
            self.processed += 1
            return True
        return False

    def _remove(self, name: str) -> bool:
        """Take away a file whose rows are stored; whether that could be done."""
        try:
            self._spool.done(name)
        except OSError as error:
            self._stored.add(name)
            self.last_error = f"cannot remove {self._spool.folder / name}: {error.strerror or error}"
            return False
        self._stored.discard(name)
        return True

    def _quarantine(self, name: str, text: str) -> None:
        self.failed += 1
        try:
            self._spool.quarantine(name, text)
        except FileNotFoundError:  # somebody took it away, so there is nothing to keep
            self.failed -= 1
        except OSError as error:  # neither processed nor moved: left where it is until the next worker
            self._stuck.add(name)
            self.last_error = f"cannot move {name} to {self._spool.failed_folder}: {error.strerror or error}"

    def _tell(self) -> None:
        if self._report is not None:
            self._report(self)


def one_line(error: Exception) -> str:
    """What went wrong, without line ends and secrets."""
    text = error.message if isinstance(error, LlmprofError) else f"{type(error).__name__}: {error}"
    return redact_text(" ".join(text.split())[:500])[0]
