"""`python -m llmprof_tui URL [RUN|CALL]`: the terminal UI on a store, without the rest of llmprof's command line."""

import sys
from pathlib import Path

from llmprof_addon import settings
from llmprof_addon.errors import LlmprofError
from llmprof_tui.app import LlmprofApp
from llmprof_tui.source import Source


def main(arguments: list[str]) -> int:
    """Open the UI and return the exit code."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m llmprof_tui URL [RUN|CALL]", file=sys.stderr)
        return 2
    url, start = arguments[0], arguments[1] if len(arguments) == 2 else None
    try:
        found = settings.load({"db_url": url})
    except LlmprofError as error:
        print(f"llmprof: {error.message}{f'; {error.hint}' if error.hint else ''}", file=sys.stderr)
        return 2
    return LlmprofApp(Source(found.db_url, Path(found.home)), start=start).run() or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
