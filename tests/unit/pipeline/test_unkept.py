"""Calls that are kept without texts: the numbers are those of calls that are kept whole, and no sentence is stored."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.cli import laws
from llmprof_addon.model.component import Component, Leaf
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.record import CallRecord
from llmprof_addon.model.standin import OFF
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.pipeline import Explanation, explain, process
from llmprof_addon.pipeline.unkept import without_persons, without_texts
from llmprof_addon.pipeline.waste import waste_of
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.compress import unpack, unsqueeze
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.retention import secret_of
from llmprof_addon.store.search import search
from llmprof_addon.store.search_query import parse_query
from llmprof_addon.store.upkeep import upkeep
from llmprof_addon.wire.encodings import decode
from tests.factories import FIXTURES, fixture_cases, fixture_exchange
from tests.store.crowd import agent_runs
from tests.store.test_postgresql import broken_laws, wrong_sums

BOOK = PriceBook()
NO_DIALECTS = ("databases", "fuzz", "runs")
DIALECTS = [path.name for path in sorted(FIXTURES.iterdir()) if path.is_dir() and path.name not in NO_DIALECTS]


@dataclass(frozen=True)
class Twins:
    """One store with all texts, and one with none."""

    full: Store
    off: Store

    def process(self, exchange: Exchange) -> tuple[CallRecord, CallRecord]:
        records = process(exchange, self.full, BOOK), process(exchange, self.off, BOOK, keep=self.keep)
        assert records[0] is not None
        assert records[1] is not None
        return records[0], records[1]

    @property
    def keep(self) -> Any:
        return without_texts(secret_of(self.off))


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    with open_store(f"sqlite:///{tmp_path}/full.db") as full, open_store(f"sqlite:///{tmp_path}/off.db") as off:
        yield Twins(full, off)


def explained(store: Store, id: str) -> Explanation:
    row = queries.call(store, id)
    assert row is not None
    return explain(store, row)


def laid(leaves: tuple[Leaf, ...]) -> list[tuple[Any, ...]]:
    """Leaves without their names, which may be those of files."""
    return [
        (leaf.kind, leaf.tokens, leaf.cost, leaf.source, leaf.part, leaf.inner, leaf.read, leaf.write)
        for leaf in leaves
    ]


def found_below(components: Iterable[Component]) -> set[tuple[str, int]]:
    """Headings and parameters with their tokens: a text that is not kept has none."""
    found: set[tuple[str, int]] = set()
    for component in components:
        found |= {
            (child.name, child.tokens) for child in component.children if child.name in ("description", "(frame)")
        }
        found |= found_below(component.children)
    return found


def exchanges(dialect: str) -> list[Exchange]:
    return [
        replace(fixture_exchange(dialect, case), id=f"{number:032x}")
        for number, case in enumerate(fixture_cases(dialect))
    ]


def sentences(exchange: Exchange) -> set[str]:
    """Pieces of all texts of a call that are more than a word."""
    found: set[str] = set()
    for body, encoding in (
        (exchange.request_body, exchange.header("content-encoding")),
        (exchange.response_body, exchange.response_header("content-encoding")),
    ):
        for line in (decode(body, encoding).data, *decode(body, encoding).data.splitlines()):
            if start := re.search(rb"[{\[]", line):
                try:
                    found.update(_pieces(json.loads(line[start.start() :])))
                except ValueError:
                    continue
    return found


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            inner = None
        if isinstance(inner, dict | list):
            yield from _pieces(inner)
            return
        for piece in re.split(r'[\n.;:,"]', value):
            if len(piece.strip()) >= 10 and " " in piece.strip():
                yield piece.strip()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _pieces(inner)


def stored(path: Path) -> str:
    """All values of all rows, unpacked."""
    out: list[str] = []
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            if name == "search_index":  # its words stand in its own tables
                continue
            rows = db.execute(f'SELECT * FROM "{name}"')
            columns = [column[0] for column in rows.description]
            for row in rows:
                out += [_shown(name, row, column) for column in columns]
    return "\0".join(out)


def _shown(table: str, row: sqlite3.Row, column: str) -> str:
    value = row[column]
    if (table, column) == ("content", "data"):
        value = unpack(value, row["size"])
    elif (table, column) == ("envelope", "data"):
        return json.dumps(unsqueeze(value), ensure_ascii=False)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_numbers_are_the_same_and_no_sentence_is_stored(dialect: str, twins: Twins, tmp_path: Path) -> None:
    planted: set[str] = set()
    for exchange in exchanges(dialect):
        whole, bare = twins.process(exchange)
        for name in ("composition", "output_composition", "cost", "estimated_input_tokens", "cache", "context_window"):
            assert getattr(whole, name) == getattr(bare, name), (exchange.url, name)
        assert replace(whole.usage, raw=None) == replace(bare.usage, raw=None)
        trees = explained(twins.full, exchange.id), explained(twins.off, exchange.id)
        assert laid(trees[0].leaves.prompt) == laid(trees[1].leaves.prompt)
        assert laid(trees[0].leaves.answer) == laid(trees[1].leaves.answer)
        assert list(laws.check_call(twins.off, trees[1].row)) == []
        assert found_below(trees[1].components) <= found_below(trees[0].components)
        planted |= sentences(exchange)
    while upkeep(twins.off):
        pass
    assert planted or dialect in ("openai.embeddings", "gemini.embed", "cohere.embed")
    text = stored(tmp_path / "off.db")
    held = stored(tmp_path / "full.db")
    assert any(piece in held or json.dumps(piece)[1:-1] in held for piece in planted) or not planted
    assert [piece for piece in planted if piece in text or json.dumps(piece)[1:-1] in text] == []


def grouped(store: Store) -> list[Any]:
    """All that is known of runs and calls but for names."""
    calls = sorted(queries.calls(store), key=lambda row: row.id)
    number = {run: at for at, run in enumerate(dict.fromkeys(row.run_id for row in calls))}
    return [
        (
            row.id,
            number[row.run_id],
            row.lane,
            row.turn,
            row.predecessor,
            row.link,
            row.composition,
            row.cache and row.cache.status,
        )
        for row in calls
    ]


def test_runs_findings_and_sums_are_the_same(twins: Twins) -> None:
    for exchange in agent_runs(2, 9):
        twins.process(exchange)
    assert grouped(twins.full) == grouped(twins.off)
    assert not wrong_sums(twins.off)
    assert broken_laws(twins.off) == []
    thresholds = Thresholds(unused_tool_calls=3, duplicate_tokens=20)
    found = []
    for store in (twins.full, twins.off):
        wastes = [waste_of(store, run.id, thresholds) for run in queries.runs(store)]
        found.append([[(each.code, each.tokens, each.cost) for each in waste.findings] for waste in wastes if waste])
    # What only texts tell is not found; of the rest every number is the same.
    for whole, bare in zip(*found, strict=True):
        assert [each for each in bare if each not in whole] == []
    assert any(found[1])
    while upkeep(twins.off) or upkeep(twins.full):
        pass
    hits = search(twins.off, parse_query("garden"))
    assert hits.hits == ()
    assert hits.notes == ("some calls are kept without their texts (LLMPROF_BODIES, LLMPROF_BODIES_DAYS)",)
    assert search(twins.full, parse_query("garden")).notes == ()
    assert search(twins.off, parse_query("kept")).hits == ()
    assert all(run.label and run.label.startswith(OFF) for run in queries.runs(twins.off))


def test_a_late_call_takes_its_place(twins: Twins) -> None:
    """In the order in which two hosts may deliver them."""
    calls = list(agent_runs(2, 4))
    for exchange in (*calls[1::2], *calls[::2]):
        twins.process(exchange)
    assert grouped(twins.full) == grouped(twins.off)
    assert broken_laws(twins.off) == []


def test_stand_ins_of_two_stores_are_not_alike(tmp_path: Path) -> None:
    exchange = fixture_exchange("openai.chat", "plain")
    said = []
    for name in "ab":
        with open_store(f"sqlite:///{tmp_path}/{name}.db") as store:
            process(exchange, store, BOOK, keep=without_texts(secret_of(store)))
            assert secret_of(store) == secret_of(store)
            said.append(json.dumps(explained(store, exchange.id).body))
    assert OFF in said[0]
    assert said[0] != said[1]


def test_personal_data_is_overwritten_and_counted(twins: Twins) -> None:
    body = {
        "model": "gpt-4.1",
        "user": "u-1",
        "messages": [{"role": "user", "content": "Write to jo.doe@example.org, card 4111 1111 1111 1111, thank you."}],
    }
    exchange = replace(fixture_exchange("openai.chat", "plain"), request_body=json.dumps(body).encode())
    records = process(exchange, twins.full, BOOK), process(exchange, twins.off, BOOK, keep=without_persons())
    assert records[0] is not None
    assert records[1] is not None
    assert records[0].composition == records[1].composition
    kept: Any = explained(twins.off, exchange.id).body
    assert kept["messages"][0]["content"] == "Write to [email], card [card], thank you."
    assert kept["model"] == "gpt-4.1"
    assert explained(twins.full, exchange.id).body == body
    assert queries.call(twins.off, exchange.id).bodies is None  # type: ignore[union-attr]
