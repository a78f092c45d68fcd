"""Runs that cannot be right as they are told: no loss is made up, sums agree, the order of arrival does not matter.

The calls are those of the simulator's agents, whose caches do what providers promise.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.cachedoctor.tally import tally
from llmprof_addon.cli.laws import check_run
from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.judged import judged
from llmprof_addon.store.open import Store, open_store
from tests.factories import STARTED_NS, body_bytes
from tests.simulator.agents import Style, new_agent
from tests.simulator.caches import SECOND
from tests.simulator.providers import Provider
from tests.simulator.runs import LOSSES, URLS

BOOK = PriceBook()
HOUR = 3600 * SECOND


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    opened: list[Store] = []

    def new() -> Store:
        opened.append(open_store(f"sqlite:///{tmp_path}/{len(opened)}.db"))
        return opened[-1]

    yield new
    for store in opened:
        store.close()


def calls(style: Style = "anthropic", *, seed: int = 1, headers: dict[str, str] | None = None) -> list[Exchange]:
    """A clean run of six turns, half a minute apart."""
    rng = random.Random(seed)
    agent = new_agent(rng, style)
    agent.headers |= headers or {}
    provider = Provider(URLS[style], STARTED_NS, exact=style == "exact")
    made = []
    for turn in range(6):
        provider.clock_ns += 30 * SECOND
        answer = agent.answer()
        body, uid = agent.body(), f"run-{seed}-{turn}"
        made.append(provider.call(body, agent.wire(answer), uid=uid, session="one", headers=agent.headers)[0])
        agent.go_on(answer)
    return made


def later(exchange: Exchange, nanoseconds: int) -> Exchange:
    first = exchange.first_chunk_ns
    return replace(
        exchange,
        started_ns=exchange.started_ns + nanoseconds,
        first_chunk_ns=None if first is None else first + nanoseconds,
        ended_ns=exchange.ended_ns + nanoseconds,
    )


def answering(exchange: Exchange, change: Callable[[dict[str, Any]], object]) -> Exchange:
    response = json.loads(exchange.response_body)
    change(response)
    return replace(exchange, response_body=body_bytes(response))


def verdicts(new_store: Callable[[], Store], exchanges: list[Exchange]) -> dict[str, Any]:
    """The verdicts of all calls, the same in whatever order they come."""
    found = []
    for order in (exchanges, exchanges[::-1], random.Random(3).sample(exchanges, len(exchanges))):
        store = new_store()
        for exchange in order:
            assert process(exchange, store, BOOK) is not None
        for run in queries.runs(store):
            assert list(check_run(store, run)) == []
            sums = tally((call.verdict, call.input_tokens, call.cost) for call in judged(store, run.id))
            assert sums.hit_ratio is None or 0 <= sums.hit_ratio <= 1
        found.append({row.id: row.cache for row in queries.calls(store)})
    assert found[0] == found[1] == found[2]
    assert not [uid for uid, verdict in found[0].items() if verdict is not None and verdict.status in LOSSES]
    return found[0]


@pytest.mark.parametrize("hours", [-2, 2])
@pytest.mark.parametrize("style", ["anthropic", "chat"])
def test_a_clock_that_jumps(new_store: Callable[[], Store], style: Style, hours: int) -> None:
    exchanges = calls(style)
    found = verdicts(new_store, [*exchanges[:3], *(later(one, hours * HOUR) for one in exchanges[3:])])
    assert {verdict.status for uid, verdict in found.items() if uid != "run-1-0"} == {CacheStatus.HIT}


def test_a_clock_that_jumps_back_during_a_call(new_store: Callable[[], Store]) -> None:
    exchanges = calls()
    exchanges[2] = replace(exchanges[2], ended_ns=exchanges[2].started_ns - HOUR, first_chunk_ns=None)
    verdicts(new_store, exchanges)


def test_a_provider_that_reports_more_cached_than_input(new_store: Callable[[], Store]) -> None:
    exchanges = calls("chat")

    def more(response: dict[str, Any]) -> None:
        usage = response["usage"]
        usage["prompt_tokens_details"] = {"cached_tokens": usage["prompt_tokens"] + 1000}

    exchanges[3] = answering(exchanges[3], more)
    found = verdicts(new_store, exchanges)
    assert found["run-1-3"].status is CacheStatus.HIT


@pytest.mark.parametrize("style", ["anthropic", "chat", "exact", "gemini"])
def test_a_call_without_usage_inside_a_run(new_store: Callable[[], Store], style: Style) -> None:
    exchanges = calls(style)
    exchanges[3] = answering(
        exchanges[3], lambda response: [response.pop(name, 0) for name in ("usage", "usageMetadata")]
    )
    found = verdicts(new_store, exchanges)
    assert found["run-1-3"] is None
    assert found["run-1-4"].status is CacheStatus.HIT


def test_a_session_that_two_apps_share(new_store: Callable[[], Store]) -> None:
    mixed = [one for pair in zip(calls("chat", seed=1), calls("chat", seed=2), strict=True) for one in pair]
    found = verdicts(new_store, [later(one, number) for number, one in enumerate(mixed)])
    assert sum(verdict.status is CacheStatus.HIT for verdict in found.values()) == len(mixed) - 2


def test_a_lane_whose_parent_never_appears(new_store: Callable[[], Store]) -> None:
    headers = {"x-claude-code-session-id": "s" * 8, "x-claude-code-agent-id": "seven"}
    headers["x-claude-code-parent-agent-id"] = "nobody"
    exchanges = [replace(one, session=None) for one in calls(headers=headers)]
    found = verdicts(new_store, exchanges)
    assert [verdict.status for verdict in found.values()].count(CacheStatus.HIT) == 5
    store = new_store()
    for exchange in exchanges:
        process(exchange, store, BOOK)
    (run,) = queries.runs(store)
    (lane,) = queries.lanes(store, [run.id])[run.id]
    assert (lane.id, lane.parent, lane.calls) == ("seven", "nobody", 6)
