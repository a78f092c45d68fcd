"""JSON as sent -> JSON to read: indented, text with real line breaks, numbers as they were written."""

import json
from collections.abc import Iterator

from llmprof_addon.model.part import Json

LONGEST = 4_000_000
"""Characters up to which a text is taken apart; what is longer is shown as it was sent."""


class _Number(str):
    """A number, digit for digit."""

    __slots__ = ()


def pretty(text: str) -> str | None:
    """The JSON object or list in this text, indented; `None` if it is something else.

    A string with line breaks in it stands on lines of its own: what is shown is for reading, and no longer JSON.
    """
    bare = text.strip()
    if not bare or (bare[0], bare[-1]) not in (("{", "}"), ("[", "]")) or len(bare) > LONGEST:
        return None
    try:
        value = json.loads(bare, parse_int=_Number, parse_float=_Number)
        return "".join(_written(value, ""))
    except (ValueError, RecursionError):
        return None


def _written(value: Json, indent: str) -> Iterator[str]:
    inner = indent + "  "
    if isinstance(value, _Number):
        yield value
    elif isinstance(value, str):
        yield _string(value, inner)
    elif isinstance(value, dict) and value:
        for index, (key, item) in enumerate(value.items()):
            yield f"{',' if index else '{'}\n{inner}{json.dumps(key, ensure_ascii=False)}: "
            yield from _written(item, inner)
        yield f"\n{indent}}}"
    elif isinstance(value, list) and value:
        if all(isinstance(item, str | int | float | None) for item in value) and len(value) <= 12:
            line = ", ".join("".join(_written(item, "")) for item in value)
            if len(line) <= 60 and "\n" not in line:
                yield f"[{line}]"
                return
        for index, item in enumerate(value):
            yield f"{',' if index else '['}\n{inner}"
            yield from _written(item, inner)
        yield f"\n{indent}]"
    else:
        yield json.dumps(value)


def _string(value: str, indent: str) -> str:
    if "\n" not in value.rstrip("\n"):
        return json.dumps(value, ensure_ascii=False)
    lines = value.split("\n")
    return '"' + f"\n{indent}".join(lines) + '"'
