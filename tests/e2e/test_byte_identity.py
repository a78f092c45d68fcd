"""Recorded answers served again through the real proxy, cut and encoded at random, over HTTP/1.1 and h2.

What the client gets is what the upstream sent, what the upstream gets is what the client sent, and all variants of a
call make the same row. `python -m tests.e2e.test_byte_identity --all` takes every recording in every way; `make test`
samples of both.
"""

import asyncio
import gzip
import hashlib
import json
import random
import ssl
import sys
import tempfile
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import brotli
import httpx2
import zstandard

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.providers.registry import by_name, is_llm_call, match_host
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from llmprof_addon.store.rows import CallRow
from tests.corpus.recorded import CALLS, FULL, exchange_of, needs_recordings
from tests.e2e.replay import Answer, Replay, Request, server_context
from tests.e2e.running import Proxy, running
from tests.factories import FIXTURES, fixture_cases, fixture_exchange

SAMPLE = 40
SAMPLE_VARIANTS = 3
SEED = 20
LANES = 8
SERVERS = 5
"""Connections that mitmproxy opens to one address for one client, and one address serves all hosts here: a request for
a sixth host would wait until one of them is closed."""
STALLED_SECONDS = 60
DIALECTS = {
    "openai.chat": ("openai", "/v1/chat/completions"),
    "openai.responses": ("openai", "/v1/responses"),
    "anthropic.messages": ("anthropic", "/v1/messages"),
    "ollama.chat": ("ollama", "/api/chat"),
    "ollama.generate": ("ollama", "/api/generate"),
    "openai.completions": ("openai", "/v1/completions"),
    "openai.embeddings": ("openai", "/v1/embeddings"),
}
"""Where a call goes that was recorded at a host that nobody can know."""
HOSTED = {"ollama": "https://ollama.com"}
"""Base URLs that are not this machine's."""
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": lambda data: zstandard.ZstdCompressor(level=3).compress(data),
}
SET_BY_CLIENTS = (
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "content-encoding",
    "te",
)
ASIDE = (
    *("number", "id", "run_id", "started_ns", "first_chunk_ns", "ended_ns", "mode", "tags", "peer"),
    # What a call is to the calls before it: one variant is sent after the other.
    *("lane", "turn", "predecessor", "link", "tool_ns", "idle_ns", "cache"),
)
"""What may differ between the variants of a row; everything else is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One call as it is sent and answered again."""

    name: str
    url: str
    reverse_path: str | None
    """The path by which reverse mode leads to `url`; `None` where none does."""
    headers: tuple[tuple[str, str], ...]
    request: bytes
    status: int
    content_type: str
    response: bytes


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of sending it."""

    protocol: Literal["h1", "h2"]
    encoding: str
    request_encoding: str = "identity"
    lines: Literal["as recorded", "crlf", "no last blank line"] = "as recorded"

    def body(self, recording: Recording) -> bytes:
        """The response before it is encoded."""
        body = recording.response
        if recording.content_type.startswith("text/event-stream") and b"\r" not in body:
            if self.lines == "crlf":
                return body.replace(b"\n", b"\r\n")
            if self.lines == "no last blank line":
                return body.rstrip(b"\n") + b"\n" if body.endswith(b"\n\n") else body
        return body


VARIANTS = (
    *(Variant(protocol, encoding) for protocol in ("h1", "h2") for encoding in ("identity", "gzip", "br", "zstd")),
    Variant("h1", "deflate", "identity", "crlf"),
    Variant("h2", "identity", "zstd", "no last blank line"),
)


def _route(url: str, api: str) -> tuple[str, str | None] | None:
    """Where the call goes, and its path in reverse mode. A host that nobody can know becomes the dialect's own.

    `None` where such a dialect has its model in the path, or is none.
    """
    parts, (name, path) = urlsplit(url), DIALECTS.get(api, ("", ""))
    own, host = by_name(name), parts.hostname or ""
    provider = match_host(host) if parts.scheme == "https" else None
    target = "/" + url.split("/", 3)[3]
    if provider is None or is_llm_call("POST", host, target) is None:
        if own is None:
            return None
        return f"{HOSTED.get(name, own.base_url)}{path}", None if name in HOSTED else path
    if provider is own and target.partition("?")[0] == path:
        return f"https://{host}{target}", target
    base = provider.base_url
    at_base = base is not None and f"https://{host}{target}".startswith(f"{base}/")
    return (
        f"https://{host}{target}",
        f"/passthrough/{provider.name}{target[len(urlsplit(base).path) :]}" if at_base else None,
    )


def _recording(name: str, api: str, url: str, headers: Mapping[str, str], **rest: Any) -> Recording | None:
    route = _route(url, api)
    if route is None:
        return None
    url, reverse_path = route
    kept = {key.lower(): value for key, value in headers.items()}
    kept = {key: value for key, value in kept.items() if key not in SET_BY_CLIENTS and not key.startswith(":")}
    # Whatever stood for a key in the recording would be overwritten wherever else it stands.
    kept = {key: value for key, value in kept.items() if key not in ("cookie", "x-api-key", "api-key")}
    kept |= {"content-type": "application/json", "authorization": "Bearer sk-fake-0123456789-replay"}
    return Recording(name=name, url=url, reverse_path=reverse_path, headers=tuple(kept.items()), **rest)


def corpus() -> list[Recording]:
    """All recordings of calls."""
    found = []
    with gzip.open(CALLS, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            exchange = exchange_of(row, number)
            usual = "text/event-stream" if row["response"]["streamed"] else "application/json"
            found.append(_of(f"corpus-{number}", row["api"], exchange, usual))
    return [recording for recording in found if recording is not None]


def fixtures() -> list[Recording]:
    """All fixtures of the project, and one at a path that only its provider has."""
    folders = sorted({path.parents[1].name for path in FIXTURES.glob("*/*/meta.toml")})
    cases = [(f"{api}-{case}", api, fixture_exchange(api, case)) for api in folders for case in fixture_cases(api)]
    elsewhere = fixture_exchange("openai.chat", "plain", url="https://api.writer.com/v1/chat")
    found = [_of(*case) for case in [*cases, ("own-path", "openai.chat", elsewhere)]]
    return [recording for recording in found if recording is not None]


def _of(name: str, api: str, exchange: Exchange, usual: str = "") -> Recording | None:
    return _recording(
        name,
        api,
        exchange.url,
        dict(exchange.request_headers),
        request=exchange.request_body,
        status=exchange.status or 200,
        content_type=exchange.response_header("content-type") or usual,
        response=exchange.response_body,
    )


def _pieces(body: bytes, rng: random.Random) -> list[bytes]:
    """The body cut at random places, single bytes among the pieces."""
    cuts = {rng.randrange(len(body) + 1) for _ in range(rng.choice((0, 1, 3, 12)))}
    cuts |= {cut + 1 for cut in list(cuts)[:2] if cut < len(body)}
    places = sorted({0, *cuts, len(body)})
    return [body[start:end] for start, end in pairwise(places)] or [body]


class Run:
    """All recordings over one proxy, each in so many variants."""

    def __init__(self, recordings: Sequence[Recording], variants: int):
        self.recordings, self.variants = recordings, variants
        every = range(len(VARIANTS))
        self._in = {
            each.name: sorted(random.Random(f"{SEED} {each.name}").sample(every, variants)) for each in recordings
        }
        self.wrong: list[str] = []
        self._answers: dict[str, Answer] = {}
        self._seen: dict[str, Request] = {}

    def answer(self, request: Request) -> Answer:
        """What the upstream does."""
        key = request.header("x-replay") or ""
        self._seen[key] = request
        return self._answers[key]

    async def send(self, proxy: Proxy) -> None:
        """Every recording in its variants, `LANES` at a time, over connections that are kept alive.

        What continues another call by its id comes after all others: its row says how much of that call is known.
        """
        continuing = [each for each in self.recordings if b'"previous_response_id"' in each.request]
        first = [each for each in self.recordings if each not in continuing]
        for recordings in (first, continuing):
            lanes = [recordings[lane::LANES] for lane in range(LANES)]
            await asyncio.gather(*(self._lane(proxy, lane) for lane in lanes))

    async def _lane(self, proxy: Proxy, recordings: Iterable[Recording]) -> None:
        few: list[Recording] = []
        for recording in recordings:
            if len({urlsplit(each.url).hostname for each in (*few, recording)}) > SERVERS:
                await self._over_one_connection(proxy, few)
                few = []
            few.append(recording)
        await self._over_one_connection(proxy, few)

    async def _over_one_connection(self, proxy: Proxy, recordings: Iterable[Recording]) -> None:
        trusting = ssl.create_default_context(cafile=proxy.bundle)
        common: Any = {"trust_env": False, "timeout": 120}
        async with (
            httpx2.AsyncClient(**common) as reverse,
            httpx2.AsyncClient(**common, proxy=proxy.forward_url, verify=trusting) as forward,
            httpx2.AsyncClient(**common, proxy=proxy.forward_url, verify=trusting, http2=True) as forward_h2,
        ):
            for recording in recordings:
                for number in self._in[recording.name]:
                    variant = VARIANTS[number]
                    client, url = (forward_h2, recording.url) if variant.protocol == "h2" else (forward, recording.url)
                    if variant.protocol == "h1" and recording.reverse_path is not None:
                        client, url = reverse, f"{proxy.reverse_url}{recording.reverse_path}"
                    key = f"{recording.name}.{number}"
                    try:
                        await self._exchange(client, url, recording, variant, key)
                    except httpx2.TransportError as error:
                        self.wrong.append(f"{key}: {error!r} at {url}: {variant}, {self._answers[key].framing}")

    async def _exchange(
        self, client: httpx2.AsyncClient, url: str, recording: Recording, variant: Variant, key: str
    ) -> None:
        rng = random.Random(f"{SEED} {key}")
        sent = ENCODERS[variant.request_encoding](recording.request)
        served = ENCODERS[variant.encoding](variant.body(recording))
        encoded = {} if variant.encoding == "identity" else {"content-encoding": variant.encoding}
        told = {"content-type": recording.content_type, "x-request-id": key, **encoded}
        framing: Any = "length" if variant.protocol == "h2" else rng.choice(["length", *["chunked"] * 8, "close"])
        self._answers[key] = Answer(
            status=recording.status, headers=tuple(told.items()), chunks=_pieces(served, rng), framing=framing
        )
        headers = [*recording.headers, ("x-replay", key), ("accept-encoding", "gzip, deflate, br, zstd")]
        if variant.request_encoding != "identity":
            headers.append(("content-encoding", variant.request_encoding))
        ours = [("x-llmprof-tag", f"recording:{recording.name}")]
        in_pieces = rng.random() < 0.3
        async with client.stream(
            "POST", url, headers=headers + ours, content=_uploaded(_pieces(sent, rng)) if in_pieces else sent
        ) as response:
            got = b"".join([piece async for piece in response.aiter_raw()])
            seen = self._seen.pop(key)
            del self._answers[key]
            self._same(key, "response", _digest(served), _digest(got))
            self._same(key, "request", _digest(sent), _digest(seen.body))
            self._same(key, "status", recording.status, response.status_code)
            protocols = ("HTTP/2", "h2") if variant.protocol == "h2" else ("HTTP/1.1", "http/1.1")
            self._same(key, "protocols", protocols, (response.http_version, seen.protocol))
            self._same(key, "response headers", told, {name: response.headers.get(name) for name in told})
            self._same(key, "request headers", _kept(headers), _kept(seen.headers))

    def _same(self, key: str, what: str, expected: object, got: object) -> None:
        if expected != got:
            self.wrong.append(f"{key}: {what}: {expected!r} became {got!r}")

    def compare(self, rows: Iterable[CallRow]) -> None:
        """Whether all variants of a recording made the same row."""
        groups: dict[str, list[CallRow]] = defaultdict(list)
        for row in rows:
            groups[row.tags["recording"]].append(row)
        for recording in self.recordings:
            group = groups[recording.name]
            self._same(recording.name, "rows", self.variants, len(group))
            for name in (each.name for each in fields(CallRow) if each.name not in ASIDE):
                values = Counter(repr(getattr(row, name)) for row in group)
                if len(values) > 1:
                    self.wrong.append(f"{recording.name}: {name} differs: {dict(values)}")


async def _uploaded(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _digest(data: bytes) -> tuple[int, str]:
    return len(data), hashlib.sha256(data).hexdigest()


def _kept(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that an HTTP client does not set by itself, in a fixed order."""
    pairs = [(name.lower(), value) for name, value in headers]
    return sorted(pair for pair in pairs if pair[0] not in (*SET_BY_CLIENTS, "user-agent", "accept"))


