"""A real terminal: a tmux server of its own, in whose one window a plain shell runs what is typed.

What stands on screen is asked of tmux, which has interpreted every escape code as a terminal does.
"""

import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.e2e.running import ROOT, clean_environ

MISSING = "" if shutil.which("tmux") else "no tmux on the path: what a real terminal shows is not tested here"
PROMPT = re.compile(r"^ready (\d+)>$")
"""The shell's prompt, with the exit code of what ran last."""
WAIT_SECONDS = 120
CLEAN = "alternate 0, cursor 1, mouse 0"
"""The state of a terminal that no program has hold of."""


class Terminal:
    """One window of so many columns and rows."""

    def __init__(self, socket: Path, size: tuple[int, int], environ: dict[str, str]) -> None:
        self._socket = socket
        environ = {"TERM": "tmux-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PS1": "ready $?> "} | environ
        kept = {name: value for name, value in clean_environ(**environ).items() if name != "TMUX"}
        shell = shlex.join(["env", "-i", *(f"{name}={value}" for name, value in kept.items() if value), "sh"])
        columns, rows = map(str, size)
        options = ["set", "-g", "default-terminal", environ["TERM"], ";", "set", "-g", "status", "off", ";"]
        self._tmux(*options, "new-session", "-d", "-x", columns, "-y", rows, "-c", str(ROOT), shell)
        self.code()

    def type(self, command: str) -> None:
        """Type a line and press enter."""
        self._tmux("send-keys", "-l", command)
        self._tmux("send-keys", "Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names: `Enter`, `Escape`, `C-p`, `Left`, `j`."""
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window larger or smaller."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, colours: bool = False) -> str:
        """What stands on screen, on request with escape codes for its colours."""
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []))

    @property
    def state(self) -> str:
        """Which modes of the terminal are on."""
        modes = "alternate #{alternate_on}, cursor #{cursor_flag}, mouse #{mouse_any_flag}"
        return self._tmux("display", "-p", modes).strip()

    @property
    def size(self) -> str:
        """Columns and rows that the window's programs are told."""
        return self._tmux("display", "-p", "#{pane_width}x#{pane_height} #{pane_tty}").strip()

    @property
    def program(self) -> int:
        """The process that the shell runs at this moment."""
        shell = self._tmux("display", "-p", "#{pane_pid}").strip()
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    def wait(self, *words: str, without: str = "\0", seconds: float = WAIT_SECONDS) -> str:
        """Wait until all these words stand on screen, and `without` does not; the screen then."""
        what = f"{words} without {without!r}"
        return self.wait_for(lambda seen: all(word in seen for word in words) and without not in seen, what, seconds)

    def wait_for(self, holds: Callable[[str], bool], what: str, seconds: float = WAIT_SECONDS) -> str:
        """Wait until this is true of the screen; the screen then."""
        seen = ""

        def held() -> bool:
            nonlocal seen
            seen = self.screen()
            return holds(seen)

        self._until(held, what, seconds)
        return seen

    def rest(self, seconds: float = 0.3) -> None:
        """Wait until the screen has stayed the same for so long."""
        before = ""
        while (seen := self.screen(colours=True)) != before:
            before = seen
            time.sleep(seconds)

    def code(self) -> int:
        """Wait until what was typed has ended; its exit code."""
        found: re.Match[str] | None = None

        def ended() -> bool:
            nonlocal found
            *_, last = self.screen().rstrip().split("\n")
            found = PROMPT.match(last.rstrip())
            return found is not None

        self._until(ended, "the prompt", WAIT_SECONDS)
        assert found is not None
        return int(found[1])

    def hang_up(self) -> None:
        """Close the window."""
        self._tmux("kill-server")

    def _until(self, holds: Callable[[], bool], what: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds} s, in {self.size}: {what}\n{self.screen()}"
            time.sleep(0.05)

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-u", "-S", str(self._socket), "-f", "/dev/null", *words]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout


@contextmanager
def terminal(
    size: tuple[int, int] = (110, 32), *, environ: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Terminal]:
    """A window with a shell; afterwards whatever still runs in it is ended."""
    with tempfile.TemporaryDirectory(prefix="llmprof-tmux-") as folder:  # a socket's path must be short
        socket = Path(folder) / "s"
        try:
            yield Terminal(socket, size, dict(environ))
        finally:
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, timeout=120)
