"""Inputs of each form to others of the same form, most of them still nearly right."""

import json
from collections.abc import Callable, Sequence
from gzip import compress
from random import Random

import brotli  # type: ignore[import-untyped]
import zstandard
from mitmproxy.io import tnetstring

from llmprof_addon.errors import SpoolError, WireError
from llmprof_addon.model.part import Json
from llmprof_addon.spool import files
from llmprof_addon.wire import eventstream, jsontext
from tests.factories import aws_message
from tests.fuzz.values import dumped, mutated, slots

type Mutator = Callable[[Random, Sequence[bytes]], bytes]
"""From a source of chance and the inputs so far to a new input."""

MOST_BYTES = 1 << 20
SWOLLEN_BYTES = (1 << 12, 1 << 14, 1 << 16, 1 << 18)

TOKENS = (
    *(b"", b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"data:",
        b"data: {}\n\n",
        b"event: error\n",
        b"id: \0\n",
        b"retry: 9999999999999",
    ),
    *(b"[", b"]", b"{", b"}", b"[" * 3000, b'{"a":' * 3000, b'"', b"\\", b"\\u", b"\\ud800", b"NaN", b"-Infinity"),
    *(
        b"1e999",
        b"9" * 5000,
        b"null",
        b":",
        b",",
        b"<",
        b">",
        b" " * 1000,
        b"%",
        b"..",
        b"*",
        b"-",
        b"=",
        b"[redacted]",
    ),
    *(b"sk-ant-api03-fake0000fake0000", b"AKIAFAKEFAKEFAKEFAKE", b"-----BEGIN PRIVATE KEY-----", b"eyJ", b"[DONE]"),
    *(
        b"/Type /Page",
        b"/Type/ObjStm>>stream\n",
        b"/Count 9",
        b"\xff\xd8",
        b"\xff\xc0",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"%PDF-",
    ),
)


def bytes_(random: Random, pool: Sequence[bytes]) -> bytes:
    """Flipped, cut, doubled, spliced, swollen bytes."""
    data = random.choice(pool)
    for _ in range(random.choice((1, 1, 2, 4))):
        data = _edited(data, random, pool)
    return data[:MOST_BYTES]


