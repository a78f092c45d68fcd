"""JSON text to values, with an error that says where. As lenient as Python: NaN, Infinity and lone surrogates pass.

What is nested so deep that walking through it would fail is refused here, once for all who walk.
"""

import json

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json

MAX_DEPTH = 128
"""Objects and lists in one another: no API takes as many, and Python gives up at some hundreds of calls."""

_BOM = b"\xef\xbb\xbf"


def loads(data: bytes | str) -> Json:
    """The value of a JSON text; a byte order mark is skipped, surrogates written as bytes are kept.

    Raises `WireError` with line, column and byte offset (of the UTF-8 text, a byte order mark included).
    """
    skipped = 0
    if isinstance(data, bytes):
        if data.startswith(_BOM):
            skipped = len(_BOM)
        text = _text(data)
    else:
        text = data
    if text.startswith("\ufeff"):
        text, skipped = text[1:], len(_BOM)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        offset = skipped + len(text[: error.pos].encode("utf-8", "surrogatepass"))
        where = f"line {error.lineno} column {error.colno} (byte {offset})"
        raise WireError(f"not JSON: {error.msg} at {where}", offset=offset) from None
    except RecursionError:
        raise WireError(_TOO_DEEP) from None
    except ValueError as error:  # an integer of thousands of digits
        raise WireError(f"JSON cannot be read: {error}") from None
    if _is_deeper(value):
        raise WireError(_TOO_DEEP)
    return value


_TOO_DEEP = "JSON is nested too deeply to be read"


def _is_deeper(value: Json) -> bool:
    """Whether it is nested deeper than `MAX_DEPTH`, level by level."""
    level = [value] if type(value) in _HOLDERS else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for held in level
            for item in (held.values() if type(held) is dict else held)
            if type(item) in _HOLDERS  # the very types that the parser makes: half the time of `isinstance`
        ]
        if not level:
            return False
    return True


_HOLDERS = frozenset((dict, list))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        offset, reason = error.start, error.reason
    encoding = json.detect_encoding(data)
    if encoding.startswith(("utf-16", "utf-32")):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    line = data.count(b"\n", 0, offset) + 1
    column = offset - (data.rfind(b"\n", 0, offset) + 1) + 1
    raise WireError(f"not UTF-8: {reason} at line {line} column {column} (byte {offset})", offset=offset)
