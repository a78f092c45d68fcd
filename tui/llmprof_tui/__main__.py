"""`python -m llmprof_tui URL [RUN|CALL]`: the terminal UI on a store, without the rest of llmprof's command line."""

import sys
from contextlib import closing
from pathlib import Path

from llmprof_addon import settings
from llmprof_addon.errors import ConfigError, LlmprofError
from llmprof_tui import garbage
from llmprof_tui.source import Source
from llmprof_tui.terminal import enduring, quick_escape


def open_ui(url: str, home: Path, id: str | None = None, *, tour: bool = False, indexed: bool = True) -> int:
    """Open the UI, on the run or call of this id, and return the exit code; `indexed`: search is switched on.

    Raises `LlmprofError` if there is none, before anything is drawn.
    """
    with closing(Source(url, home, indexed=indexed)) as source:
        start = None if id is None else source.find(id)
        from llmprof_tui.app import LlmprofApp  # takes half a second, which an unknown id need not wait for

        garbage.put_off()
        quick_escape()
        with enduring():
            return LlmprofApp(source, start=start, tour=tour).run() or 0


def main(arguments: list[str]) -> int:
    """Open the UI and return the exit code."""
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        print("usage: python -m llmprof_tui URL [RUN|CALL]", file=sys.stderr)
        return 2
    try:
        found = settings.load({"db_url": arguments[0]})
        return open_ui(found.db_url, found.home, *arguments[1:], indexed=found.search)
    except LlmprofError as error:
        print(f"llmprof: {error.message}{f'; {error.hint}' if error.hint else ''}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
