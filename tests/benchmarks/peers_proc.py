"""What a process and its children use: CPU and memory from /proc, disk below a folder."""

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

QUIET_CPU = 0.08
"""Share of a core below which a process has nothing left to do; some wake up for timers of their own."""
QUIET_WINDOW_SECONDS = 0.25
SETTLE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """CPU seconds since the start, and resident bytes, of a process and all below it."""

    cpu: float
    own: float
    """Of that, the first process without those below it."""
    resident: int


def usage(pid: int) -> Usage:
    """Use of a tree of processes; children that have ended count through their parents. In ticks of 10 ms."""
    tree = dict(_tree(pid))
    return Usage(
        cpu=sum(_cpu(fields[11:15]) for fields in tree.values()),  # with children that were waited for
        own=_cpu(tree[pid][11:13]) if pid in tree else 0,
        resident=sum(int(fields[21]) * os.sysconf("SC_PAGE_SIZE") for fields in tree.values()),
    )


def _tree(pid: int) -> Iterator[tuple[int, list[str]]]:
    """Each process of the tree and its fields of `stat`, from the state on (proc(5): the third)."""
    found: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # The name before may hold spaces and brackets.
                found[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()
    for one, fields in found.items():
        above, seen = one, 0
        while above != pid and above in found and seen < 16:
            above, seen = int(found[above][1]), seen + 1
        if above == pid:
            yield one, fields


def _cpu(ticks: list[str]) -> float:
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


async def settled(pid: int, spool: Path | None = None, windows: int = 2) -> bool:
    """Wait until a tree of processes has had nothing to do for some windows of time; whether it came to that."""
    quiet, before, until = 0, usage(pid).cpu, time.monotonic() + SETTLE_SECONDS
    while quiet < windows and time.monotonic() < until:
        await asyncio.sleep(QUIET_WINDOW_SECONDS)
        cpu = usage(pid).cpu
        # In ticks: two of them in a window are noise.
        idle = cpu - before <= QUIET_CPU * QUIET_WINDOW_SECONDS + 1e-6
        waiting = spool is not None and any(spool.glob("*.exchange"))
        quiet, before = quiet + 1 if idle and not waiting else 0, cpu
    return quiet >= windows


def stored_bytes(home: Path) -> int:
    """Bytes of all files below a folder, with SQLite's logs folded into their databases first."""
    for file in databases(home):
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file, timeout=5)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file() and not file.is_symlink())


def databases(home: Path) -> list[Path]:
    """All SQLite databases below a folder."""
    return [file for file in home.rglob("*") if file.is_file() and _magic(file) == b"SQLite format 3\0"]


def _magic(file: Path) -> bytes:
    with contextlib.suppress(OSError), file.open("rb") as opened:
        return opened.read(16)
    return b""


def rows(home: Path, table: str) -> int | None:
    """Rows of a table in whichever database below a folder has it; `None` if none has."""
    for file in databases(home):
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file, timeout=5)) as db:
            return int(db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
    return None
