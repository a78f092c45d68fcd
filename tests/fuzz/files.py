"""Targets of what is read from files: exchanges, saved flows, pictures, documents."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack
from tempfile import TemporaryDirectory
from zlib import compress

from llmprof_addon import settings
from llmprof_addon.capture.flows import read_exchanges
from llmprof_addon.counting.families import family
from llmprof_addon.counting.images import media_tokens
from llmprof_addon.errors import SpoolError
from llmprof_addon.model.media import media_of, media_of_url
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.pdf import pages
from llmprof_addon.spool import files
from tests.fuzz import mutators, seeds
from tests.fuzz.engine import Check, Target


@contextmanager
def folder() -> Iterator[Path]:
    """A scratch folder, in memory where there is one."""
    with TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        yield Path(name)


def check_exchange_file(data: bytes) -> None:
    """An exchange that is the same when it is written and read again, or a `SpoolError`."""
    try:
        exchange = files.decode(data)
    except SpoolError as error:
        assert len(error.message.splitlines()) == 1, "more than a line"
        return
    assert files.decode(files.encode(exchange)) == exchange, "read again it is another exchange"


_FAMILIES = [
    family(api, model, provider).media
    for api, model, provider in (
        *(("openai.chat", name, "openai") for name in ("gpt-4o", "gpt-4.1-mini", "gpt-5", "o4-mini", "gpt-4o-mini")),
        ("anthropic.messages", "claude-sonnet-4-5", "anthropic"),
        *(("gemini.generate_content", name, "gcp.gemini") for name in ("gemini-2.0-flash", "gemini-3-pro")),
        ("mistral.chat", "pixtral-12b", "mistral_ai"),
    )
]


def check_media(data: bytes) -> None:
    """Bytes, base64 and data URLs give sizes; every family gives tokens for them."""
    text = data.decode("latin-1")
    for media in (media_of(None, data), media_of("image/png", text, "low"), media_of_url(text, "original")):
        for kind in (PartKind.IMAGE, PartKind.DOCUMENT, PartKind.AUDIO):
            for rule in _FAMILIES:
                assert media_tokens(Part(kind=kind, media=media), rule).tokens >= 0, "fewer tokens than none"


def check_pdf(data: bytes) -> None:
    """Pages, or none."""
    found = pages(data)
    assert found is None or found > 0


def _image_seeds() -> list[bytes]:
    size = pack(">HH", 480, 640)
    app = b"\xff\xe1" + pack(">H", 200) + bytes(198)
    return [
        b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + b"IHDR" + pack(">II", 640, 480) + bytes(9),
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(10) + app + b"\xff\xc0\x00\x11\x08" + size + bytes(9),
        b"GIF89a" + pack("<HH", 640, 480) + bytes(20),
        b"RIFF\0\0\0\0WEBPVP8 " + bytes(7) + b"\x9d\x01\x2a" + pack("<HH", 640, 480) + bytes(9),
        b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + bytes(20),
        b"RIFF\0\0\0\0WEBPVP8X" + bytes(30),
        b"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        b"https://example.test/picture.png",
        *_pdf_seeds(),
    ]


def _pdf_seeds() -> list[bytes]:
    packed = compress(b"<< /Type /Page /Count 2 >>" * 40)
    stream = b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\r\n" + packed + b"\nendstream\n"
    return [
        b"%PDF-1.4\n1 0 obj << /Type /Pages /Count 2 >>\n2 0 obj << /Type /Page >>\n3 0 obj << /Type/Page>>\n",
        b"%PDF-1.7\n" + stream * 2 + b"<< /Count 80 >>",
        b"%PDF-1.7\n" + stream[: -len(packed)] + compress(bytes(1 << 22)) + b"endstream",
    ]


def _har_seeds() -> list[bytes]:
    entries = []
    for one in seeds.exchanges()[::9]:
        request = {
            "method": one.method,
            "url": one.url,
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in one.request_headers],
            "postData": {"text": one.request_body.decode("utf-8", "replace")},
        }
        content = {"text": one.response_body.decode("utf-8", "replace"), "mimeType": "application/json"}
        response = {
            "status": one.status,
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in one.response_headers],
            "content": content,
        }
        entries.append(
            {
                "startedDateTime": "2027-01-15T08:00:00.000Z",
                "time": 2000,
                "request": request,
                "response": response,
                "serverIPAddress": "127.0.0.1",
            }
        )
    return [json.dumps({"log": {"entries": entries[at : at + 2]}}).encode() for at in range(0, len(entries), 2)]


def _flow_seeds() -> list[bytes]:
    from mitmproxy.io import tnetstring
    from mitmproxy.test import tflow

    found = []
    for one in seeds.exchanges()[::9]:
        flow = tflow.tflow(resp=True)
        flow.request.method, flow.request.url = one.method, one.url
        flow.request.raw_content = one.request_body
        assert flow.response is not None
        flow.response.raw_content = one.response_body
        flow.response.headers["content-type"] = one.response_header("content-type") or ""
        found.append(tnetstring.dumps(flow.get_state()))
    socket = tflow.twebsocketflow()
    socket.request.method, socket.request.url = "GET", "https://api.openai.com/v1/responses"
    assert socket.websocket is not None
    for message, says in zip(socket.websocket.messages, ("response.create", "response.completed", "x"), strict=False):
        message.content = json.dumps({"type": says, "model": "gpt-5"}).encode()
    return [*found, tnetstring.dumps(socket.get_state())]


@contextmanager
def checking_imports() -> Iterator[Check]:
    """Exchanges that can be written, or a `SpoolError`."""
    with folder() as scratch:
        given, path = settings.load({"home": str(scratch)}, {}), scratch / "file.flows"

        def check(data: bytes) -> None:
            path.write_bytes(data)
            try:
                for exchange in read_exchanges(path, given):
                    assert files.decode(files.encode(exchange)) == exchange, "read again it is another exchange"
            except SpoolError:
                pass

        yield check


TARGETS = (
    Target(name="exchange", seeds=seeds.exchange_files, mutate=mutators.exchange, check=check_exchange_file),
    Target(name="images", seeds=_image_seeds, mutate=mutators.bytes_, check=check_media),
    Target(name="pdf", seeds=_pdf_seeds, mutate=mutators.bytes_, check=check_pdf),
    Target(name="har", seeds=_har_seeds, mutate=mutators.json_, opened=checking_imports),
    Target(name="flows", seeds=_flow_seeds, mutate=mutators.netstrings, opened=checking_imports),
)
