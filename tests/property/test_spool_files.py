"""What the spool writes it reads again, and nothing but `SpoolError` comes of anything else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.errors import SpoolError
from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.spool.files import decode, encode

texts = st.text(st.characters(), max_size=12)  # lone surrogates too: headers carry odd bytes as these
counts = st.integers(0, 2**63 - 1)
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)

exchanges = st.builds(
    Exchange,
    id=st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._-]{0,30}", fullmatch=True),
    started_ns=counts,
    first_chunk_ns=st.none() | counts,
    ended_ns=counts,
    mode=st.sampled_from(["reverse", "forward", "import"]),
    transport=st.sampled_from(["http", "sse", "websocket"]),
    outcome=st.sampled_from(["complete", "aborted", "error"]),
    error=st.none() | texts,
    method=texts,
    url=texts,
    request_headers=pairs,
    response_headers=pairs,
    status=st.none() | st.integers(0, 999),
    client=st.builds(Client, app=st.none() | texts, user_agent=st.none() | texts, peer=st.none() | texts),
    tags=pairs,
    session=st.none() | texts,
    provider=st.none() | texts,
    request_body=st.binary(max_size=40),
    response_body=st.binary(max_size=40),
    request_truncated=counts,
    response_truncated=counts,
    redactions=counts,
)


@given(exchanges)
def test_round_trip(exchange: Exchange) -> None:
    assert decode(encode(exchange)) == exchange


@given(exchanges, st.sampled_from(("started_ns", "ended_ns", "redactions", "status")), st.integers(2**63))
def test_what_no_database_can_hold_is_refused(exchange: Exchange, field: str, beyond: int) -> None:
    with pytest.raises(SpoolError, match=f"{field} is "):
        decode(encode(replace(exchange, **{field: beyond})))


@given(exchanges, st.data())
def test_a_cut_file_is_refused(exchange: Exchange, data: st.DataObject) -> None:
    whole = encode(exchange)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(SpoolError):
        decode(whole[:cut])


@given(exchanges, st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_damage_raises_nothing_else(exchange: Exchange, at: int, junk: bytes) -> None:
    whole = encode(exchange)
    at %= len(whole)
    try:
        decode(whole[:at] + junk + whole[at + len(junk) :])
    except SpoolError:
        pass
