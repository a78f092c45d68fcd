"""Waste that is planted in the traffic of an agent, through the whole pipeline: it is found, and nothing else."""

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.findings.of_call import of_call
from llmprof_addon.model.finding import Waste
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.pipeline import explain, process
from llmprof_addon.pipeline.explained import paths_of
from llmprof_addon.pipeline.waste import waste_of
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.open import Store, open_store
from tests.factories import STARTED_NS
from tests.simulator.agents import WORDS
from tests.simulator.caches import SECOND
from tests.simulator.providers import ANTHROPIC, Provider
from tests.simulator.runs import STYLES, play

BOOK = PriceBook(None)
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        yield store


class Agent:
    """An agent of Anthropic's that marks its prompts, and can be made to waste."""

    def __init__(self, store: Store, *, servers: tuple[str, ...] = ()) -> None:
        self.store, self.chance = store, random.Random(5)
        self.provider = Provider(ANTHROPIC, STARTED_NS)
        names = ["read_file", "run", *(f"mcp__{server}__{name}" for server in servers for name in ("find", "list"))]
        self.tools = [{"name": name, "description": self.words(60), "input_schema": SCHEMA} for name in names]
        self.system = self.words(1_500)
        self.messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": self.words(40)}]}]
        self.turns = 0

    def words(self, number: int) -> str:
        return " ".join(f"{self.chance.choice(WORDS)}{self.chance.randint(0, 99)}" for _ in range(number))

    def turn(
        self,
        result: str,
        *,
        tool: str = "read_file",
        path: str | None = None,
        ttl: str = "5m",
        outcome: str = "complete",
    ) -> str:
        """One call, and what the tool that it asks for gives; the call's id."""
        self.turns += 1
        uid, marker = f"{self.turns:032x}", {"type": "ephemeral"} | ({} if ttl == "5m" else {"ttl": ttl})
        arguments = {"path": path or f"src/{self.words(1)}.py"}
        asked = {"type": "tool_use", "id": f"toolu_{self.turns}", "name": tool, "input": arguments}
        said = [{"type": "text", "text": f"Next is {arguments['path']}."}, asked]
        messages = json.loads(json.dumps(self.messages))
        messages[-1]["content"][-1]["cache_control"] = marker
        body = {
            "model": "claude-sonnet-4-5",
            "max_tokens": 4000,
            "tools": self.tools,
            "system": [{"type": "text", "text": self.system, "cache_control": marker}],
            "messages": messages,
        }
        self.provider.clock_ns += 20 * SECOND
        exchange, _ = self.provider.call(body, said, uid=uid, session="planted", headers={})
        process(replace(exchange, outcome=outcome), self.store, BOOK)  # type: ignore[arg-type]
        if outcome == "complete":
            given = {"type": "tool_result", "tool_use_id": asked["id"], "content": result}
            self.messages += [{"role": "assistant", "content": said}, {"role": "user", "content": [given]}]
        return uid


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


def work(agent: Agent, turns: int = 6) -> None:
    for _ in range(turns):
        agent.turn(agent.words(120))


def test_an_agent_that_wastes_nothing(store: Store) -> None:
    agent = Agent(store)
    agent.turn(agent.words(120), tool="run")
    work(agent, 11)
    assert codes(waste(store)) == []


def test_a_server_that_nobody_called(store: Store) -> None:
    agent = Agent(store, servers=("wiki",))
    agent.turn(agent.words(120), tool="run")
    work(agent, 11)
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
    work(agent, 3)
    agent.turn(text, path="src/main.py")
    work(agent, 4)
    assert codes(waste(store)) == ["fetched_again"]


def test_a_dump_with_base64_and_one_of_loose_json(store: Store) -> None:
    agent = Agent(store)
    agent.turn(f"{agent.words(9)} {base64.b64encode(agent.chance.randbytes(4000)).decode()}")
    agent.turn(json.dumps([{"name": agent.words(2), "size": at, "on": None} for at in range(150)], indent=4))
    work(agent, 3)
    assert codes(waste(store)) == ["base64_text", "loose_json"]


def test_a_result_that_is_far_too_long(store: Store) -> None:
    agent = Agent(store)
    agent.turn(agent.words(6_000))
    work(agent, 3)
    assert codes(waste(store)) == ["oversized_result"]


def test_a_clock_in_the_system_prompt(store: Store) -> None:
    agent = Agent(store)
    work(agent, 4)
    agent.system = f"It is 12:03. {agent.system}"
    work(agent, 3)
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


def test_a_loop(store: Store) -> None:
    agent = Agent(store)
    work(agent, 2)
    for _ in range(5):
        agent.turn("still running", tool="run", path="status")
    found = waste(store)
    assert codes(found) == ["loop"]
    assert [each.call for each in found.findings[0].evidence] == [f"{turn:032x}" for turn in (7, 6, 5)]


def test_an_answer_that_was_broken_off(store: Store) -> None:
    agent = Agent(store)
    work(agent, 3)
    agent.turn("", outcome="aborted")
    work(agent, 2)
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
