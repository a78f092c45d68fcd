"""The terminal UI as a person meets it: in a real terminal, on live traffic, and what it leaves behind."""

import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmprof_addon.cli.demo import agent, upstream
from tests.e2e import tmux
from tests.e2e.running import Proxy, running, until
from tests.e2e.tmux import CLEAN, terminal
from tests.e2e.ui.opened import AGENT, left_clean, quit_by_key, tui

pytestmark = pytest.mark.skipif(bool(tmux.MISSING), reason=tmux.MISSING)

SMALL, LARGE = (80, 24), (200, 60)
TURNS = 12


@contextmanager
def recording(home: Path) -> Iterator[tuple[Proxy, agent.Ways]]:
    """A proxy before the demo's provider."""
    port, server = upstream.start()
    there = f"http://127.0.0.1:{port}"
    settings = {"anthropic_upstream": there, "connect": f"api.anthropic.com:443={there}", "upstream_proxy": ""}
    try:
        with running(home, **settings) as proxy:
            ca = home / "ca" / "mitmproxy-ca-cert.pem"
            ports = {"reverse_port": proxy.reverse_port, "forward_port": proxy.forward_port}
            yield proxy, agent.Ways(host="127.0.0.1", ca_file=ca, **ports)
    finally:
        server.shutdown()


