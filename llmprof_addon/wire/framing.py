"""The body of a streamed answer to events, whatever frames them: SSE, JSON lines, one JSON array, AWS's event stream.

The frame is known by the bytes, then by the content type, since hosts send each kind under the others' names. Data that
is cut at the end of the stream is an event that is not `complete`; the folds of the dialects pass over it.
"""

import json
import re
from typing import Literal
from zlib import crc32

from llmprof_addon.wire import sse
from llmprof_addon.wire.sse import Event

Frame = Literal["sse", "lines", "array", "aws"]

_BOM = b"\xef\xbb\xbf"
_SSE_START = re.compile(rb"\s*(?:event|data|id|retry)?:")
_LINES = ("ndjson", "jsonl", "json-lines", "stream+json")
_PRELUDE_BYTES = 8
"""Total and header length of an AWS message, before the checksum of the two."""
_DECODER = json.JSONDecoder()


def frame_of(data: bytes, content_type: str | None, *, asked: bool = False) -> Frame | None:
    """How the body of a stream is framed; `None` if it is no stream.

    `asked` says that the request asked for a stream by its address: a JSON array is one then, and else a plain body.
    """
    kind = (content_type or "").lower()
    start = data[:64].removeprefix(_BOM).lstrip()
    if _is_aws(data) or ("vnd.amazon.eventstream" in kind and start[:1] not in (b"{", b"<")):
        return "aws"
    if start[:1] == b"{":
        return "lines" if any(name in kind for name in _LINES) or _has_lines(data) else None
    if start[:1] == b"[":
        return "array" if asked else None
    if start[:1] == b"<":
        return None
    if _SSE_START.match(start) or "text/event-stream" in kind:
        return "sse"
    return None


def events(data: bytes, frame: Frame) -> list[Event]:
    """All events of a stream."""
    match frame:
        case "sse":
            return sse.parse(data)
        case "lines":
            return _lines(_text(data))
        case "array":
            return _elements(_text(data))
        case "aws":
            from llmprof_addon.wire import eventstream  # for users of Bedrock alone

            return eventstream.parse(data)


def behind_gap(data: bytes, frame: Frame) -> bytes:
    """The rest of a stream whose middle is missing, from its first whole event on."""
    if frame == "aws":
        return data  # its parser looks for the next whole message
    if frame == "array":
        # Google writes each element's opening brace, and nothing else, at the start of a line.
        return b"[" + b"".join(data.partition(b"\n{")[1:])
    return data.partition(b"\n")[2]


def _is_aws(data: bytes) -> bool:
    checksum = data[_PRELUDE_BYTES : _PRELUDE_BYTES + 4]
    return len(checksum) == 4 and crc32(data[:_PRELUDE_BYTES]) == int.from_bytes(checksum)


def _has_lines(data: bytes) -> bool:
    """Whether the first line is one JSON value and another starts behind it."""
    line, _, rest = data.partition(b"\n")
    return rest[:64].lstrip()[:1] == b"{" and _is_json(_text(line))


def _text(data: bytes) -> str:
    return data.removeprefix(_BOM).decode("utf-8", "replace")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(text: str) -> list[Event]:
    *ended, last = text.split("\n")
    found = [Event(data=line.strip()) for line in ended if line.strip()]
    if last.strip():
        found.append(Event(data=last.strip(), complete=_is_json(last)))
    return found


def _elements(text: str) -> list[Event]:
    """The elements of an array, each as it stood; the last one may be cut."""
    found: list[Event] = []
    at = _next(text, text.find("[") + 1)
    while at < len(text) and text[at] != "]":
        try:
            end = _DECODER.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            found.append(Event(data=text[at:], complete=False))
            break
        found.append(Event(data=text[at:end]))
        at = _next(text, end)
    return found


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at
