"""How many pages a PDF has, as far as its objects can be read without a PDF library."""

import re
import zlib

_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_COUNT = re.compile(rb"/Count\s+(\d{1,6})")
# Objects may stand compressed in object streams (ISO 32000-1, 7.5.7).
_OBJECTS = re.compile(rb"/Type\s*/ObjStm\b.{0,400}?>>\s*stream\r?\n", re.DOTALL)
UNPACKED_BYTES = 1 << 26
"""How much is unpacked at most, of all object streams of a document: a few bytes of it may be made to unpack to any."""


def pages(data: bytes) -> int | None:
    """Pages of a PDF: its page objects, or the largest count of its page trees; `None` where neither can be read."""
    found = len(_PAGE.findall(data))
    counts = _COUNT.findall(data)
    at, room = 0, UNPACKED_BYTES
    while room and (start := _OBJECTS.search(data, at)):
        at = data.find(b"endstream", start.end())
        objects = _unpacked(data[start.end() : at if at > 0 else len(data)], room)
        found += len(_PAGE.findall(objects))
        counts += _COUNT.findall(objects)
        room -= len(objects)
        if at < 0:
            break
    return found or max(map(int, counts), default=0) or None


def _unpacked(data: bytes, room: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, room)
    except zlib.error:
        return b""