def replayed(folder: Path, recordings: Sequence[Recording], variants: int) -> Run:
    """Send everything through a proxy of its own, and compare."""
    run = Run(recordings, variants)
    hosts = sorted({urlsplit(recording.url).hostname or "" for recording in recordings})
    tls, authority = server_context(folder, hosts)
    with Replay(run.answer, tls=tls) as upstream:
        connect = ",".join(f"{host}:443={upstream.url}" for host in hosts)
        with running(folder / "home", connect=connect, upstream_ca=str(authority), upstream_proxy="") as proxy:
            asyncio.run(run.send(proxy))
            _wait(proxy, len(recordings) * variants)
            with open_store(f"sqlite:///{proxy.home}/llmprof.db", read_only=True) as store:
                run.compare(queries.calls(store))
    return run


def _wait(proxy: Proxy, calls: int) -> None:
    """Until so many calls are stored, or none was for a while: `compare` says which are missing."""
    stored, since = -1, time.monotonic()
    while stored < calls and time.monotonic() - since < STALLED_SECONDS:
        before, stored = stored, proxy.stored()
        if stored != before:
            since = time.monotonic()
        time.sleep(0.1)


def assert_same(run: Run) -> None:
    """Fail with the first differences."""
    lines = "\n".join(line[:600] for line in run.wrong[:20])
    assert not run.wrong, f"{len(run.wrong)} differences:\n{lines}"


def test_fixtures(tmp_path: Path) -> None:
    assert_same(replayed(tmp_path, fixtures(), len(VARIANTS) if FULL else SAMPLE_VARIANTS))


@needs_recordings
def test_recordings(tmp_path: Path) -> None:
    everything = corpus()
    if FULL:
        assert_same(replayed(tmp_path, everything, len(VARIANTS)))
    else:
        assert_same(replayed(tmp_path, random.Random(SEED).sample(everything, SAMPLE), SAMPLE_VARIANTS))


def main() -> None:
    """Replay all recordings, or the sample without `--all`, and print how many were identical."""
    everything = corpus()
    chosen = everything if "--all" in sys.argv[1:] else random.Random(SEED).sample(everything, SAMPLE)
    with tempfile.TemporaryDirectory() as folder:
        run = replayed(Path(folder), chosen, len(VARIANTS))
    print(*run.wrong[:50], sep="\n")
    verdict = f"{len(run.wrong)} differences" if run.wrong else "identical"
    print(f"{len(chosen)} responses x {len(VARIANTS)} variants: {verdict}")
    raise SystemExit(bool(run.wrong))


if __name__ == "__main__":
    main()
