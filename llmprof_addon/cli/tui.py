"""Look at what was recorded: runs, how their context grew, what is in each prompt. Live beside a running proxy.

Without a command `llmprof` opens it as well. `?` shows all keys, `q` leaves.

Examples:
  llmprof tui                the list of runs
  llmprof tui 01939a         the run or the call whose id starts so
  llmprof tui --demo         a first look, at a run that is recorded while you watch; your store is not touched
  llmprof tui --web          the same in a browser, on this machine alone
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from llmprof_addon.cli import opened
from llmprof_addon.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP_SECONDS = 20
"""How long the demo may take to end; its proxy waits for its worker."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to open first, and where."""
    parser.add_argument("id", nargs="?", metavar="RUN|CALL", help="open this run or call; the start of an id will do")
    parser.add_argument("--demo", action="store_true", help="a first look, at the demo's run instead of your store")
    parser.add_argument("--web", action="store_true", help="in a browser, served on this machine alone")


def run(args: argparse.Namespace) -> int:
    """Open the UI and return its exit code."""
    if args.web:
        code: int = import_module("llmprof_tui.web").serve(_command(args))
        return code
    _need_terminal()
    if args.demo:
        with _recording_demo() as home:
            return _open(f"sqlite:///{home.as_posix()}/llmprof.db", home, args.id, tour=True)
    settings = opened.settings_of(args)
    return _open(settings.db_url, settings.home, args.id, indexed=settings.search)


def _open(url: str, home: Path, id: str | None, *, tour: bool = False, indexed: bool = True) -> int:
    # By name: the command line stands below the UI, which nothing but its own starter may import.
    code: int = import_module("llmprof_tui.__main__").open_ui(url, home, id, tour=tour, indexed=indexed)
    return code


def _need_terminal() -> None:
    """Raise `StartError` where nobody could see or press anything; a browser's session has a driver of its own."""
    if not opened.interactive() and "TEXTUAL_DRIVER" not in os.environ:
        raise StartError("the UI needs a terminal", hint="`llmprof runs` and `llmprof report` print instead")


@contextmanager
def _recording_demo() -> "Iterator[Path]":
    """The home of a demo that records meanwhile; afterwards it is deleted. Raises `StartError` if the demo failed."""
    with tempfile.TemporaryDirectory(prefix="llmprof-demo-", ignore_cleanup_errors=True) as folder:
        home, said = Path(folder) / "home", Path(folder) / "said"
        command = [sys.executable, "-m", "llmprof_addon", "demo", "--home", str(home)]
        with said.open("wb") as output:
            # A session of its own: ctrl-C in this terminal is not for it.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        try:
            yield home
        finally:
            failed = process.poll() not in (None, 0)
            _stop(process)
        if failed:
            *_, last = said.read_text(errors="replace").splitlines() or [""]
            raise StartError("the demo could not record", hint=last.removeprefix("llmprof: "))


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the demo as ctrl-C does, so that it takes its proxy along."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _command(args: argparse.Namespace) -> str:
    """The command that each session of the browser runs."""
    home = ["--home", str(opened.settings_of(args).home)] if args.home else []
    words = [sys.executable, "-m", "llmprof_addon", "tui", *home, *(["--demo"] if args.demo else [])]
    return shlex.join([*words, *([args.id] if args.id else [])])
