"""One target run for so long: inputs are made and judged; new lines reached keep one, failures are made small.

An input fails its target when the check raises (it catches what is designed), takes longer than its size allows, or
needs more memory than any input may.
"""

import gc
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from zlib import crc32

from tests.fuzz.mutators import Mutator, smaller

type Check = Callable[[bytes], None]

HANG_SECONDS = 20.0
"""CPU seconds after which an input is given up."""
SLOW_SECONDS, SLOW_SECONDS_PER_MB = 0.5, 5.0
MORE_RSS_BYTES = 900 << 20
"""Three times what the largest body decodes to."""
MOST_KEPT = 3000
SMALLER_SECONDS = 10.0

ROOT = Path(__file__).parents[2]
_OURS = (str(ROOT / "llmprof_addon"), str(ROOT / "tui"))
_TOOL = 4  # of sys.monitoring; 0 to 3 and 5 have uses of their own


class Hang(BaseException):
    """Past every `except Exception` of what is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader under test."""

    name: str
    seeds: Callable[[], Sequence[bytes]]
    mutate: Mutator
    check: Check | None = None
    """Raises where a law is broken."""
    opened: Callable[[], AbstractContextManager[Check]] | None = None
    """The same, for checks that need a folder or a store."""

    def open(self) -> AbstractContextManager[Check]:
        """The check, for as long as the context lasts."""
        if self.opened is not None:
            return self.opened()
        assert self.check is not None
        return nullcontext(self.check)


@dataclass(frozen=True, slots=True)
class Crash:
    """What failed, and the smallest input found for it."""

    target: str
    what: str
    where: str
    data: bytes

    @property
    def file_name(self) -> str:
        """The same for the same input."""
        return f"{self.target}-{crc32(self.data):08x}"


@dataclass(slots=True)
class Result:
    """What one target has gone through."""

    inputs: int = 0
    seconds: float = 0.0
    lines: int = 0
    crashes: dict[str, Crash] = field(default_factory=dict)
    """By place and kind: one of each."""


class Coverage:
    """Lines of ours that run for the first time; each is told once, so that it costs next to nothing."""

    def __init__(self) -> None:
        self.lines = 0
        sys.monitoring.use_tool_id(_TOOL, "llmprof-fuzz")
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, self._line)
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)

    def _line(self, code: CodeType, number: int) -> object:
        self.lines += code.co_filename.startswith(_OURS)
        return sys.monitoring.DISABLE

    def again(self) -> None:
        """Tell all lines anew."""
        self.lines = 0
        sys.monitoring.restart_events()

    def close(self) -> None:
        """Stop looking."""
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)


def fuzz(target: Target, seconds: float, seed: int, coverage: Coverage) -> Result:
    """Run a target for so many seconds of CPU time."""
    random, result = Random(f"{seed} {target.name}"), Result()
    pool = list(target.seeds())
    waiting = list(reversed(pool))
    with target.open() as check:
        coverage.again()
        start = time.process_time()
        while (spent := time.process_time() - start) < seconds or waiting:
            data = waiting.pop() if waiting else target.mutate(random, pool)
            seen, result.inputs = coverage.lines, result.inputs + 1
            failed = judged(check, data)
            if failed is not None and (where := failed[1]) not in result.crashes:
                data = _made_small(check, data, where)
                result.crashes[where] = Crash(target.name, failed[0], where, data)
            elif failed is None and coverage.lines > seen and len(pool) < MOST_KEPT and not waiting:
                pool.append(data)
        result.seconds, result.lines = spent, coverage.lines
    return result


def generated(target: Target, count: int, seed: int) -> Iterator[bytes]:
    """The seeds, then so many inputs made of them; always the same ones."""
    random, pool = Random(f"{seed} {target.name}"), target.seeds()
    yield from pool
    for _ in range(count):
        yield target.mutate(random, pool)


def judged(check: Check, data: bytes) -> tuple[str, str] | None:
    """What failed and where; `None` if nothing did."""
    rss = _rss_bytes()
    start = time.process_time()
    try:
        with alarm(HANG_SECONDS):
            check(data)
    except (Exception, Hang) as error:
        return f"{type(error).__name__}: {str(error)[:300]}", _place(error)
    if time.process_time() - start > _allowed(data) and (slow := min(_timed(check, data) for _ in range(3))) > _allowed(
        data
    ):
        return f"slow: {slow:.2f} s for {len(data):,} bytes", "slow"
    if (more := _rss_bytes() - rss) > MORE_RSS_BYTES:
        return f"memory: {more >> 20} MB more for {len(data):,} bytes", "memory"
    return None


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raises `Hang` after so many seconds of CPU time."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang(f"more than {seconds:.0f} s")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _allowed(data: bytes) -> float:
    return SLOW_SECONDS + SLOW_SECONDS_PER_MB * len(data) / 1e6


def _timed(check: Check, data: bytes) -> float:
    gc.collect()
    start = time.process_time()
    with alarm(HANG_SECONDS):
        check(data)
    return time.process_time() - start


def _rss_bytes() -> int:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _place(error: BaseException) -> str:
    """The kind of error and the last line of ours that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)] or frames[-1:]
    line = f"{Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else "?"
    recursive = isinstance(error, RecursionError)  # breaks at any of many lines
    return f"{type(error).__name__} at {line.rpartition(':')[0] if recursive else line}"


def _made_small(check: Check, data: bytes, where: str) -> bytes:
    """A smaller input that fails in the same place, as far as there is time."""
    until = time.monotonic() + SMALLER_SECONDS

    def fails(candidate: bytes) -> bool:
        found = judged(check, candidate)
        return found is not None and found[1] == where

    while time.monotonic() < until:
        better = next((each for each in smaller(data) if len(each) < len(data) and fails(each)), None)
        if better is None:
            break
        data = better
    size = len(data) // 2
    while size and time.monotonic() < until:
        at = 0
        while at < len(data) and time.monotonic() < until:
            candidate = data[:at] + data[at + size :]
            if fails(candidate):
                data = candidate
            else:
                at += size
        size //= 2
    return data
