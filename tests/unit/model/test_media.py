import struct
import sys
from base64 import b64encode, urlsafe_b64encode

import pytest

from llmprof_addon.model import media as of_media
from llmprof_addon.model.media import media_of, media_of_url
from llmprof_addon.model.part import Media
from llmprof_addon.model.pdf import pages


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + bytes(50)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(30)


def jpeg(width: int, height: int, metadata: int = 0) -> bytes:
    data = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    while metadata > 0:
        size = min(metadata, 65_533)
        data += b"\xff\xe2" + struct.pack(">H", size + 2) + b"\x55" * size
        metadata -= size
    data += b"\xff\xdb" + struct.pack(">H", 67) + bytes(65)
    return data + b"\xff\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(200)


def webp(kind: bytes, payload: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 100) + b"WEBP" + kind + struct.pack("<I", 40) + payload + bytes(40)


WEBPS = [
    webp(b"VP8 ", b"\x10\x20\x30\x9d\x01\x2a" + struct.pack("<HH", 640, 480 | 0x4000)),
    webp(b"VP8L", b"\x2f" + struct.pack("<I", 639 | 479 << 14)),
    webp(b"VP8X", bytes(4) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")),
]


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (png(640, 480), "image/png"),
        (gif(640, 480), "image/gif"),
        (jpeg(640, 480), "image/jpeg"),
        (jpeg(640, 480, 4000), "image/jpeg"),
        (jpeg(640, 480, 200_000), "image/jpeg"),
        *((data, "image/webp") for data in WEBPS),
    ],
)
def test_pixels_and_type_come_from_the_header(data: bytes, mime: str) -> None:
    want = Media(type=mime, width=640, height=480, size_bytes=len(data), detail="low")
    assert media_of(None, data, "low") == want
    assert media_of(None, b64encode(data).decode(), "low") == want
    assert media_of(None, urlsafe_b64encode(data).decode(), "low") == want


def test_line_breaks_in_base64_do_not_count() -> None:
    data = png(3, 5)
    text = b64encode(data).decode()
    broken = "\r\n".join(text[at : at + 20] for at in range(0, len(text), 20))
    assert media_of("image/png", broken) == media_of("image/png", data)


@pytest.mark.parametrize("data", ["", "=", "no base64 at all…", "[REDACTED]", b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_data_has_no_pixels(data: str | bytes) -> None:
    media = media_of("image/png", data)
    assert (media.width, media.height, media.type) == (None, None, "image/png")


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_cut_header_never_raises(cut: int) -> None:
    for data in (png(1, 2), gif(1, 2), jpeg(1, 2), *WEBPS):
        media_of(None, data[:cut])


def test_declared_type_wins() -> None:
    assert media_of("image/jpeg", png(7, 9)) == Media(type="image/jpeg", width=7, height=9, size_bytes=len(png(7, 9)))


def test_urls() -> None:
    data = png(20, 10)
    url = "data:image/png;base64," + b64encode(data).decode()
    assert media_of_url(url, "high") == media_of("image/png", data, "high")
    assert media_of_url("https://pictures.example/a.png") == Media(source="url")
    assert media_of_url("data:text/plain,hello") == Media(type="text/plain", size_bytes=5)
    assert media_of_url("data:broken") == Media(size_bytes=0)
    assert media_of_url("data:;base64," + b64encode(data).decode()).type == "image/png"


def test_a_pdf_is_searched_for_its_pages_once_and_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def count(data: bytes) -> int | None:
        searched.append(len(data))
        return pages(data)

    monkeypatch.setattr(of_media, "pages", count)
    three = b"%PDF-1.5\n" + b"<< /Type /Page >>\n" * 3
    for data, found in ((three, 3), (b"%PDF-1.7 of nothing to read", None)):
        text = b64encode(data).decode()
        held = sys.getrefcount(text)
        for _ in range(3):
            # Equal, but another object: the next turn is parsed anew.
            assert media_of("application/pdf", "".join(text)).pages == found
        assert media_of("application/pdf", text).pages == found
        assert sys.getrefcount(text) == held
    assert searched == [len(three), 27]
