"""The token with which other machines, and whoever asks for recorded data, come in: `LLMPROF_TOKEN`, or a file's text.

The file is made with its first use: 256 random bits, readable by its owner alone.
"""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from llmprof_addon.errors import ConfigError, StartError
from llmprof_addon.settings.values import variable

TOKEN_FILE = "token"
_FORM = re.compile(r"[0-9A-Za-z._~-]{16,256}")
"""As it stands in a header, in the user part of a URL and in a path."""


def access_token(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The token of this home. Raises `ConfigError` for one that is none, `StartError` where it cannot be had."""
    name = variable("token")
    if given := environ.get(name, "").strip():
        return _checked(given, name)
    path = home / TOKEN_FILE
    try:
        if not path.exists():
            _make(path)
        return _checked(path.read_text("utf-8", "replace").strip(), str(path))
    except OSError as error:
        hint = f"set {name}, or mend the rights of that file"
        raise StartError(f"no token at {path}: {error.strerror or error}", hint=hint) from error


def _make(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        os.link(draft, path)
    except FileExistsError:  # another proxy was first; everybody shall have the same one
        pass
    finally:
        draft.unlink()


def _checked(token: str, source: str) -> str:
    # Never repeated: it may be a good one with a line end in it.
    if not _FORM.fullmatch(token):
        raise ConfigError(f"{source} must hold a token of 16 to 256 letters, digits, or any of - . _ ~")
    return token
