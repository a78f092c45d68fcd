"""Reading runs and calls back."""

from dataclasses import replace

import pytest

from llmprof_addon import __version__
from llmprof_addon.errors import StoreError
from llmprof_addon.model.call import Identity
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store import edits, queries
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store
from tests.store.building import exchange, money, record, text


def many(store: Store, calls: int, *, same_time: bool = False) -> list[str]:
    """Calls of one session; their ids, the last first."""
    ids = [f"{index:032x}" for index in range(calls)]
    for index, uid in enumerate(ids):
        made = exchange(uid, at=0 if same_time else index, session="all")
        store.write(record(store, made, [text("user", f"Question {index}")]))
    return ids[::-1]


@pytest.mark.parametrize("same_time", [False, True])
def test_pages_join_without_gap_or_repeat(store: Store, same_time: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 3)
    ids = many(store, 10, same_time=same_time)
    assert [row.id for row in queries.calls(store)] == ids
    assert [row.id for row in queries.calls(store, limit=7)] == ids[:7]
    assert list(queries.calls(store, limit=0)) == []
    seen: list[str] = []
    last = None
    while page := list(queries.calls(store, limit=4, before=last)):
        seen += [row.id for row in page]
        last = page[-1]
    assert seen == ids


def test_runs_come_in_pages_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    for index in range(5):
        store.write(record(store, exchange(f"{index}" * 32, at=index), [text("user", f"Task {index}")]))
    assert [run.label for run in queries.runs(store)] == [f"Task {index}" for index in (4, 3, 2, 1, 0)]
    first = next(queries.runs(store))
    assert [run.label for run in queries.runs(store, before=first, limit=2)] == ["Task 3", "Task 2"]
    assert [row.id for row in queries.calls(store, run=first.id)] == ["4" * 32]
    assert list(queries.calls(store, run="nobody")) == []


def test_ids_may_be_shortened(store: Store) -> None:
    for uid in ("abc1", "abc2", "abd", "ab%", "abc"):
        store.write(record(store, exchange(uid), [text("user", uid)]))
    assert (row := queries.call(store, "abd")) is not None
    assert row.id == "abd"
    assert (row := queries.call(store, "abc")) is not None
    assert row.id == "abc"
    assert (row := queries.call(store, "ab%")) is not None
    assert row.id == "ab%"
    assert queries.call(store, "a%c1") is None
    assert queries.call(store, "") is None
    assert queries.call(store, "zzz") is None
    with pytest.raises(StoreError, match="5 ids start with 'ab'") as error:
        queries.call(store, "ab")
    assert "more of the id" in error.value.hint
    run = next(queries.runs(store))
    assert queries.run(store, run.id[:6]) == run


def test_a_run_is_found_by_the_name_that_a_client_gave_it(store: Store) -> None:
    store.write(record(store, replace(exchange("e1"), session="nightly build"), [text("user", "hello")]))
    (row,) = queries.runs(store)
    assert queries.run(store, "nightly build") == row
    assert queries.run(store, "nightly") is None


def test_a_call_keeps_what_it_is_given(store: Store) -> None:
    usage = Usage(
        input_tokens=1000,
        cache_read_input_tokens=700,
        cache_creation_input_tokens=200,
        cache_creation_5m_input_tokens=150,
        cache_creation_1h_input_tokens=50,
        output_tokens=40,
        reasoning_output_tokens=30,
        by_modality=(("input_audio", 5),),
        server_tool_requests=(("web_search", 2),),
        raw={"prompt_tokens": 1000},
    )
    made = exchange(
        "a" * 32, lasts=1.5, request_headers=(("host", "api.example"),), response_headers=(("x-id", "7"),), redactions=3
    )
    made = replace(made, first_chunk_ns=made.started_ns + 250_000_000)
    given = record(
        store,
        made,
        [text("user", "Hi")],
        [text("assistant", "Ho")],
        usage=usage,
        cost=money(),
        rest={"id": "resp", "echo": "x" * 5000},
        response_id="resp",
    )
    given = replace(given, call=replace(given.call, answer=replace(given.call.answer, usage=usage)))
    store.write(given)
    row = queries.call(store, "a" * 32)
    assert row is not None
    assert row.usage == usage
    assert row.cost == money()
    assert row.composition == given.composition
    assert row.output_composition == given.output_composition
    assert (row.ttft_ms, row.duration_ms) == (250, 1500)
    assert (row.encoding, row.version) == (given.encoding, __version__)
    assert (row.redactions, row.failed, row.model, row.context_window) == (3, False, "gpt-test", 128_000)
    kept = detail(store, row)
    assert kept.usage_raw == {"prompt_tokens": 1000}
    assert kept.rest == {"id": "resp", "echo": "x" * 5000}
    assert kept.request_headers == made.request_headers
    assert kept.response_headers == made.response_headers
    assert kept.answer_digest == given.answer_digest
    assert kept.counts == {link.key: given.counts[link.key] for link in (*given.chains.messages, *given.chains.answer)}
    assert [part.value["text"] for part in kept.answer_parts] == ["Ho"]


def test_what_nobody_reported_stays_unknown(store: Store) -> None:
    total = KindTotal(kind=Kind.USER, tokens=3, source=Source.ESTIMATED)
    given = record(store, exchange("a" * 32, status=500), [text("user", "Hi")], usage=Usage(source=Source.ESTIMATED))
    store.write(replace(given, composition=(total,), estimated_input_tokens=None, context_window=None))
    (row,) = queries.calls(store)
    assert row.usage == Usage(source=Source.ESTIMATED)
    assert (row.cost, row.estimated_input_tokens, row.context_window, row.ttft_ms) == (None, None, None, None)
    assert row.composition == (total,)
    (run,) = queries.runs(store)
    assert (run.cost, run.usage.input_tokens, run.peak_context_tokens) == (None, None, None)
    assert (run.unpriced_calls, run.error_calls, run.estimated_calls) == (1, 1, 1)


def test_a_deleted_call_is_said_to_be_gone(store: Store) -> None:
    store.write(record(store, exchange("a" * 32), [text("user", "Hi")]))
    (row,) = queries.calls(store)
    edits.delete_call(store, row.id)
    with pytest.raises(StoreError, match="no longer in the store"):
        detail(store, row)


def test_a_run_sums_its_calls(store: Store) -> None:
    same = Identity(session="s", session_source="x", app="coder")
    for index, tokens in enumerate((300, 900, None)):
        made = exchange(f"{index}" * 32, at=index, status=200 if tokens else 429)
        cost = money() if index else None
        usage = Usage(input_tokens=tokens, cache_read_input_tokens=index * 10)
        store.write(record(store, made, [text("user", f"Part {index}")], usage=usage, cost=cost, identity=same))
    (run,) = queries.runs(store)
    assert (run.calls, run.error_calls, run.unpriced_calls) == (3, 1, 1)
    assert (run.usage.input_tokens, run.usage.cache_read_input_tokens, run.usage.output_tokens) == (1200, 30, None)
    assert (run.peak_context_tokens, run.app, run.models, run.label) == (900, "coder", ("gpt-test",), "Part 0")
    assert run.cost is not None
    assert run.cost.total == 2 * money().total
    assert run.key == "x:s"
