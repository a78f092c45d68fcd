"""Read exchange files, saved mitmproxy flows and HAR files into the store.

Returns when the rows are there. Reading a file again adds nothing: a call keeps its id. Exchange files are what
`llmprof up --capture DIR` saves; the readme tells their format. Exit code 1 if a file could not be read, or not all of
it be processed; the others are in the store then.

Examples:
  llmprof import recorded/                every *.exchange, *.flow(s), *.mitm and *.har file below the folder
  llmprof import session.har saved.flows
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import settings_of
from llmprof_addon.errors import ConfigError, LlmprofError

if TYPE_CHECKING:
    from llmprof_addon.model.exchange import Exchange
    from llmprof_addon.settings import Settings

SUFFIXES = (".exchange", ".flow", ".flows", ".mitm", ".har")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to read."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="files, or folders to search for such files"
    )


def run(args: argparse.Namespace) -> int:
    """Hand everything to the spool and wait for the worker; 1 if a file could not be read or processed."""
    import sys

    from llmprof_addon.cli.terminal import one_line
    from llmprof_addon.export import text
    from llmprof_addon.spool.folder import Spool
    from llmprof_addon.spool.redaction import redact
    from llmprof_addon.store import queries
    from llmprof_addon.store.open import open_store
    from llmprof_addon.worker import settle

    settings = settings_of(args)
    settings.ensure_home()
    spool = Spool(settings.spool_dir)
    paths = list(_files(args.paths))
    handed = unread = 0
    with open_store(settings.db_url) as store:
        before = queries.count(store)[1]
        for path in paths:
            try:
                for exchange in _exchanges(path, settings):
                    spool.add(redact(exchange))
                    handed += 1
            except LlmprofError as error:
                unread += 1
                reason = f"{error.message}; {error.hint}" if error.hint else error.message
                print(f"llmprof: {path}: {one_line(reason)}", file=sys.stderr)
        failed = settle(settings)
        added = queries.count(store)[1] - before
    print(f"{text.counted(handed, 'exchange')} read, {text.counted(added, 'call')} added")
    if failed:
        what = text.counted(failed, "exchange")
        print(f"llmprof: {what} not processed; see {spool.failed_folder}", file=sys.stderr)
    return 1 if failed or unread else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        elif path.exists():
            yield path
        else:
            raise ConfigError(f"there is no file {path}")


def _exchanges(path: Path, settings: "Settings") -> "Iterator[Exchange]":
    from llmprof_addon.errors import SpoolError
    from llmprof_addon.spool import files

    if path.suffix != ".exchange":
        from llmprof_addon.capture.flows import read_exchanges

        yield from read_exchanges(path, settings)
        return
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpoolError(f"cannot be read: {error.strerror}") from error
    yield files.decode(data)
