"""A stored block -> the texts in it that a person would search for, whatever dialect it came in.

By the block's own JSON alone, so that the same content always gives the same texts.
"""

import json
import re
from collections.abc import Iterator

from llmprof_addon.model.part import Json

_UNSAID = frozenset(
    (
        *("type", "id", "call_id", "tool_use_id", "tool_call_id", "status", "role", "object", "format", "index"),
        *("data", "signature", "thoughtSignature", "encrypted_content", "redacted_data", "cache_control", "strict"),
        *("media_type", "mimeType", "mime_type", "file_id", "fileUri", "container_id", "required", "$schema", "$ref"),
    )
)
"""Keys whose values nobody reads: kinds, ids, data of media, signatures."""

_NAMED = ("properties", "$defs", "definitions")
"""Keys of schemas below which keys are names."""

_BLOB = re.compile(r"(?:data:[\w/+.;=-]*,)?[A-Za-z0-9+/=_-]{512}")
"""How base64 begins."""


def texts(block: Json) -> Iterator[str]:
    """Texts of a block in their order: names, descriptions, arguments, results. JSON in a text counts as its texts."""
    waiting: list[tuple[Json, bool]] = [(block, False)]
    while waiting:
        value, named = waiting.pop()
        if isinstance(value, str):
            inner = _parsed(value)
            if inner is not None:
                waiting.append((inner, False))
            elif value and not _BLOB.match(value):
                yield value
        elif isinstance(value, list):
            waiting += [(item, False) for item in reversed(value)]
        elif isinstance(value, dict):
            for key, item in reversed(value.items()):
                if named:
                    waiting += [(item, False), (key, False)]
                elif key not in _UNSAID or isinstance(item, dict | list):
                    waiting.append((item, key in _NAMED))


def _parsed(text: str) -> Json:
    """The object or list that a text is in JSON: arguments of a tool, mostly."""
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
