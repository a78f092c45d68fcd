"""Waste that is planted in the traffic of an agent, through the whole pipeline: it is found, and nothing else."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.findings.of_call import of_call
from llmprof_addon.model.finding import Waste
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.pipeline import explain
from llmprof_addon.pipeline.explained import paths_of
from llmprof_addon.pipeline.waste import waste_of
from llmprof_addon.store import queries
from llmprof_addon.store.open import Store, open_store
from tests.factories import STARTED_NS
from tests.simulator.caches import SECOND
from tests.simulator.runs import STYLES, play
from tests.unit.pipeline.wasting import BOOK, Agent


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        yield store


def waste(store: Store) -> Waste:
    (run,) = queries.runs(store)
    found = waste_of(store, run.id, Thresholds())
    assert found is not None
    assert found.errors == ()
    assert run.cost is not None
    assert 0 <= (found.reclaimable.cost or 0) <= run.cost.total
    return found


def codes(found: Waste) -> list[str]:
    return sorted(finding.code for finding in found.findings)


def test_an_agent_that_wastes_nothing(store: Store) -> None:
    agent = Agent(store)
    agent.turn(agent.words(120), tool="run")
    agent.work(11)
    assert codes(waste(store)) == []


def test_a_server_that_nobody_called(store: Store) -> None:
    agent = Agent(store, servers=("wiki",))
    agent.turn(agent.words(120), tool="run")
    agent.work(11)
    found = waste(store)
    assert codes(found) == ["unused_server"]
    (server,) = found.findings
    rows = list(queries.calls(store))
    of_tools = sum(total.cost or 0 for row in rows for total in row.composition if total.kind.value == "tool_schemas")
    assert server.cost == pytest.approx(of_tools / 2, rel=0.1), "two of four tools"
    assert found.reclaimable.cost == server.cost
    newest = rows[0]
    explained = explain(store, newest)
    (here,) = of_call(found.findings, newest.id, newest.started_ns, explained.by_node)
    assert here.tokens == pytest.approx(server.tokens / 12, rel=0.05)
    paths = paths_of(store, newest)
    assert [paths[each.node or ""] for each in here.evidence] == ["tools[2]", "tools[3]"]


def test_a_file_that_was_read_twice(store: Store) -> None:
    agent = Agent(store)
    text = agent.words(500)
    agent.turn(text, path="src/main.py")
    agent.work(3)
    agent.turn(text, path="src/main.py")
    agent.work(4)
    assert codes(waste(store)) == ["fetched_again"]


def test_a_dump_with_base64_and_one_of_loose_json(store: Store) -> None:
    agent = Agent(store)
    agent.turn(f"{agent.words(9)} {base64.b64encode(agent.chance.randbytes(4000)).decode()}")
    agent.turn(json.dumps([{"name": agent.words(2), "size": at, "on": None} for at in range(150)], indent=4))
    agent.work(3)
    assert codes(waste(store)) == ["base64_text", "loose_json"]


def test_a_result_that_is_far_too_long(store: Store) -> None:
    agent = Agent(store)
    agent.turn(agent.words(6_000))
    agent.work(3)
    assert codes(waste(store)) == ["oversized_result"]


def test_a_clock_in_the_system_prompt(store: Store) -> None:
    agent = Agent(store)
    agent.work(4)
    agent.system = f"It is 12:03. {agent.system}"
    agent.work(3)
    found = waste(store)
    assert codes(found) == ["cache_break"]
    (run,) = queries.runs(store)
    assert found.findings[0].cost == run.cache_wasted == found.reclaimable.cost
    assert "the system prompt changed" in found.findings[0].title


def test_an_hour_of_cache_that_nobody_needs(store: Store) -> None:
    agent = Agent(store)
    for _ in range(5):
        agent.turn(agent.words(120), ttl="1h")
    assert codes(waste(store)) == ["dear_ttl"]


def test_a_large_result_that_nobody_needs_any_more(store: Store) -> None:
    agent = Agent(store)
    first = agent.turn(agent.words(3_000), path="src/large.py")
    agent.work(44)
    found = waste(store)
    assert codes(found) == ["stale_rent"]
    (stale,) = found.findings
    (part,) = stale.evidence
    assert part.since_ns > STARTED_NS + 11 * 20 * SECOND, "it may stay for a while"
    assert part.call != first
    assert 0 < part.share < 1, "the cache behind it is written anew"
    assert (stale.cost or 0) > 0


def test_a_loop(store: Store) -> None:
    agent = Agent(store)
    agent.work(2)
    for _ in range(5):
        agent.turn("still running", tool="run", path="status")
    found = waste(store)
    assert codes(found) == ["loop"]
    assert [each.call for each in found.findings[0].evidence] == [f"{turn:032x}" for turn in (7, 6, 5)]


def test_an_answer_that_was_broken_off(store: Store) -> None:
    agent = Agent(store)
    agent.work(3)
    agent.turn("", outcome="aborted")
    agent.work(2)
    found = waste(store)
    assert codes(found) == ["billed_failures"]


@pytest.mark.parametrize("style", STYLES)
def test_clean_runs_of_all_providers(store: Store, style: Any) -> None:
    for _ in play(style, None, 3, store, BOOK, turns=12):
        pass
    for run in queries.runs(store):
        found = waste_of(store, run.id, Thresholds())
        assert found is not None
        assert found.errors == ()
        assert set(codes(found)) <= {"dear_ttl"}, "its agents may ask for an hour"
