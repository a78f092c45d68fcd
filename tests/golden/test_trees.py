"""Every fixture through the whole pipeline: the tree that it gives is the one beside it, and the laws hold.

`LLMPROF_UPDATE_GOLDEN=1 pytest tests/golden` writes the trees anew; look at the difference before committing it.
"""

import gzip
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # has no stubs
import pytest
import zstandard

from llmprof_addon.counting import openai_framing, raw
from llmprof_addon.export.shapes import component_json, composition_json, cost_json, usage_json
from llmprof_addon.model.component import Component
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.record import CallRecord
from llmprof_addon.pipeline import Explanation, explain, process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.compress import squeeze, unsqueeze
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.queries import call as stored_row
from llmprof_addon.store.schema import Envelope
from tests.factories import FIXTURES, fixture_cases, fixture_exchange

UPDATE = os.environ.get("LLMPROF_UPDATE_GOLDEN") == "1"
BOOK = PriceBook()
CASES = [
    (folder.name, case)
    for folder in sorted(FIXTURES.iterdir())
    if (folder.is_dir() and folder.name not in ("runs", "databases"))
    for case in fixture_cases(folder.name)
]
every_case = pytest.mark.parametrize(("dialect", "case"), CASES, ids=[f"{dialect}/{case}" for dialect, case in CASES])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it, whose tables take long to make."""
    path = tmp_path_factory.mktemp("empty") / "llmprof.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(empty, tmp_path)
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as opened:
        yield opened


def analysed(exchange: Exchange, store: Store) -> tuple[CallRecord, Explanation]:
    record = process(exchange, store, BOOK)
    assert record is not None
    row = stored_row(store, exchange.id)
    assert row is not None
    return record, explain(store, row)


@every_case
def test_the_tree_is_the_golden_one(dialect: str, case: str, store: Store) -> None:
    record, explained = analysed(fixture_exchange(dialect, case), store)
    found = {
        "usage": usage_json(record.usage),
        "estimated_input_tokens": record.estimated_input_tokens,
        "cost": cost_json(record.cost),
        "composition": composition_json(record.composition),
        "components": [component_json(component) for component in explained.components],
        "output_components": [component_json(component) for component in explained.output_components],
    }
    golden = FIXTURES / dialect / case / "tree.json"
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if UPDATE:
        golden.write_text(text, encoding="utf-8")
    assert json.loads(golden.read_text(encoding="utf-8")) == json.loads(text)


@every_case
def test_leaves_sum_to_usage_and_cost_and_children_to_their_parents(dialect: str, case: str, store: Store) -> None:
    record, explained = analysed(fixture_exchange(dialect, case), store)
    usage, leaves = record.usage, explained.leaves
    if usage.input_tokens is not None:
        assert sum(leaf.tokens for leaf in leaves.prompt) == usage.input_tokens
        assert sum(leaf.read for leaf in leaves.prompt) == (usage.cache_read_input_tokens or 0)
        assert sum(leaf.write for leaf in leaves.prompt) == (usage.cache_creation_input_tokens or 0)
    if usage.output_tokens is not None:
        assert sum(leaf.tokens for leaf in leaves.answer) == usage.output_tokens
    costs = [leaf.cost for leaf in (*leaves.prompt, *leaves.answer)]
    if record.cost is None:
        assert set(costs) <= {None}
    else:
        assert sum(cost or 0 for cost in costs) == record.cost.total
    assert sum(total.tokens for total in record.composition) == sum(leaf.tokens for leaf in leaves.prompt)
    for component in (*explained.components, *explained.output_components):
        check_sums(component)


def check_sums(component: Component) -> None:
    assert component.tokens == component.read_tokens + component.write_tokens + component.fresh_tokens
    if component.children:
        assert component.tokens == sum(child.tokens for child in component.children)
        assert component.read_tokens == sum(child.read_tokens for child in component.children)
        assert component.write_tokens == sum(child.write_tokens for child in component.children)
        if component.cost is not None:
            assert component.cost == sum(child.cost or 0 for child in component.children)
    for child in component.children:
        check_sums(child)


@every_case
def test_the_tree_derived_later_has_the_sums_that_were_stored(dialect: str, case: str, store: Store) -> None:
    record, explained = analysed(fixture_exchange(dialect, case), store)
    for totals, tree in (
        (record.composition, explained.components),
        (record.output_composition, explained.output_components),
    ):
        kinds = {component.kind: component for component in tree}
        for total in totals:
            component = kinds.get(total.kind)
            if component is None:
                assert not total.tokens
                assert not total.cost
                continue
            assert (total.tokens, total.read, total.write, total.fresh, total.cost, total.source) == (
                component.tokens,
                component.read_tokens,
                component.write_tokens,
                component.fresh_tokens,
                component.cost,
                component.token_source,
            )
        assert {total.kind for total in totals} >= set(kinds)
    row = stored_row(store, record.exchange.id)
    assert row is not None
    counts = detail(store, row).counts
    for chain in (record.chains.tools, record.chains.system, record.chains.messages, record.chains.answer):
        assert all(counts[link.key] == record.counts[link.key] for link in chain)


@every_case
def test_opening_a_stored_call_tokenises_nothing(
    dialect: str, case: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, explained = analysed(fixture_exchange(dialect, case), store)
    for room, name in ((raw, "count"), (openai_framing, "frame"), (openai_framing, "answer_frame")):
        monkeypatch.setattr(room, name, lambda *_: pytest.fail("tokenised"))
    row = stored_row(store, record.exchange.id)
    assert row is not None
    assert explain(store, row) == explained


@every_case
def test_a_call_that_was_stored_without_its_framing_has_the_same_tree(dialect: str, case: str, store: Store) -> None:
    record, explained = analysed(fixture_exchange(dialect, case), store)
    for call, kept in store.db.execute(Envelope.select(Envelope.call, Envelope.data)).fetchall():
        document = dict(unsqueeze(bytes(kept)))
        document.pop("framing", None)
        store.db.execute(Envelope.update(data=squeeze(document)).where(Envelope.call == call))
    row = stored_row(store, record.exchange.id)
    assert row is not None
    assert explain(store, row) == explained


@every_case
def test_the_request_is_put_together_again(dialect: str, case: str, store: Store) -> None:
    exchange = fixture_exchange(dialect, case)
    _, explained = analysed(exchange, store)
    assert explained.body == json.loads(exchange.request_body)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


ENCODERS: dict[str, tuple[str | None, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw-deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
    "stacked": ("gzip, zstd", lambda data: zstandard.compress(gzip.compress(data))),
    "undeclared": (None, gzip.compress),
}
ENDS: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "cr": lambda data: data.replace(b"\n", b"\r"),
    "no-blank-line-at-the-end": lambda data: data.rstrip(b"\n"),
    "more-blank-lines-at-the-end": lambda data: data + b"\n\n",
}


def rows(record: CallRecord) -> dict[str, Any]:
    """All of a record that depends on the bodies' meaning, which is all that is stored but for headers."""
    call = replace(record.call, warnings=())
    return {
        "call": call,
        "keys": [link.key for part in (record.chains.tools, record.chains.system) for link in part],
        "messages": [link.key for link in (*record.chains.messages, *record.chains.answer)],
        "counts": record.counts,
        "usage": record.usage,
        "compositions": (record.composition, record.output_composition),
        "cost": record.cost,
        "answer": record.answer_digest,
        "label": record.label,
        "estimate": record.estimated_input_tokens,
    }


