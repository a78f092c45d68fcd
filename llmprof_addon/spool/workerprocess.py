"""The worker as a child of the proxy: started, rung, started again if it dies, and told to drain.

Standard library only: the proxy may be a mitmdump of another environment, the worker then runs under the interpreter
that has the package's dependencies.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from llmprof_addon.spool.statefile import make_private

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_STEADY_SECONDS = 60.0
"""A worker that lived so long did not die of its start."""
_LOG_BYTES = 1_000_000

# -P keeps the current folder, where a user's `json.py` may lie, out of the worker's path; a package that the
# interpreter finds by itself needs no path, and site-packages in front of the standard library would shadow it.
_START = (
    "import runpy, sys; parent = sys.argv.pop(1); sys.path[:0] = [] if parent in sys.path else [parent]; "
    "runpy.run_module('llmprof_addon.worker', run_name='__main__', alter_sys=True)"
)


class WorkerProcess:
    """The worker of this proxy. `nudge` and `stop` never raise; `nudge` never blocks."""

    def __init__(
        self,
        *,
        interpreter: str,
        package_parent: Path,
        arguments: Sequence[str],
        environ: Mapping[str, str] | None = None,
        log: Path | None = None,
    ):
        """Say how it is started.

        Args:
            interpreter: the Python that has the worker's dependencies; under a frozen proxy not `sys.executable`.
            package_parent: the folder that holds the package `llmprof_addon`.
            arguments: of the worker, e.g. `("--home", "…")`.
            environ: variables that it gets beside this process's own.
            log: file that takes what it prints; none: nowhere.
        """
        self.restarts = 0
        self.last_error: str | None = None
        self._command = [interpreter, "-P", "-c", _START, str(package_parent), *arguments]
        self._environ = _environ(environ or {})
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = threading.Lock()  # a nudge must never hit a number that has become another connection's
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Start it, and a thread that starts it again whenever it ends."""
        if self._thread is None:
            self._launch()
            self._thread = threading.Thread(target=self._watch, name="llmprof-worker", daemon=True)
            self._thread.start()

    def nudge(self) -> None:
        """Tell it to look at the spool now; it does so once a second anyway."""
        with self._pipe:
            process = self._process
            if process is None or process.stdin is None or process.stdin.closed:
                return
            try:
                os.write(process.stdin.fileno(), b"\n")
            except OSError:  # full of nudges, or the worker is dead
                pass

    def stop(self, timeout: float = 15.0) -> bool:
        """Let it drain the spool and exit; whether it did within `timeout` seconds, else it is terminated."""
        self._stopping.set()
        thread, process = self._thread, self._process
        if thread is None:
            return True
        self._close(process)
        thread.join(timeout)
        drained = not thread.is_alive()
        process = self._process
        if not drained and process is not None:
            process.terminate()  # finishes the file that it is at; what waits is taken by the next worker
            thread.join(5.0)
            if thread.is_alive():
                process.kill()
                thread.join(5.0)
        return drained and self.last_error is None

    def _launch(self) -> None:
        try:
            out = _open_log(self._log)
            try:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=out,
                    env=self._environ,
                    bufsize=0,
                )
            finally:
                if out >= 0:
                    os.close(out)
        except OSError as error:
            self._process = None
            self.last_error = f"cannot start the worker with {self._command[0]}: {error.strerror or error}"
            return
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
        self._process = process
        if self._stopping.is_set():  # told to stop while it was being started
            self._close(process)

    def _close(self, process: subprocess.Popen[bytes] | None) -> None:
        with self._pipe:
            if process is not None and process.stdin is not None:
                try:
                    process.stdin.close()
                except OSError:
                    pass

    def _watch(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            process = self._process
            if process is not None:
                code = process.wait()
                self._close(process)
                self.last_error = None if code == 0 else f"the worker ended with exit code {code}"
            if self._stopping.is_set():
                return
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            if self._stopping.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self.restarts += 1
            self._launch()


def _environ(more: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without those that are meant for its own interpreter."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    if getattr(sys, "frozen", False):  # PyInstaller points the loader to its own libraries
        for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
            environ.pop(name, None)
            if f"{name}_ORIG" in environ:
                environ[name] = environ[f"{name}_ORIG"]
    return environ | dict(more)


def _open_log(path: Path | None) -> int:
    if path is None:
        return subprocess.DEVNULL
    make_private(path.parent)
    fresh = os.O_TRUNC if path.exists() and path.stat().st_size > _LOG_BYTES else 0
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | fresh, 0o600)
