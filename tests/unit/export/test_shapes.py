"""The shapes that the readme documents are those that are printed, field by field and in their order."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from llmprof_addon.export.shapes import call_json, component_json, messages_json, run_json
from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json
from llmprof_addon.pipeline import explain, process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.spool import files
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.factories import fixture_exchange

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def example(title: str) -> str:
    """The example below this title of the readme's section for programs."""
    found = re.search(rf"\n\*\*{title}\*\*.*?\n```\n(.*?)\n```\n", README, re.DOTALL)
    assert found, title
    return found[1]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('store')}/llmprof.db") as store:
        process(fixture_exchange("anthropic.messages", "cache_5m"), store, PriceBook())
        (row,) = queries.calls(store)
        (run,) = queries.runs(store)
        explained = explain(store, row)
        return {
            "Call": call_json(row),
            "Run": run_json(run, queries.lanes(store, [run.id])[run.id]),
            "Component": component_json(explained.components[0]),
            "message": messages_json(explained.call)[0],
        }


FREE = ("composition", "tags", "identity", "first_diff")


def keys(value: Json) -> Json:
    """The names of an object's fields in order, and those of objects in it, but for those with free keys or none."""
    if not isinstance(value, dict):
        return None
    return {name: None if name in FREE else keys(each) for name, each in value.items()}


@pytest.mark.parametrize("title", ["Call", "Run", "Component"])
def test_the_documented_fields_are_the_printed_ones(title: str, shapes: dict[str, Json]) -> None:
    documented = keys(json.loads(example(title)))
    assert documented == keys(shapes[title])
    assert list(documented) == list(keys(shapes[title]))


def test_the_documented_fields_of_a_message(shapes: dict[str, Json]) -> None:
    found = re.search(r"A message is `\{(.*?)\}`", README)
    assert found
    assert re.findall(r'"(\w+)"', found[1]) == list(shapes["message"])


def test_the_documented_exchange_file_is_one() -> None:
    head, bodies = example("Exchange file").rsplit("\n", 1)
    exchange = files.decode(json.dumps(json.loads(head)).encode() + b"\n" + bodies.encode())
    assert json.loads(exchange.request_body) == {"model": "gpt-5.1", "messages": []}
    assert exchange.response_body == b"{}"
    assert list(json.loads(files.header(exchange))) == list(json.loads(head))
    assert json.loads(files.header(exchange)) == json.loads(head)


def test_the_documented_numbers_obey_the_laws() -> None:
    call, run = json.loads(example("Call")), json.loads(example("Run"))
    assert sum(call["composition"].values()) == call["usage"]["input_tokens"]
    for cost in (call["cost"], run["cost"]):
        amounts = [Decimal(value) for name, value in cost.items() if name.endswith("_usd") and name != "total_usd"]
        assert sum(amounts) == Decimal(cost["total_usd"])
    used = run["usage"]
    assert run["cache_hit_ratio"] == used["cache_read_input_tokens"] / used["input_tokens"]


def test_the_documented_kinds_are_all() -> None:
    found = re.search(r"The kinds are (.*?)\.\n", README, re.DOTALL)
    assert found
    assert set(re.findall(r"`(\w+)`", found[1])) == {kind.value for kind in Kind}


def test_findings_are_unknown_until_they_were_looked_for(shapes: dict[str, Json]) -> None:
    assert "findings" not in shapes["Call"], "they are the run's; `show` adds them"
    assert [shapes["Run"][name] for name in ("findings", "reclaimable_tokens", "reclaimable_usd")] == [None] * 3


def test_money_is_an_exact_decimal_string(shapes: dict[str, Json]) -> None:
    cost = shapes["Call"]["cost"]
    assert all(isinstance(value, str) and Decimal(value) >= 0 for name, value in cost.items() if name != "price")
    assert "E" not in "".join(value for name, value in cost.items() if name != "price")


def test_an_unknown_cost_is_null(tmp_path: Path) -> None:
    exchange = fixture_exchange("anthropic.messages", "plain")
    body = re.sub(rb'"model": ?"[^"]*"', b'"model": "boat-1"', exchange.request_body)
    reply = re.sub(rb'"model": ?"[^"]*"', b'"model": "boat-1"', exchange.response_body)
    exchange = fixture_exchange("anthropic.messages", "plain", request_body=body, response_body=reply)
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        process(exchange, store, PriceBook())
        (row,) = queries.calls(store)
        (run,) = queries.runs(store)
        assert call_json(row)["cost"] is None
        assert run_json(run, ())["cost"] is None
        assert component_json(explain(store, row).components[0])["cost_usd"] is None