def test_live_traffic_appears_and_is_walked_by_keys(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with terminal() as there, ThreadPoolExecutor() as threads:
        there.type(tui(home))
        there.wait("Nothing is recorded yet.", "○ not recording", "llmprof up --home")
        with recording(home) as (proxy, ways):
            there.wait("● recording", "Paste one of these", f":{proxy.reverse_port}")
            sent = threads.submit(agent.run, ways, lambda *_: time.sleep(0.3))
            there.wait("1 run by start", "test_upload_retr")  # without a key
            there.wait(f"{TURNS} calls", "tool results")
            sent.result()
            there.press("Enter")
            there.wait("1 Calls", f"{TURNS} calls", "peak 19.", "end_turn")
            there.press("2")
            there.wait("list_sprints", "never")
            there.press("1")
            there.wait("ended with")
            there.press("Enter")
            there.wait("1 Flame", "200 · end_turn", "tool results")
            there.press("d")
            there.wait("tokens are shared", "One look at all changes.")
            for place in ("1 Flame", "1 Calls", "1 run by start"):
                there.press("Escape")
                there.wait(place)
            there.press("Enter")
            there.wait("1 Calls")
            there.press("d")
            there.wait("tokens are shared")
            there.press("Escape", "Escape")
            there.wait("1 run by start")
            second = threads.submit(agent.run, ways, lambda *_: None)
            there.wait("2 runs by start", "321k in")
            second.result()
            quit_by_key(there)


def test_help_and_palette_open_and_close(home: Path) -> None:
    with terminal() as there:
        there.type(tui(home))
        there.wait(AGENT)
        there.press("?")
        there.wait("In the list", "Mark two runs to compare them")
        there.press("Escape")
        there.wait(AGENT, without="In the list")
        there.press("C-p")
        there.wait("Search for commands")
        there.press("S", "o", "r", "t", " ", "b", "y", " ", "c", "o")
        there.wait("Sort by cost")
        there.press("Enter")
        there.wait("6 runs by cost")
        there.press("/")
        there.wait("start*, -without")
        there.press("f", "l", "a", "k", "y")
        there.wait("1 run by cost")
        there.press("Escape")
        there.wait("6 runs by cost")
        quit_by_key(there)


WALK = (
    *(("Enter", "1 Calls"), ("2", "read_file"), ("1", "1 Calls"), ("Enter", "1 Flame"), ("2", "engineer")),
    *(("3", "total"), ("4", "what is so"), ("5", "total"), ("6", '"model"'), ("d", "shared"), ("?", "In the list")),
)
"""Keys, and what each brings to the screen at any size."""


def fills(seen: str, columns: int, rows: int) -> bool:
    """Whether the footer is on the last line, and the widest line ends near the right edge."""
    lines = seen.rstrip("\n").split("\n")
    return len(lines) == rows and columns - 30 < max(map(len, lines)) <= columns


def test_every_screen_takes_any_size(home: Path) -> None:
    with terminal(SMALL) as there:
        there.type(tui(home))
        there.wait(AGENT)
        there.press("Down")  # the newest is the awkward one
        for key, word in WALK:
            there.press(key)
            there.wait(word)
            for size in (LARGE, SMALL):
                there.resize(*size)
                seen = there.wait_for(lambda seen: fills(seen, *size) and word in seen, f"{word!r} on {size}")  # noqa: B023
                assert "Traceback" not in seen
        there.press("Escape")
        there.wait("shared", without="In the list")
        quit_by_key(there)


SGR = re.compile(r"\x1b\[([0-9;]*)m")


def invisible(screen: str) -> list[str]:
    """Letters whose colour is that of their ground."""
    found = []
    ink = ground = ""
    for line in screen.split("\n"):
        place = 0
        for code in [*SGR.finditer(line), None]:
            text = line[place : code.start() if code else len(line)]
            if ink and ink == ground and re.search(r"\w", text):
                found.append(text)
            if code is None:
                break
            place = code.end()
            numbers = [int(number or 0) for number in code[1].split(";")]
            while numbers:
                which, colour = _plain(numbers[0])
                match numbers:
                    case [38 | 48, 2, red, green, blue, *numbers]:
                        colour = f"{red},{green},{blue}"
                    case [38 | 48, 5, index, *numbers]:
                        colour = str(index)
                    case [_, *numbers]:
                        pass
                if which == 38:
                    ink = colour
                elif which == 48:
                    ground = colour
                elif which == 0:
                    ink = ground = ""
    return found


def _plain(number: int) -> tuple[int, str]:
    """Whether it sets the ink (38), the ground (48), both back (0) or neither (-1), and to which colour."""
    if number in (0, 38, 39, 48, 49):
        return {39: 38, 49: 48}.get(number, number), ""
    for first, which, bright in ((30, 38, 0), (40, 48, 0), (90, 38, 8), (100, 48, 8)):
        if first <= number <= first + 7:
            return which, str(number - first + bright)
    return -1, ""


@pytest.mark.parametrize(
    "environ",
    [{"TERM": "screen", "COLORTERM": ""}, {"NO_COLOR": "1"}, {"TERM": "screen", "COLORTERM": "", "NO_COLOR": "1"}],
    ids=["16-colours", "no-colour", "neither"],
)
def test_readable_with_few_colours(home: Path, environ: dict[str, str]) -> None:
    with terminal(environ=environ) as there:
        there.type(tui(home))
        there.wait(AGENT)
        there.press("Down")
        for key, word in (("", "tool results"), *WALK):
            if key:
                there.press(key)
            there.wait(word)
            there.rest()
            seen = there.screen(colours=True)
            assert not invisible(seen), word
            if "TERM" in environ:
                assert "38;2;" not in seen
        there.press("Escape")
        there.wait("shared", without="In the list")
        quit_by_key(there)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(home: Path, number: signal.Signals) -> None:
    with terminal() as there:
        there.type(tui(home))
        there.wait(AGENT)
        os.kill(there.program, number)
        assert there.code() == 128 + number
        left_clean(there)


def test_closing_the_window_ends_it(home: Path) -> None:
    with terminal() as there:
        there.type(tui(home))
        there.wait(AGENT)
        program = there.program
        there.hang_up()
        until(lambda: not Path(f"/proc/{program}").exists(), 120)


def test_ctrl_z_and_back(home: Path) -> None:
    with terminal() as there:
        there.type(tui(home))
        there.wait(AGENT)
        there.press("C-z")
        there.code()
        assert there.state == CLEAN
        there.type("fg")
        there.wait(AGENT)
        quit_by_key(there)


def test_the_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    with terminal(environ={"TMPDIR": str(tmp_path)}) as there:
        there.type(shlex.join([sys.executable, "-m", "llmprof_addon", "tui", "--demo"]))
        there.wait("Where do my tokens and dollars go?")
        there.press("Enter")
        there.wait("test_upload_retr", without="enter begins")
        (folder,) = tmp_path.glob("llmprof-demo-*")
        there.press("q")
        assert there.code() == 0
        left_clean(there)
        assert not folder.exists()
