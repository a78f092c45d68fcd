"""What a person set in the UI, kept in one JSON file. One that cannot be read or written means defaults, no error."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

FILE = "ui.json"


class Preferences:
    """Values by name, read once and written at each change."""

    def __init__(self, path: Path | None) -> None:
        """`path` of the file; `None` keeps nothing."""
        self._path = path
        self._values: dict[str, Any] = {}
        if path is not None:
            try:
                found = json.loads(path.read_bytes())
            except (OSError, ValueError, RecursionError):
                found = None
            self._values = found if isinstance(found, dict) else {}

    def get[T: (str, bool, int, list[str], dict[str, str])](self, name: str, default: T) -> T:
        """The value of this name, if it is of the default's type."""
        value = self._values.get(name)
        return value if type(value) is type(default) else default

    def set(self, name: str, value: Any) -> None:
        """Keep a value; written at once, so that another window takes it over when it starts."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        if self._path is None:
            return
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(self._values, indent=2, sort_keys=True) + "\n")
            beside.replace(self._path)
        except OSError:
            with suppress(OSError):
                beside.unlink()
