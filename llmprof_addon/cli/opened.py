"""What commands share: the settings of a home, and its store opened for reading."""

import argparse
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llmprof_addon.errors import LlmprofError, StoreError

if TYPE_CHECKING:
    from llmprof_addon.settings import Settings
    from llmprof_addon.store.open import Store
    from llmprof_addon.store.rows import RunRow


NOTHING_YET = "nothing is recorded yet; start with `llmprof up`, or look at `llmprof demo`"


class NotFoundError(LlmprofError):
    """What was asked for is not in the store."""


def settings_of(args: argparse.Namespace) -> "Settings":
    """The settings of the command's home."""
    from llmprof_addon import settings

    return settings.load({"home": args.home})


def home_flag(settings: "Settings") -> str:
    """What has to stand behind a command that is shown, so that it finds this home."""
    return "" if settings.home == Path.home() / ".llmprof" else f" --home {shlex.quote(str(settings.home))}"


def reachable_host(settings: "Settings") -> str:
    """The address at which programs of this machine reach our listeners."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(settings.host, settings.host)


@contextmanager
def reading(args: argparse.Namespace) -> "Iterator[Store]":
    """The store of the command's home. Raises `StoreError`, with what to do where nothing was recorded yet."""
    from llmprof_addon.store.open import open_store

    with open_store(settings_of(args).db_url, read_only=True) as store:
        yield store


@contextmanager
def changing(args: argparse.Namespace) -> "Iterator[Store]":
    """The same store opened to delete from it; a missing one is not made. Raises `StoreError`."""
    from llmprof_addon.store.database import sqlite_path
    from llmprof_addon.store.open import open_store

    url = settings_of(args).db_url
    path = sqlite_path(url)
    if path is not None and not path.exists():
        raise StoreError(f"no store at {path}", hint="there is nothing to delete")
    with open_store(url) as store:
        yield store


def chosen_run(store: "Store", id: str | None) -> "RunRow":
    """The run of this id or unique start of an id; without one the newest run. Raises `NotFoundError`."""
    from llmprof_addon.store import queries

    if id is not None:
        if found := queries.run(store, id):
            return found
        raise NotFoundError(f"there is no run whose id starts with {id!r}", hint="`llmprof runs` lists them")
    for newest in queries.runs(store, limit=1):
        return newest
    raise NotFoundError(NOTHING_YET)


def interactive() -> bool:
    """Whether somebody sees what is written and can press keys."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def positive(text: str) -> int:
    """An argument that is a whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def age_ns(text: str) -> int:
    """An argument that is an age, in ns."""
    match = re.fullmatch(r"(\d+)([mhdw])", text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; write a number with a unit, e.g. 90m, 12h, 30d, 8w")
    return int(match[1]) * _UNITS[match[2]] * 1_000_000_000


def add_list_arguments(parser: argparse.ArgumentParser, rows: str) -> None:
    """`--limit` and `--json` of a command that lists."""
    parser.add_argument(
        "--limit", type=positive, metavar="N", help=f"so many {rows}, newest first (20 for people, all with --json)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, of the shape in the readme")


def confirmed(question: str, yes: bool) -> bool:
    """Whether a person agrees; `yes` answers for them. Without a terminal to ask on the answer is no."""
    if yes:
        return True
    if not sys.stdin.isatty():
        print("llmprof: not asked, because standard input is no terminal; add --yes", file=sys.stderr)
        return False
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