def _edited(data: bytes, random: Random, pool: Sequence[bytes]) -> bytes:
    at, size = random.randrange(len(data) + 1), random.choice((1, 1, 2, 4, 16, 200))
    match random.randrange(11):
        case 0 if at < len(data):
            return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at] + random.randbytes(size) + data[at + size :]
        case 2:
            return data[:at] + data[at + size :]
        case 3:
            return data[:at] + data[at : at + size] * random.choice((2, 3, 50)) + data[at + size :]
        case 4:
            return data[:at]
        case 5:
            return data[at:]
        case 6:
            other = random.choice(pool)
            there = random.randrange(len(other) + 1)
            return data[:at] + other[there : there + random.choice((size, len(other)))]
        case 7 if random.random() < 0.1:
            piece = data[at : at + size] or b"x"
            return data[:at] + piece * (random.choice(SWOLLEN_BYTES) // len(piece)) + data[at:]
        case 8:
            number = random.choice((0, 1, len(data), 2**16, 2**31 - 1, 2**32 - 1))
            return data[:at] + number.to_bytes(4, random.choice(("big", "little"))) + data[at + 4 :]
        case _:
            return data[:at] + random.choice(TOKENS) + data[at:]


def json_(random: Random, pool: Sequence[bytes]) -> bytes:
    """A JSON text of another shape; one in eight is none any more."""
    data = random.choice(pool)
    value = _value(data)
    if value is None or random.random() < 0.03:
        return bytes_(random, pool)
    changed = dumped(mutated(value, random, [_value(random.choice(pool))]), random)
    return _edited(changed, random, pool) if random.random() < 0.1 else changed[:MOST_BYTES]


def _value(data: bytes) -> Json:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None


def lines(random: Random, pool: Sequence[bytes]) -> bytes:
    """SSE or JSON lines: the JSON of some lines changed, lines dropped, doubled, moved, or the bytes changed."""
    if random.random() < 0.25:
        return bytes_(random, pool)
    rows = random.choice(pool).splitlines(keepends=True)
    if not rows:
        return b"data: {}\n\n"
    for _ in range(random.choice((1, 1, 2, 4))):
        at, other = random.randrange(len(rows)), random.randrange(len(rows))
        match random.randrange(10):
            case 0 if len(rows) > 1:
                del rows[at]
            case 1:
                rows.insert(at, rows[other])
            case 2:
                rows[at], rows[other] = rows[other], rows[at]
            case 3:
                strange = random.choice(pool).splitlines(keepends=True)
                rows.insert(at, random.choice(strange) if strange else b"\n")
            case _:
                rows[at] = _changed_line(_with_json(rows, at), random, rows)
        rows = rows or [b"\n"]
    return b"".join(rows)[:MOST_BYTES]


def _with_json(rows: list[bytes], at: int) -> bytes:
    return next((row for row in (*rows[at:], *rows[:at]) if b"{" in row), rows[at])


def _changed_line(row: bytes, random: Random, rows: Sequence[bytes]) -> bytes:
    start, end = row.find(b"{"), row.rfind(b"}") + 1
    value = _value(row[start:end]) if start >= 0 else None
    if value is None:
        return _edited(row, random, rows)
    other = random.choice(rows)
    found = _value(other[other.find(b"{") :]) if b"{" in other else None
    text = json.dumps(mutated(value, random, [found or value]), ensure_ascii=random.random() < 0.5)
    return row[:start] + text.encode("utf-8", "surrogatepass") + row[end:]


def aws(random: Random, pool: Sequence[bytes]) -> bytes:
    """An AWS event stream with other payloads under right checksums, or with other bytes."""
    if random.random() < 0.3:
        return bytes_(random, pool)
    events = eventstream.parse(random.choice(pool))[:200]
    out = []
    for event in events:
        value = _value(event.data.encode("utf-8", "surrogatepass"))
        if random.random() < 2 / (len(events) + 1):
            if random.random() < 0.3:
                continue
            value = mutated(value, random, [value])
        name = event.event[:100] if random.random() < 0.95 else ""
        message = aws_message(name.encode("ascii", "replace").decode(), value)
        out += [message] * random.choice((1, 1, 1, 1, 1, 1, 2))
    return b"".join(out)[:MOST_BYTES]


def stream(random: Random, pool: Sequence[bytes]) -> bytes:
    """A streamed answer of whatever frame."""
    one = [random.choice(pool)]
    if one[0][:1] in b"[":
        return json_(random, one)
    return aws(random, one) if one[0][:1] == b"\0" else lines(random, [*one, random.choice(pool)])


def encoded(random: Random, pool: Sequence[bytes]) -> bytes:
    """A first line that names content encodings, then a body: either changed, or another body encoded."""
    head, _, body = random.choice(pool).partition(b"\n")
    if random.random() < 0.15:
        names = random.choices(ENCODINGS, k=random.choice((1, 1, 2, 3, 40)))
        head = b", ".join(names)
        for name in names[:4]:
            body = _encode(name, body)[:MOST_BYTES]
    bodies = [each.partition(b"\n")[2] for each in pool[:50]]
    return head + b"\n" + (bytes_(random, [body, *bodies]) if random.random() < 0.9 else body)


ENCODINGS = (b"gzip", b"x-gzip", b"deflate", b"br", b"zstd", b"identity", b"", b"compress", b"GZIP ", b"\xff")


def _encode(name: bytes, body: bytes) -> bytes:
    match name:
        case b"gzip" | b"x-gzip":
            return compress(body, 1)
        case b"br":
            return bytes(brotli.compress(body, quality=1))
        case b"zstd":
            return zstandard.compress(body, 1)
    return body


def exchange(random: Random, pool: Sequence[bytes]) -> bytes:
    """An exchange file with another header or other bodies, whose sizes are mostly right."""
    data = random.choice(pool)
    try:
        kept = files.decode(data)
    except SpoolError:
        return bytes_(random, pool)
    head, request, response = _value(files.header(kept)), kept.request_body, kept.response_body
    others = _bodies(random.choice(pool))
    for _ in range(random.choice((1, 1, 2))):
        match random.randrange(8):
            case 0:
                head = mutated(head, random, [head])
            case 1 if isinstance(head, dict):
                head["url"], head["transport"] = random.choice(URLS), random.choice(("http", "sse", "websocket"))
            case 2 | 3 | 4:
                request = json_(random, [request, others[0]])
            case _:
                response = (json_ if response[:1] == b"{" else stream)(random, [response or b"{}", others[1] or b"{}"])
    if random.random() < 0.1:
        name = random.choice((b"gzip", b"br", b"zstd"))
        response = _encode(name, response)
        if isinstance(head, dict) and isinstance(head.get("response_headers"), list):
            head["response_headers"].append(["content-encoding", name.decode()])
    if isinstance(head, dict) and random.random() < 0.97:
        head |= {"request_bytes": len(request), "response_bytes": len(response)}
    return json.dumps(head).encode() + b"\n" + request + response


def _bodies(data: bytes) -> tuple[bytes, bytes]:
    try:
        kept = files.decode(data)
    except SpoolError:
        return b"{}", b"{}"
    return kept.request_body, kept.response_body


URLS = (
    *(
        "",
        "/",
        "http://",
        "https://[::1",
        "https://h:99999/v1/messages",
        "https://api.openai.com:x/v1/chat/completions",
    ),
    *("https://api.openai.com/v1/responses", "https://api.anthropic.com/v1/messages?beta=true", "wss://h/v1/responses"),
    *("http://localhost:11434/api/chat", "https://h/model/%00/converse-stream", "https://h/v1beta/models/\ud800:x"),
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/a/invoke-with-response-stream",
    "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse",
    "https://api.cohere.com/v2/chat",
)


def text(random: Random, pool: Sequence[bytes]) -> bytes:
    """Words and marks of several inputs, put together anew."""
    if random.random() < 0.4:
        return bytes_(random, pool)[:4000]
    pieces = [piece for data in random.choices(pool, k=3) for piece in data.split(b" ")]
    return random.choice((b" ", b" ", b"", b'"', b":", b"/"))[:1].join(random.choices(pieces, k=random.randrange(1, 9)))


def smaller(data: bytes) -> list[bytes]:
    """JSON texts with one value less each, for making a failing input small; none where it is no JSON."""
    try:
        value = jsontext.loads(data)
    except WireError:
        return []
    found = []
    for number in range(min(len(slots([value])), 400)):
        for edit in ("drop", "up"):
            root = [jsontext.loads(data)]
            container, key = slots(root)[number]
            if edit == "up":
                root = [container[key]]
            elif container is root:
                continue
            else:
                del container[key]
            found.append(json.dumps(root[0]).encode())
    return found


def netstrings(random: Random, pool: Sequence[bytes]) -> bytes:
    """A saved flow with another state, whose lengths are right, or with other bytes."""
    if random.random() < 0.2:
        return bytes_(random, pool)
    try:
        state = tnetstring.loads(random.choice(pool))
        return tnetstring.dumps(mutated(state, random, [tnetstring.loads(random.choice(pool))]))
    except (ValueError, TypeError, RecursionError):
        return bytes_(random, pool)
