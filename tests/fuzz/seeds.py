"""What fuzzing starts from: the fixtures, and the recorded calls where they lie beside the checkout, read in place."""

from collections.abc import Iterable, Sequence
from functools import cache

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.providers.dialects import MODULES
from llmprof_addon.spool import files
from llmprof_addon.wire.encodings import decode
from tests.corpus.recorded import CALLS, exchange_of, rows
from tests.corpus.test_all_rows import APIS
from tests.factories import fixture_cases, fixture_exchange

MOST_BYTES = 64 * 1024
MOST_RECORDED = 40
"""Of each dialect, the same distance from one another in the recordings."""

recorded = True
"""Whether recordings are taken as well; tests that have to be the same everywhere do without."""


@cache
def _exchanges(api: str, with_recordings: bool) -> tuple[Exchange, ...]:
    found = [fixture_exchange(api, case) for case in fixture_cases(api)]
    if with_recordings and CALLS.exists():
        small = [
            one
            for row in rows(*(name for name, ours in APIS.items() if ours == api))
            if len((one := exchange_of(row)).request_body) + len(one.response_body) < MOST_BYTES
        ]
        found += small[:: max(1, len(small) // MOST_RECORDED)]
    return tuple(found)


def exchanges(*apis: str) -> Sequence[Exchange]:
    """Calls of these dialects, by default of all."""
    return [one for api in apis or MODULES for one in _exchanges(api, recorded)]


def requests(api: str) -> Sequence[bytes]:
    """Request bodies of a dialect."""
    return _unlike(one.request_body for one in exchanges(api))


def responses(api: str, *, streamed: bool) -> Sequence[bytes]:
    """Response bodies of a dialect, decoded: whole JSON, or streams of any frame. Never none."""
    bodies = (decode(one.response_body, one.response_header("content-encoding")).data for one in exchanges(api))
    return _unlike(body for body in bodies if (body[:1] != b"{" or b"\n{" in body) == streamed) or [b"{}"]


def has_streams(api: str) -> bool:
    """Whether a fixture of the dialect is a stream."""
    return any(not one.response_body.startswith(b"{") or b"\n{" in one.response_body for one in _exchanges(api, False))


def streams(*starts: bytes) -> Sequence[bytes]:
    """Streams of all dialects that begin with one of these."""
    bodies = (one.response_body for one in exchanges())
    return _unlike(body for body in bodies if body.startswith(starts) and (body[:1] != b"{" or b"\n{" in body))


def exchange_files() -> Sequence[bytes]:
    """Exchange files of all dialects."""
    return _unlike(files.encode(one) for one in exchanges())


def _unlike(bodies: Iterable[bytes]) -> list[bytes]:
    return list(dict.fromkeys(body for body in bodies if body))
