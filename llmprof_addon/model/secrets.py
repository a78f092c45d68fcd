"""What a credential looks like, and how to overwrite one: pure functions over text, bytes and JSON values.

Used twice: by capture before anything leaves it, and by the worker on what only appears once a stream is put together.
Every pattern is guarded by a literal that is searched first, so that a clean body costs microseconds.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from llmprof_addon.model.exchange import Exchange, Headers
from llmprof_addon.model.part import Json

REDACTED = "[redacted]"
MIN_LENGTH = 8
"""Shorter values are not searched for: they would hit ordinary words."""

_HEADER = re.compile(
    r"(^|-)(authorization|auth|cookie|api-?key|apikey|access-key|subscription-key|attestation|password|secret|credential)$"
    r"|set-cookie|(^|[-_])(access|auth|security|session|bearer|csrf|id|refresh|api|device|github|user)?-?token$"
    r"|^(chatgpt-account-id|x-goog-iap-jwt-assertion|x-forwarded-access-token)$",
    re.IGNORECASE,
)
_QUERY = re.compile(
    r"(?i)^(key|api[-_]?key|apikey|access[-_]?token|auth|auth[-_]?token|token|id_token|sig|signature|code|secret|client_secret"
    r"|password|subscription-key|x-amz-(signature|credential|security-token)|x-goog-(signature|credential))$"
)

# A key may stand right behind an escaped line end or tab of a JSON string (`\nsk-…`), where the letter of the escape
# would pass for a part of a longer word; elsewhere a preceding letter means that this is no key.
_START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
# Long base64 (images, signatures) holds any four letters sooner or later; a key of fixed length stands free of it.
_FREE = r"(?:(?<![A-Za-z0-9+/_-])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"

# No pattern reaches over a quotation mark: what stands before one can be searched apart from what follows.
# Each search is a literal (a millisecond per MB), then the pattern there: a pattern that begins with a look-behind
# would be tried at every position.
_PATTERNS: tuple[tuple[str, str], ...] = (
    # OpenAI, Anthropic, OpenRouter, …; a word with a digit, so that `sk-text-repr-fallback` and its like stay.
    ("sk-", _START + r"sk-(?:(?:ant|proj|or|svcacct|admin)-[\w-]{8,}|(?=[A-Za-z_-]{0,48}[0-9])[A-Za-z0-9_-]{16,})"),
    # Stripe's `sk_live_…`; Groq's `gsk_…` but for its first letter.
    ("sk_", rf"(?:{_START}|(?<=g))" + r"sk_(?=[A-Za-z_]{0,48}[0-9])[A-Za-z0-9_]{20,}"),
    ("xai-", _START + r"xai-[A-Za-z0-9]{20,}"),
    ("hf_", _START + r"hf_[A-Za-z0-9]{30,}"),
    ("pplx-", _START + r"pplx-[A-Za-z0-9]{20,}"),
    ("nvapi-", _START + r"nvapi-[A-Za-z0-9_-]{20,}"),
    # GitHub's tokens of people, OAuth, users of apps, servers.
    *((f"gh{kind}_", _START + rf"gh{kind}_[A-Za-z0-9]{{16,}}") for kind in "pous"),
    ("glpat-", _START + r"glpat-[A-Za-z0-9_-]{16,}"),
    ("npm_", _START + r"npm_(?=[A-Za-z]{0,36}[0-9])[A-Za-z0-9]{30,}"),
    ("pypi-", _START + r"pypi-AgE[A-Za-z0-9_-]{30,}"),
    ("ya29.", _FREE + r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("SG.", _FREE + r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{20,}"),
    ("hvs.", _FREE + r"hvs\.[A-Za-z0-9_-]{20,}"),
    ("github_pat_", _START + r"github_pat_\w{16,}"),
    ("AKIA", _FREE + r"AKIA[0-9A-Z]{16}(?![A-Za-z0-9+/_-])"),
    ("ASIA", _FREE + r"ASIA[0-9A-Z]{16}(?![A-Za-z0-9+/_-])"),
    ("AIza", _FREE + r"AIza[0-9A-Za-z_-]{35}(?![A-Za-z0-9+/_-])"),
    ("xox", _START + r"xox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("eyJ", _FREE + r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"),
    # Consumes escapes only whole, so that what is left of a JSON string is one still; the end may be missing.
    (
        "-----BEGIN ",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s:,.]|-(?!----)|\\+[nr/])*"
        r"(?:-----END [A-Z0-9 ]*PRIVATE KEY-----)?",
    ),
)
_TEXT = tuple((literal, re.compile(pattern, re.ASCII)) for literal, pattern in _PATTERNS)
_BYTES = tuple((literal.encode(), re.compile(pattern.encode())) for literal, pattern in _PATTERNS)

# One search for all literals: of a short text half the time or less, of a long one more than one after the other.
_ANY = "|".join(re.escape(literal) for literal, _ in _PATTERNS)
_ANY_TEXT, _ANY_BYTES = re.compile(_ANY), re.compile(_ANY.encode())
_SHORT = 256

# What may be a key whose end is missing; a private key may lack it in any case.
_CUT = _START + rf"(?:{'|'.join(re.escape(literal) for literal, _ in _PATTERNS[:-1])})[A-Za-z0-9_.+/=-]{{4,}}\Z"
_CUT_TEXT, _CUT_BYTES = re.compile(_CUT, re.ASCII), re.compile(_CUT.encode())
_TAIL = 4096
"""Longer keys are none."""


def is_secret_header(name: str) -> bool:
    """Whether a header's value is a credential, by its name."""
    return _is_secret_header(name.lower())


