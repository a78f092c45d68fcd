"""The bill of every fixture, as the screen of a call shows it: each line multiplies out, and they sum to the cost."""

from dataclasses import replace
from pathlib import Path

from llmprof_tui.widgets.cost_lines import cost_lines, per_million, uncached

from llmprof_addon.export.bill import bill
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from llmprof_addon.store.queries import call as stored_row
from llmprof_addon.store.rows import CallRow
from tests.factories import fixture_exchange
from tests.golden.test_trees import BOOK, every_case

# Has a rate for everything, and each is another one.
DEAR = '{"input": 1.37, "output": 11.3, "cache_read": 0.171, "cache_write_5m": 2.39, "cache_write_1h": 3.01}'


def row_of(dialect: str, case: str, folder: Path, book: PriceBook) -> CallRow | None:
    exchange = fixture_exchange(dialect, case)
    with open_store(f"sqlite:///{folder}/llmprof.db") as store:
        assert process(exchange, store, book) is not None
        return stored_row(store, exchange.id)


def check(row: CallRow) -> None:
    assert row.cost is not None
    charges = bill(row.usage, row.cost)
    assert bool(charges) == bool(row.cost.price.rates)
    lines = cost_lines(row.usage, row.composition, row.cost)
    assert sum(line.amount or 0 for line in lines if not line.part) == row.cost.total
    for line in lines:
        if line.tokens and line.amount is not None:
            assert line.rate is not None
            assert line.amount == line.rate * line.tokens
            assert not charges or "≈" not in per_million(line.rate)
    without = uncached(lines, row.cost)
    if without is not None and charges:
        assert without.exact
        rate = dict(row.cost.price.rates)["input"]
        cached = sum(charge.units for charge in charges if charge.bucket.startswith("cache"))
        assert without.amount == row.cost.total - row.cost.cache_read - row.cost.cache_write + rate * cached


@every_case
def test_every_line_of_a_bill_multiplies_out(dialect: str, case: str, tmp_path: Path) -> None:
    row = row_of(dialect, case, tmp_path, BOOK)
    assert row is not None
    if row.cost is not None:
        check(row)
        # Stored by a version that kept no rates: averages stand in for them, and the sum is the same.
        check(replace(row, cost=replace(row.cost, price=replace(row.cost.price, rates=()))))


@every_case
def test_every_line_multiplies_out_where_each_rate_is_another(dialect: str, case: str, tmp_path: Path) -> None:
    model = fixture_model(dialect, case, tmp_path)
    if model is None:
        return
    (tmp_path / "dear").mkdir()
    row = row_of(dialect, case, tmp_path / "dear", PriceBook(f'{{"{model}": {DEAR}}}'))
    assert row is not None
    if row.cost is not None:
        check(row)


def fixture_model(dialect: str, case: str, folder: Path) -> str | None:
    row = row_of(dialect, case, folder, BOOK)
    return None if row is None else row.model
