"""A text in the person's own pager: through a private file that is removed afterwards."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from llmprof_addon.errors import LlmprofError
from llmprof_tui.widgets.text_layout import visible

PAGERS = ("less", "more")
"""Tried in this order where `PAGER` is not set."""


class PagerError(LlmprofError):
    """No pager could show the text."""


def command() -> list[str]:
    """The pager with its options. Raises `PagerError`."""
    try:
        chosen = shlex.split(os.environ.get("PAGER", ""))
    except ValueError as error:
        raise PagerError(f"PAGER cannot be read: {error}") from error
    if chosen:
        return chosen
    found = next((pager for pager in PAGERS if shutil.which(pager)), None)
    if found is None:
        raise PagerError("there is no pager", hint="set PAGER, or install less")
    return [found]


def show(app: App[object], text: str, *, suffix: str = ".txt") -> None:
    """Leave the screen to a pager until it ends. Raises `PagerError`.

    Control characters are pictures: pagers that pass colours on would execute them.
    """
    pager = command()
    handle, name = tempfile.mkstemp(prefix="llmprof-", suffix=suffix)  # readable by its owner alone
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(visible(text))
        try:
            with app.suspend():
                done = subprocess.run([*pager, name], check=False)
        except SuspendNotSupported as error:
            raise PagerError("this terminal cannot be left to a pager", hint="copy the text with y") from error
        except OSError as error:
            raise PagerError(f"{pager[0]} did not start: {error.strerror or error}", hint="set PAGER") from error
        if done.returncode:
            raise PagerError(f"{pager[0]} ended with code {done.returncode}", hint="set PAGER to another one")
    finally:
        Path(name).unlink(missing_ok=True)
