"""Text and small JSON as columns take them."""

import json
from typing import overload

from llmprof_addon.model.part import Json

_NOT_STORED = {0: "�"} | {code: "�" for code in range(0xD800, 0xE000)}


@overload
def clean(text: str) -> str: ...
@overload
def clean(text: None) -> None: ...
@overload
def clean(text: str | None) -> str | None: ...
def clean(text: str | None) -> str | None:
    """Replace what text columns cannot hold: lone surrogates (SQLite) and NUL (PostgreSQL)."""
    return text if text is None or (text.isascii() and "\0" not in text) else text.translate(_NOT_STORED)


def dumps(value: Json) -> str:
    """Compact JSON in ASCII, which no column refuses."""
    return json.dumps(value, separators=(",", ":"))


def loads(text: str) -> Json:
    """The inverse of `dumps`."""
    return json.loads(text)