@cache
def _is_secret_header(name: str) -> bool:
    return _HEADER.search(name) is not None


def credentials(headers: Headers, url: str) -> tuple[str, ...]:
    """Every value that authenticates a call, from its headers and query, longest first.

    Of `Basic`, the user and the password as well; of cookies, each value of 16 characters or more.
    """
    found: set[str] = set()
    for name, value in headers:
        if not is_secret_header(name):
            continue
        scheme, space, token = value.strip().partition(" ")
        if "cookie" in name.lower():
            values = (pair.partition("=")[2].strip() for pair in value.split(";"))
            found.update(item for item in values if len(item) >= 2 * MIN_LENGTH)
        elif space and scheme.isalnum():
            found.add(token.strip())
            if scheme.lower() == "basic":
                found.update(_basic(token))
        else:
            found.add(value.strip())
    for name, value in _query_pairs(url):
        if _QUERY.match(name):
            found.update((value, unquote(value)))
    return tuple(sorted((value for value in found if len(value) >= MIN_LENGTH), key=lambda value: (-len(value), value)))


def redact_headers(headers: Headers, known: Sequence[str] = ()) -> tuple[Headers, int]:
    """The headers with credentials overwritten, and how many were."""
    named = [is_secret_header(name) and value != REDACTED for name, value in headers]
    # One search over all values: there is almost never anything to find.
    others = "\n".join(value for (_, value), secret in zip(headers, named, strict=True) if not secret)
    if redact_text(others, known)[1] == 0:
        redacted = tuple(
            (name, REDACTED) if s else (name, value) for (name, value), s in zip(headers, named, strict=True)
        )
        return redacted, sum(named)
    out: list[tuple[str, str]] = []
    count = sum(named)
    for (name, value), secret in zip(headers, named, strict=True):
        text, found = (REDACTED, 0) if secret else redact_text(value, known)
        out.append((name, text))
        count += found
    return tuple(out), count


def redact_url(url: str, known: Sequence[str] = ()) -> tuple[str, int]:
    """The URL with credentials in its path and query overwritten, its user part dropped, and how many there were.

    The host stays as it is, so that the URL can be taken apart as before.
    """
    count = 0
    parts = _split(url)
    pieces = []
    for piece in parts.query.split("&"):
        name, equals, value = piece.partition("=")
        is_secret = _QUERY.match(unquote(name)) or ("%" in value and redact_text(unquote(value), known)[1])
        if equals and value and value != REDACTED and is_secret:
            piece = f"{name}={REDACTED}"
            count += 1
        pieces.append(piece)
    query, in_query = redact_text("&".join(pieces), known)
    path, in_path = redact_text(parts.path, known)
    userinfo, _, host = parts.netloc.rpartition("@")
    count += in_query + in_path + bool(userinfo)
    return (urlunsplit(parts._replace(netloc=host, path=path, query=query)), count) if count else (url, 0)


def redact_around(exchange: Exchange, known: Sequence[str] = ()) -> Exchange:
    """An exchange with credentials overwritten everywhere but in its bodies, and counted."""
    url, found = redact_url(exchange.url, known)
    counts = [found]

    def clean(text: str | None) -> str | None:
        if not text:
            return text
        text, found = redact_text(text, known)
        counts.append(found)
        return text

    request_headers, in_request = redact_headers(exchange.request_headers, known)
    response_headers, in_response = redact_headers(exchange.response_headers, known)
    redacted = replace(
        exchange,
        url=url,
        error=clean(exchange.error),
        session=clean(exchange.session),
        provider=clean(exchange.provider),
        tags=tuple((clean(name) or "", clean(value) or "") for name, value in exchange.tags),
        client=replace(exchange.client, app=clean(exchange.client.app), user_agent=clean(exchange.client.user_agent)),
        request_headers=request_headers,
        response_headers=response_headers,
    )
    return replace(redacted, redactions=exchange.redactions + sum(counts) + in_request + in_response)