def encoded(exchange: Exchange, name: str) -> Exchange:
    header, encode = ENCODERS[name]
    more = (("content-encoding", header),) if header else ()
    return replace(
        exchange,
        request_headers=(*exchange.request_headers, *more),
        response_headers=(*exchange.response_headers, *more),
        request_body=encode(exchange.request_body),
        response_body=encode(exchange.response_body),
    )


@every_case
def test_encodings_and_line_ends_change_no_row(dialect: str, case: str, store: Store, tmp_path: Path) -> None:
    exchange = fixture_exchange(dialect, case)
    record = process(exchange, store, BOOK)
    assert record is not None
    variants = [encoded(exchange, name) for name in ENCODERS]
    if exchange.transport == "sse" and exchange.response_body.endswith(b"\n\n"):
        variants += [replace(exchange, response_body=change(exchange.response_body)) for change in ENDS.values()]
    for number, variant in enumerate(variants):
        with open_store(f"sqlite:///{tmp_path}/{number}.db") as other:
            again = process(variant, other, BOOK)
            assert again is not None
            assert rows(again) == rows(record), number
            first, second = (stored_row(each, exchange.id) for each in (store, other))
            assert first is not None
            assert second is not None
            assert replace(second, warnings=()) == replace(first, warnings=())


@every_case
def test_processing_twice_changes_nothing(dialect: str, case: str, store: Store) -> None:
    exchange = fixture_exchange(dialect, case)
    first, explained = analysed(exchange, store)
    written = store.counters.rows_written
    second, again = analysed(exchange, store)
    assert rows(second) == rows(first)
    assert again == explained
    assert store.counters.rows_written == written
