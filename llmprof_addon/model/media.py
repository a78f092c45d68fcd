"""What the bytes of media say: of an image its pixel size, from a few kilobytes of header; of a PDF its pages.

`media_of` takes inline data (base64 as it stood in the body, or bytes), `media_of_url` an address or a data URL.
Neither raises: what cannot be read stays `None`.
"""

from base64 import b64decode
from dataclasses import replace
from hashlib import blake2b
from struct import unpack_from

from llmprof_addon.model.part import Media
from llmprof_addon.model.pdf import pages
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.standin import stand_in

HEAD_BYTES = 4096
"""Enough for every PNG, GIF and WebP, and for a JPEG that starts with no large metadata."""
JPEG_HEAD_BYTES = 384 * 1024
"""A JPEG's size stands behind its metadata: colour profile, thumbnail, each segment up to 64 KiB."""
PDF_BYTES = 64 * 1024 * 1024
"""How much of a PDF is searched for its pages."""

_URL_SAFE = str.maketrans("-_", "+/")
_counted: Recent[bytes, int] = Recent(1000)
"""Pages of PDFs by the digest of their data, 0 where they cannot be read."""


def media_of(mime: str | None, data: str | bytes, detail: str | None = None) -> Media:
    """Describe inline data, base64 text or the bytes themselves; a missing media type is read off the header."""
    if isinstance(data, str) and (said := stand_in(data)) is not None:
        media = said.media or Media()
        return replace(media, type=mime or media.type, detail=detail)
    head = _head(data, HEAD_BYTES)
    kind, size = _measure(head)
    if kind == "image/jpeg" and size is None and len(head) >= HEAD_BYTES - 3:
        size = _measure(_head(data, JPEG_HEAD_BYTES))[1]
    width, height = size or (None, None)
    return Media(
        type=mime or kind,
        width=width,
        height=height,
        size_bytes=_decoded_bytes(data),
        pages=_pages(data) if kind == "application/pdf" else None,
        detail=detail,
        source="inline",
    )


def media_of_url(url: str, detail: str | None = None) -> Media:
    """Describe what a URL stands for: a data URL is inline, anything else is out of reach and has no size."""
    if not url.startswith("data:"):
        said = stand_in(url)
        return Media(detail=detail, source="url") if said is None or said.media is None else media_of(None, url, detail)
    comma = url.find(",", 0, 256)
    if comma < 0:
        return Media(detail=detail, size_bytes=0)
    mime, *options = url[5:comma].split(";")
    if "base64" in options:
        return media_of(mime or None, url[comma + 1 :], detail)
    return Media(type=mime or None, size_bytes=len(url) - comma - 1, detail=detail)


def _head(data: str | bytes, length: int) -> bytes:
    """The first bytes of the data; empty where its base64 cannot be read."""
    if isinstance(data, bytes):
        return data[:length]
    text = "".join(data[: length // 3 * 4].split()).translate(_URL_SAFE).rstrip("=")
    text = text[: len(text) // 4 * 4]
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _pages(data: str | bytes) -> int | None:
    """Pages of a PDF, which is searched for them once: every turn of a conversation sends it again."""
    key = blake2b(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    count = _counted.get(key)
    if count is None:
        count = pages(_head(data, PDF_BYTES)) or 0
        _counted.add(key, count)
    return count or None


def _decoded_bytes(data: str | bytes) -> int:
    if isinstance(data, bytes):
        return len(data)
    tail = data[-4:]
    digits = len(data) - tail.count("=") - data.count("\n") - data.count("\r")
    return digits * 3 // 4


def _measure(head: bytes) -> tuple[str | None, tuple[int, int] | None]:
    """Media type and (width, height) in pixels, each `None` where the bytes do not say."""
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png", unpack_from(">II", head, 16) if len(head) >= 24 and head[12:16] == b"IHDR" else None
    if head[:2] == b"\xff\xd8":
        return "image/jpeg", _jpeg_size(head)
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif", unpack_from("<HH", head, 6) if len(head) >= 10 else None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp", _webp_size(head)
    if head[:5] == b"%PDF-":
        return "application/pdf", None
    return None, None


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Walk the segments to the start of frame (ITU T.81, B.2.2): height, then width, behind one byte of precision."""
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = unpack_from(">HH", head, at + 5)
            return width, height
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            at += 2
        else:
            at += 2 + unpack_from(">H", head, at + 2)[0]
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """Lossy, lossless or extended header (WebP container specification)."""
    if len(head) < 30:
        return None
    kind = head[12:16]
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = unpack_from("<I", head, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None
