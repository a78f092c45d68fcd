"""How quick the terminal UI is on a store of a million calls: in a real terminal, as a person's keys go in.

The application runs below a pseudo-terminal of 200x50. An answer to a key is the first output behind it; the first
paint is the first output that shows a row of the store. Frames are timed headless: every line is drawn anew.
"""

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

from llmprof_addon.store.listing import RunOrder
from tests.benchmarks.bigstore import big_store

ROWS, COLUMNS = 50, 200
QUIET_SECONDS = 0.25
"""So long without output, and a key's work is over."""
WALK = {
    "runs": ["j"] * 20 + ["pagedown"] * 10 + ["end", "home"] * 3 + ["k"] * 5 + ["s"] * len(RunOrder.__value__.__args__),
    "runs, search": ["/", *"longest run", "enter", "j", "k"],
    "run": ["enter", *["left"] * 20, *["home", "end"] * 3, *["+"] * 3, *["-"] * 5, "0", "t", "t", "2", "1", "tab"],
    "call": [
        "escape",
        "escape",
        "home",
        "enter",
        "enter",
        *["down"] * 5,
        *["right"] * 20,
        "enter",
        "backspace",
        "m",
        "s",
        "v",
    ],
    "messages": ["2", *["pagedown"] * 10, "end", "home", *["j"] * 10],
    "others": ["3", "4", "5", "6", *["pagedown"] * 5, "end", "home"],
}
"""Keys by where they are pressed; each list goes on where the one before has ended.

The order of the runs comes back to where it began; the run is the longest, the call the newest, with 5,000 parts.
"""

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "backspace": "\x7f",
    **{"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D"},
    **{"home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~"},
}


