"""The same agent twice: as it is, and with rules applied to every request before it is sent. What did each really cost?

An answer does not depend on the prompt here, so that both runs say the same; clocks are the same too.
"""

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import accumulate
from typing import Any

from llmprof_addon.model.call import Call
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.run_tree import RunTree
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import cost
from tests.factories import STARTED_NS
from tests.simulator.agents import Style, new_agent
from tests.simulator.caches import SECOND, Served
from tests.simulator.providers import PREAMBLE, Provider, anthropic_blocks, openai_blocks, tokens_of
from tests.simulator.runs import URLS

type Body = dict[str, Any]
type Change = Callable[[Body], None]
"""Changes a request body in place."""


def play_ruled(
    style: Style, seed: int, *changes: Change, turns: int = 12, gaps: tuple[int, ...] = (20, 60, 100, 700, 2000)
) -> Iterator[tuple[Exchange, Served, Body]]:
    """A run's calls, what its provider did with each, and the bodies that were sent."""
    rng, clock = random.Random(f"{style} {seed}"), random.Random(seed)
    agent = new_agent(rng, style)
    provider = Provider(URLS[style], STARTED_NS + seed * 10**15, exact=style == "exact")
    for turn in range(turns):
        provider.clock_ns += clock.choice(gaps) * SECOND
        body, answer = deepcopy(agent.body()), agent.answer()
        for change in changes:
            change(body)
        exchange, served = provider.call(
            body,
            agent.wire(answer),
            uid=f"{style}-{seed}-{turn:03}",
            session=f"{style}-{seed}",
            headers=agent.headers,
            seconds=clock.uniform(1, 20),
        )
        yield exchange, served, body
        agent.go_on(answer)


def paid(style: Style, book: PriceBook, calls: Iterator[tuple[Exchange, Served, Body]]) -> int:
    """What the provider charges for a run, in pico-dollars."""
    vendor = "anthropic" if style == "anthropic" else "openai"
    total = 0
    for exchange, served, body in calls:
        said = json.loads(exchange.response_body)["usage"]
        usage = Usage(
            input_tokens=served.total,
            cache_read_input_tokens=served.read,
            cache_creation_input_tokens=served.written,
            cache_creation_5m_input_tokens=served.written - served.written_1h,
            cache_creation_1h_input_tokens=served.written_1h,
            output_tokens=said.get("output_tokens", said.get("completion_tokens")),
        )
        asked = Call(provider=vendor, api="", request_model=body["model"], price_provider=vendor)
        found = cost(usage, book.rates(asked, usage, exchange.started_ns))
        assert found is not None
        total += found.total
    return total


def true_sizes(style: Style, tree: RunTree, bodies: list[Body]) -> list[float]:
    """What each node of the run counts at its provider; for styles that send each part as a block of its own."""
    sizes = [0.0] * len(tree.nodes)
    for call, body in zip(tree.calls, bodies, strict=True):
        blocks = anthropic_blocks(body) if style == "anthropic" else openai_blocks(body)
        for node, block in zip(tree.prompt(call), blocks, strict=True):
            sizes[node] = block.tokens
        if style == "anthropic" and body.get("tools"):
            sizes[tree.prompt(call)[0]] -= PREAMBLE
    return sizes


def tool_name(tool: Body) -> str:
    """The name of a tool in a request."""
    name: str = tool.get("name") or tool["function"]["name"]
    return name


def without(*names: str) -> Change:
    """No such tools."""

    def change(body: Body) -> None:
        body["tools"] = [tool for tool in body["tools"] if tool_name(tool) not in names]

    return change


def capped(most: int) -> Change:
    """No result of more tokens."""

    def change(body: Body) -> None:
        for _, held, key in _results(body):
            words = held[key].split()
            sums = accumulate(map(tokens_of, words))
            held[key] = " ".join(word for word, through in zip(words, sums, strict=True) if through <= most)

    return change


def cleared(turns: int) -> Change:
    """No result that is older than so many turns: 8 tokens in its place."""

    def change(body: Body) -> None:
        found = list(_results(body))
        spoken = _spoken(body)[-1]
        for turn, held, key in found:
            if spoken - turn > turns:
                held[key] = "the old tool said once what is gone"

    return change


def living(ttl: str) -> Change:
    """All markers with this lifetime."""

    def change(body: Body) -> None:
        lists = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
        for block in (block for blocks in [body["system"], *lists] for block in blocks):
            if "cache_control" in block:
                block["cache_control"] = {"type": "ephemeral", "ttl": ttl}

    return change


def going_to(model: str) -> Change:
    """Another model."""

    def change(body: Body) -> None:
        body["model"] = model

    return change


def _items(body: Body) -> list[Body]:
    items: list[Body] = body["messages"] if "messages" in body else body["input"]
    return items


def _spoken(body: Body) -> list[int]:
    """How often the model had spoken, through each item."""
    found: list[int] = []
    before = False
    for item in _items(body):
        speaks = item.get("role") == "assistant" or item.get("type") == "function_call"
        found.append((found[-1] if found else 0) + (speaks and not before))
        before = speaks
    return found


def _results(body: Body) -> Iterator[tuple[int, Body, str]]:
    """(turn, what holds it, under which key) of each result."""
    for turn, item in zip(_spoken(body), _items(body), strict=True):
        if item.get("type") == "function_call_output":
            yield turn, item, "output"
        elif isinstance(item.get("content"), list):
            for block in item["content"]:
                if block["type"] == "tool_result":
                    yield turn, block, "content"
