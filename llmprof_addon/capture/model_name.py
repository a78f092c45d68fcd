"""The model that a request asks for, in its path or its JSON body: found, and replaced with nothing else changed."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed hides it
from urllib.parse import quote, unquote

_IN_PATH = re.compile(r"/models/([^/:?]+):|/(?:model|deployments)/([^/?]+)/")
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(strict=False)


def in_path(path: str) -> str | None:
    """The model of `/models/NAME:…` (Gemini, Vertex), `/model/NAME/…` (Bedrock) and `/deployments/NAME/…` (Azure)."""
    found = _IN_PATH.search(path.partition("?")[0])
    return unquote(found[1] or found[2]) if found else None


def replaced_in_path(path: str, model: str) -> str:
    """The path with another model in that place."""
    found = _IN_PATH.search(path.partition("?")[0])
    if found is None:
        return path
    group = 1 if found[1] else 2
    return path[: found.start(group)] + quote(model, safe="@") + path[found.end(group) :]


def in_body(body: bytes) -> str | None:
    """The string under `model` of a JSON object; `None` if there is none. Reads no further than to there."""
    found = _span(body.decode("utf-8", "surrogateescape"))
    return found[2] if found else None


def replaced_in_body(body: bytes, model: str) -> bytes:
    """The body with another string there; every other byte stays."""
    text = body.decode("utf-8", "surrogateescape")
    found = _span(text)
    if found is None:
        return body
    return (text[: found[0]] + json.dumps(model) + text[found[1] :]).encode("utf-8", "surrogateescape")


def _span(text: str) -> tuple[int, int, str] | None:
    """Start and end of the JSON string, and what it says."""
    try:
        at = _skip(text, 1 if text.startswith("\ufeff") else 0)
        while text[at] in "{,":
            at = _skip(text, at + 1)
            if text[at] != '"':
                return None
            key, at = scanstring(text, at + 1, False)
            at = _skip(text, at)
            if text[at] != ":":
                return None
            at = _skip(text, at + 1)
            if key == "model":
                return (at, *reversed(scanstring(text, at + 1, False))) if text[at] == '"' else None
            at = _skip(text, _DECODER.raw_decode(text, at)[1])
    except (ValueError, IndexError, RecursionError):  # no JSON
        pass
    return None


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
