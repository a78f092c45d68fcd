"""Runs, lanes and turns depend on which calls there are, not on the order in which they come; sums agree throughout."""

import json
import random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.cli.laws import check_run
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.open import Store, open_store
from tests.factories import CHAT_URL, MESSAGES_URL, STARTED_NS, make_exchange

BOOK = PriceBook()
SECOND = 1_000_000_000


def call(number: int, body: dict[str, Any], answer: dict[str, Any], at: float, lasts: float, **more: Any) -> Exchange:
    started = STARTED_NS + round(at * SECOND)
    times = {"started_ns": started, "first_chunk_ns": None, "ended_ns": started + round(lasts * SECOND)}
    return make_exchange(body, answer, id=f"{number:032x}", **times, **more)


def chat(number: int, messages: list[Any], said: dict[str, Any] | None, at: float, lasts: float = 1) -> Exchange:
    """A call of a client that says nothing of sessions; without an answer it failed."""
    if said is None:
        error = {"error": {"message": "busy", "type": "overloaded"}}
        return call(number, {"model": "gpt-4.1", "messages": messages}, error, at, lasts, url=CHAT_URL, status=529)
    usage = {"prompt_tokens": 10 * len(messages), "completion_tokens": 5}
    answer = {"id": f"c{number}", "model": "gpt-4.1", "usage": usage}
    answer["choices"] = [{"index": 0, "finish_reason": "stop", "message": said}]
    return call(number, {"model": "gpt-4.1", "messages": messages}, answer, at, lasts, url=CHAT_URL)


def conversations(chance: random.Random) -> list[Exchange]:
    """Some conversations side by side: turns, tools, failures and retries, second answers, agents that tools start."""
    made: list[Exchange] = []

    def number() -> int:
        return len(made) + 1

    for who in range(chance.randint(1, 3)):
        messages: list[Any] = [
            {"role": "user", "content": chance.choice(["Begin the work", f"Begin the work of {who}"])}
        ]
        at = chance.random() * 5
        for turn in range(chance.randint(1, 5)):
            if chance.random() < 0.2:
                made.append(chat(number(), messages, None, at))
                at += 1 + chance.random() * 3
            kind = chance.choice(["text", "text", "tool", "agent", "again"])
            said: dict[str, Any] = {"role": "assistant", "content": f"Word {turn} of {who}"}
            then: list[Any] = [{"role": "user", "content": "Go on"}]
            if kind in ("tool", "agent"):
                task = f"Search the {chance.choice(['left', 'right'])} side of {who}"
                arguments = json.dumps({"prompt": task} if kind == "agent" else {"path": f"{who}/{turn}"})
                tool = {"id": f"call_{who}_{turn}", "type": "function"}
                tool["function"] = {"name": "agent" if kind == "agent" else "read", "arguments": arguments}
                said = {"role": "assistant", "content": None, "tool_calls": [tool]}
                then = [{"role": "tool", "tool_call_id": tool["id"], "content": "Done"}]
            made.append(chat(number(), messages, said, at))
            at += 1 + chance.random()
            if kind == "agent":
                inner: list[Any] = [{"role": "user", "content": task}]
                for step in range(chance.randint(1, 3)):
                    word = {"role": "assistant", "content": f"Found {step} of {who} at {turn}"}
                    made.append(chat(number(), inner, word, at))
                    inner = [*inner, word, {"role": "user", "content": "And then?"}]
                    at += 1 + chance.random()
            if kind == "again" and turn:
                made.append(chat(number(), messages, {"role": "assistant", "content": f"Other {turn} of {who}"}, at))
                at += 1 + chance.random()
            messages = [*messages, said, *then]
    return made


def session(chance: random.Random) -> list[Exchange]:
    """An agent that names its session and its agents, some of them side by side, with calls beside its turns."""
    made: list[Exchange] = []
    for lane in range(chance.randint(1, 4)):
        headers = [("x-claude-code-session-id", "s" * 8), ("user-agent", "claude-cli/2")]
        if lane:
            headers.append(("x-claude-code-agent-id", f"agent{lane}"))
        messages: list[Any] = [{"role": "user", "content": f"Look at part {lane} of it"}]
        at = lane * 1.5 + chance.random()
        for turn in range(chance.randint(1, 4)):
            number, now = len(made) + 1, [*headers, ("x-claude-code-prev-tool-durations", "Bash=250")]
            if chance.random() < 0.2:
                now.append(("x-claude-code-request-class", chance.choice(["auxiliary", "compaction"])))
            word = {"type": "text", "text": f"Word {turn} of {lane}"}
            answer = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
            answer |= {"content": [word], "usage": {"input_tokens": 10 * turn + 9, "output_tokens": 4}}
            body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": messages}
            lasts = chance.choice((0.5, 4.0))
            made.append(call(number, body, answer, at, lasts, url=MESSAGES_URL, request_headers=tuple(now)))
            messages = [*messages, {"role": "assistant", "content": [word]}, {"role": "user", "content": "Go on"}]
            at += chance.choice((0.3, lasts + 0.2))
    return made


def shape(store: Store) -> dict[str, Any]:
    """All that grouping says."""
    calls = {
        row.id: (row.run_id, row.lane, row.turn, row.predecessor, row.link, row.tool_ns, row.idle_ns)
        for row in queries.calls(store)
    }
    runs = {row.id: (row.key, row.label, row.calls, row.cost, row.usage, row.times) for row in queries.runs(store)}
    lanes = {
        (run, lane.id): (lane.kind, lane.parent, lane.spawned_by, lane.calls, lane.cost, lane.times, lane.label)
        for run, some in queries.lanes(store, list(runs)).items()
        for lane in some
    }
    return {"calls": calls, "runs": runs, "lanes": lanes}


def stored(exchanges: list[Exchange]) -> dict[str, Any]:
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        for exchange in exchanges:
            process(exchange, store, BOOK)
        assert [line for row in queries.runs(store) for line in check_run(store, row)] == []
        return shape(store)


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([conversations, session]))
def test_the_order_of_arrival_changes_nothing(chance: random.Random, make: Any) -> None:
    exchanges = make(chance)
    expected = stored(sorted(exchanges, key=lambda exchange: exchange.ended_ns))
    shuffled = chance.sample(exchanges, len(exchanges))
    assert stored(shuffled) == expected
    assert stored(exchanges[::-1]) == expected