class Terminal:
    """The application below a pseudo-terminal."""

    def __init__(self, url: str, home: Path) -> None:
        self.began = time.perf_counter()
        self.child, self.handle = pty.fork()
        if self.child == 0:
            environ = _compiled() | {"LLMPROF_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, "-m", "llmprof_tui", url], environ)
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def until(self, pattern: str, seconds: float = 30.0) -> float:
        """Seconds since the start at which the output has come to hold this."""
        said = b""
        while time.perf_counter() - self.began < seconds:
            if self._ready(0.05):
                said += os.read(self.handle, 1 << 16)
                if re.search(pattern.encode(), said):
                    return time.perf_counter() - self.began
        raise AssertionError(f"nothing like {pattern!r} within {seconds} s")

    def settle(self) -> None:
        """Read until nothing comes."""
        while self._ready(QUIET_SECONDS):
            os.read(self.handle, 1 << 16)

    def press(self, key: str) -> float | None:
        """Seconds from the key to the first output behind it; `None` if it changes nothing."""
        self.settle()
        began = time.perf_counter()
        os.write(self.handle, KEYS.get(key, key).encode())
        return time.perf_counter() - began if self._ready(2.0) else None

    @property
    def peak_bytes(self) -> int:
        """The most memory that it has had."""
        status = Path(f"/proc/{self.child}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    def close(self) -> int:
        """Quit by key; the exit code."""
        for _ in range(6):
            os.write(self.handle, b"\x1b")
            self.settle()
        os.write(self.handle, b"q")
        until = time.perf_counter() + 10
        while time.perf_counter() < until:
            if self._ready(0.1):
                try:
                    os.read(self.handle, 1 << 16)
                except OSError:  # the child has closed its side
                    break
        done, status = os.waitpid(self.child, os.WNOHANG)
        if not done:
            os.kill(self.child, signal.SIGKILL)
            _, status = os.waitpid(self.child, 0)
        return os.waitstatus_to_exitcode(status)

    def _ready(self, seconds: float) -> bool:
        return bool(select.select([self.handle], [], [], seconds)[0])


def main() -> None:
    """Print what was measured beside what is promised."""
    url = big_store()
    imported = min(_import_seconds() for _ in range(5))
    print(f"import llmprof_tui.app                  {1000 * imported:6.0f} ms   (600)")
    with tempfile.TemporaryDirectory() as home:
        _terminal(url, Path(home), imported)
    asyncio.run(_frames(url))


def _import_seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import llmprof_tui.app"], check=True, env=_compiled())
    return time.perf_counter() - began


def _compiled() -> dict[str, str]:
    """This environment, but modules are compiled once, as where llmprof is installed: that takes time and memory."""
    aside = Path(tempfile.gettempdir()) / "llmprof-benchmark-modules"
    taken = ("LLMPROF_", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in os.environ.items() if not k.startswith(taken)} | {"PYTHONPYCACHEPREFIX": str(aside)}


def _terminal(url: str, home: Path, imported: float) -> None:
    paints = []
    for _ in range(5):
        terminal = Terminal(url, home)
        paints.append(terminal.until("claude-code") - imported)
        terminal.settle()
        terminal.close()
    print(f"first paint with rows, after imports    {1000 * statistics.median(paints):6.0f} ms   (300)")
    terminal = Terminal(url, home)
    terminal.until("claude-code")
    everything: list[float] = []
    for place, keys in WALK.items():
        answers = [answer for key in keys if (answer := terminal.press(key)) is not None]
        everything += answers
        ranked = sorted(answers)
        p95 = ranked[int(0.95 * (len(ranked) - 1))]
        print(
            f"  keys, {place:<16} {len(answers):3} answered   p50 {1000 * statistics.median(ranked):5.1f}"
            f"  p95 {1000 * p95:5.1f}  worst {1000 * ranked[-1]:5.1f} ms"
        )
    ranked = sorted(everything)
    print(
        f"any key, p95 of {len(ranked):<4}                    {1000 * ranked[int(0.95 * len(ranked))]:6.1f} ms   (50)"
    )
    print(f"memory, at its peak                     {terminal.peak_bytes / 2**20:6.0f} MB   (150)")
    print(f"exit code                               {terminal.close():6}")


async def _frames(url: str) -> None:
    """Frames of a flame of 5,000 parts and of a timeline of 5,000 calls."""
    from llmprof_tui.app import LlmprofApp
    from llmprof_tui.source import Source
    from llmprof_tui.widgets.flame import FlameGraph
    from llmprof_tui.widgets.timeline import Timeline

    from llmprof_addon.store.listing import RunFilter

    with tempfile.TemporaryDirectory() as home:
        source = Source(url, Path(home))
        longest = source.list_runs(RunFilter(query="the longest run"), "calls", True).numbers[0]
        app = LlmprofApp(source)
        async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
            app.open_call("f" * 32)
            flame = await _shown(app, pilot, FlameGraph)
            flame.action_next_view()
            await pilot.pause()
            _frame_times("flame frame, 5,000 parts by position", flame, flame.notify_style_update, 5)
            app.open_run(source.runs([longest])[longest].id)
            timeline = await _shown(app, pilot, Timeline)
            _frame_times("timeline frame, 5,000 calls", timeline, timeline._forget_look, 10)


async def _shown(app, pilot, kind):  # type: ignore[no-untyped-def]  # of any widget
    for _ in range(100):
        await pilot.pause(0.1)
        if (found := app.screen.query(kind)) and found.first().size.height and not app.screen.loading:
            await pilot.pause(2.0)  # what it shows is read in a thread
            return found.first()
    raise AssertionError(f"no {kind.__name__}")


def _frame_times(what: str, widget, forget: Callable[[], None], promised: int) -> None:  # type: ignore[no-untyped-def]
    times = []
    for _ in range(60):
        forget()
        began = time.perf_counter()
        for y in range(widget.size.height):
            widget.render_line(y)
        times.append(time.perf_counter() - began)
    ranked = sorted(times)
    shape = f"{widget.size.width}x{widget.size.height}"
    print(
        f"{what:<39} {1000 * statistics.median(ranked):6.2f} ms   ({promised})  p95"
        f" {1000 * ranked[int(0.95 * len(ranked))]:.2f}, {shape}"
    )