def redact_text(text: str, known: Iterable[str] = ()) -> tuple[str, int]:
    """The text with every known value and every secret pattern overwritten, and how many were."""
    count = 0
    for value in known:
        for form in _forms(value):
            if form in text:
                count += text.count(form)
                text = text.replace(form, REDACTED)
    if len(text) <= _SHORT and not _ANY_TEXT.search(text):
        return text, count
    for literal, pattern in _TEXT:
        text, found = _overwrite(literal, pattern, text, REDACTED)
        count += found
    return text, count


def redact_bytes(data: bytes, known: Iterable[str] = (), *, clean: int = 0) -> tuple[bytes, int]:
    """The same for bytes of any content; JSON stays JSON, since keys stand inside its strings.

    The first `clean` bytes end with a quotation mark and are known to hold no pattern.
    """
    count = 0
    new = REDACTED.encode()
    for value in known:
        for form in _forms(value):
            old = form.encode("utf-8", "surrogateescape")
            if old in data:
                count += data.count(old)
                data = data.replace(old, new)
    start = 0 if count else clean
    if len(data) - start <= _SHORT and not _ANY_BYTES.search(data, start):
        return data, count
    for literal, pattern in _BYTES:
        data, found = _overwrite(literal, pattern, data, new, start)
        count += found
    return data, count


def redact_cut_text(text: str) -> tuple[str, int]:
    """The text of an answer that was cut off, without the key that it breaks off in; whether there was one."""
    match = _CUT_TEXT.search(text, max(0, len(text) - _TAIL))
    return (text[: match.start()] + REDACTED, 1) if match else (text, 0)


def redact_cut_bytes(data: bytes) -> tuple[bytes, int]:
    """The same for bytes of any content."""
    match = _CUT_BYTES.search(data, max(0, len(data) - _TAIL))
    return (data[: match.start()] + REDACTED.encode(), 1) if match else (data, 0)


def redact_json(value: Json, known: Sequence[str] = (), *, cut: bool = False) -> tuple[Json, int]:
    """The same for every string (keys too) of a JSON value; what is clean is returned as it is, not copied.

    With `cut`, of an answer that was cut off.
    """
    if isinstance(value, str):
        text, found = redact_text(value, known)
        if not cut:
            return text, found
        text, more = redact_cut_text(text)
        return text, found + more
    if isinstance(value, dict):
        pairs = [(redact_text(key, known), redact_json(item, known, cut=cut)) for key, item in value.items()]
        count = sum(key[1] + item[1] for key, item in pairs)
        return ({key[0]: item[0] for key, item in pairs}, count) if count else (value, 0)
    if isinstance(value, list):
        items = [redact_json(item, known, cut=cut) for item in value]
        count = sum(found for _, found in items)
        return ([item for item, _ in items], count) if count else (value, 0)
    return value, 0


def _overwrite[T: (str, bytes)](literal: T, pattern: re.Pattern[T], data: T, new: T, start: int = 0) -> tuple[T, int]:
    """The data with each match of the pattern, which begins at its literal, overwritten; and how many there were."""
    at = data.find(literal, start)
    if at < 0:
        return data, 0
    pieces: list[T] = []
    done = 0
    while at >= 0:
        match = pattern.match(data, at)
        if match:
            pieces += (data[done:at], new)
            done = match.end()
        at = data.find(literal, max(done, at + 1))
    count = len(pieces) // 2
    pieces.append(data[done:])
    return data[:0].join(pieces), count


@lru_cache(maxsize=64)
def _forms(value: str) -> tuple[str, ...]:
    """A value as it may stand in a body: plain, with JSON's optional `\\/`, percent-encoded."""
    return tuple(dict.fromkeys((value, value.replace("/", "\\/"), quote(value, safe=""))))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a host that is none; whatever a client sent stands in a path then
        return SplitResult("", "", url, "", "")


def _query_pairs(url: str) -> list[tuple[str, str]]:
    pairs = (piece.partition("=") for piece in _split(url).query.split("&"))
    return [(unquote(name), value) for name, _, value in pairs]


def _basic(token: str) -> list[str]:
    try:
        user, _, password = b64decode(token, validate=False).decode().partition(":")
    except ValueError:  # neither base64 nor text
        return []
    return [user, password]
