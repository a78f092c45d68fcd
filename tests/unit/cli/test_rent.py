"""`rent` and `tools`: the dearest parts and tools of a run, with sums that are those of the run."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries, timeline
from llmprof_addon.store.open import open_store
from tests.tui.recording import agent
from tests.unit.cli.conftest import Cli


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an agent's run of twelve calls."""
    home = tmp_path_factory.mktemp("worked")
    book = PriceBook()
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        for exchange in agent(turns=12):
            process(exchange, store, book)
    return home


@pytest.mark.parametrize("by", ["part", "tool", "server", "kind"])
def test_rents_sum_to_the_runs_input(llmprof: Cli, worked: Path, by: str) -> None:
    found = json.loads(llmprof("rent", "--home", worked, "--json", "--by", by).out)
    (run,) = [json.loads(line) for line in llmprof("runs", "--home", worked, "--json").lines]
    paid = sum(Decimal(run["cost"][name]) for name in ("input_usd", "cache_read_usd", "cache_write_usd"))
    assert (found["input_tokens"], Decimal(found["input_cost_usd"])) == (run["usage"]["input_tokens"], paid)
    assert sum(row["tokens"] for row in found["rents"]) == found["input_tokens"]
    assert sum(Decimal(row["cost_usd"]) for row in found["rents"]) == paid
    assert (found["run_id"], found["calls"], found["by"], found["more"]) == (run["id"], 12, by, None)
    for row in found["rents"]:
        assert row["read_tokens"] + row["write_tokens"] + row["fresh_tokens"] == row["tokens"]


def test_a_refused_call_has_carried_nothing(llmprof: Cli, tmp_path: Path) -> None:
    """It was not billed: no list counts what was estimated of its prompt."""
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        for number, exchange in enumerate(agent(turns=6)):
            process(exchange, store, PriceBook())
            if number in (2, 5):
                body = b'{"type": "error", "error": {"type": "rate_limit_error", "message": "wait"}}'
                later = {"started_ns": exchange.ended_ns + 1, "first_chunk_ns": None, "ended_ns": exchange.ended_ns + 2}
                refused = replace(exchange, id=f"{number:032x}", status=429, response_body=body, **later)
                process(refused, store, PriceBook())
        (run,) = queries.runs(store)
        of_kinds = sum(total.tokens for total in timeline.composition(store, run.id))
    found = json.loads(llmprof("rent", "--home", tmp_path, "--json").out)
    assert (run.calls, run.error_calls) == (8, 2)
    assert found["input_tokens"] == sum(row["tokens"] for row in found["rents"]) == run.usage.input_tokens == of_kinds
    assert max(row["carried_calls"] for row in found["rents"]) == 6
    tools = json.loads(llmprof("tools", "--home", tmp_path, "--json").out)
    assert max(row["carried_calls"] for row in tools["tools"]) == 6
    table = llmprof("report", "--home", tmp_path).out.partition("Dollars of the whole run")[2]
    schemas = json.loads(llmprof("rent", "--home", tmp_path, "--json", "--by", "kind").out)["rents"]
    (tokens,) = (row["tokens"] for row in schemas if row["label"] == "tool schemas")
    assert f"≈{tokens / 1000:.1f}k" in next(line for line in table.splitlines() if line.startswith("tool schemas"))


def test_the_dearest_parts_are_shown_and_the_others_summed(llmprof: Cli, worked: Path) -> None:
    ran = llmprof("rent", "--home", worked, "--limit", 2)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[1].endswith("tokens of input in 12 calls, $0.0468")
    assert ran.lines[2].split()[:2] == ["part", "kind"]
    assert ran.lines[3].startswith("run_tests: line of a file")
    assert "more parts" in ran.lines[5]
    cut = json.loads(llmprof("rent", "--home", worked, "--limit", 2, "--json").out)
    assert cut["more"]["tokens"] + sum(row["tokens"] for row in cut["rents"]) == cut["input_tokens"]
    assert cut["rents"][0]["path"] == "messages[8].content[0]"
    assert cut["rents"][0]["first_call"] == 5


def test_tools_that_are_never_called_stand_out(llmprof: Cli, worked: Path) -> None:
    ran = llmprof("tools", "--home", worked)
    assert (ran.code, ran.err) == (0, "")
    (server,) = [line for line in ran.lines if line.startswith("github ")]
    assert server.endswith("never called in 12 calls")
    found = json.loads(llmprof("tools", "--home", worked, "--json").out)
    tools = {row["name"]: row for row in found["tools"]}
    assert tools["read_file"]["tool_calls"] + tools["run_tests"]["tool_calls"] == 11
    assert (tools["read_file"]["errors"], tools["mcp__github__list_issues"]["errors"]) == (0, None)
    assert sum(Decimal(row["cost_usd"]) for row in found["tools"]) == Decimal(found["cost_usd"])
    (hub,) = found["servers"]
    of_hub = [row for row in found["tools"] if row["server"] == "github"]
    assert hub["schema_tokens"] == sum(row["schema_tokens"] for row in of_hub)


@pytest.mark.parametrize("command", ["rent", "tools"])
def test_bad_input_is_told_in_a_line(llmprof: Cli, worked: Path, command: str, tmp_path: Path) -> None:
    ran = llmprof(command, "nobody", "--home", worked)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "llmprof: there is no run whose id starts with 'nobody'; `llmprof runs` lists them\n"
    assert llmprof(command, "--home", tmp_path).code == 3


@pytest.mark.parametrize("command", ["rent", "tools"])
def test_runs_of_every_dialect_have_their_rents(llmprof: Cli, recorded: Path, command: str) -> None:
    for line in llmprof("runs", "--home", recorded, "--json").lines:
        run = json.loads(line)
        for form in ([], ["--json"]):
            assert llmprof(command, run["id"], "--home", recorded, *form).code == 0
