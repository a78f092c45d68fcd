"""Pictures inside the results of tools: each result bears the rent of its own, in whatever dialect it came."""

import base64
import json
import struct
import zlib
from typing import Any

import pytest

from llmprof_addon.attribution.references import refer
from llmprof_addon.attribution.rent import rents
from llmprof_addon.export.rent import rent_rows
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.run_tree import RunTree
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import Store
from llmprof_addon.store.queries import runs
from llmprof_addon.store.run_tree import run_tree
from llmprof_addon.store.tools import tools_of
from tests.factories import MESSAGES_URL, RESPONSES_URL, STARTED_NS, make_exchange

SECOND = 10**9


def picture(shade: int) -> str:
    """A PNG of 800x600 in base64."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + bytes([shade]) * 800) * 600
    head = struct.pack(">IIBBBBB", 800, 600, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(png).decode()


def anthropic(turns: int) -> list[Exchange]:
    """An agent that looks at a screen: every result is a line and a picture, every second one two."""
    messages: list[Any] = [{"role": "user", "content": "Look at the harbour's page."}]
    made = []
    for turn in range(turns):
        call = {"type": "tool_use", "id": f"toolu_{turn}", "name": "screenshot", "input": {"page": f"quay-{turn}.html"}}
        usage = {"input_tokens": 900 + 1400 * sum(1 + at % 2 for at in range(turn)), "output_tokens": 30}
        answer: Any = {"id": f"msg_{turn}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
        answer |= {"content": [call], "stop_reason": "tool_use", "usage": usage}
        tools = [{"name": "screenshot", "description": "Shows a page.", "input_schema": {"type": "object"}}]
        body = {"model": "claude-sonnet-4-5", "max_tokens": 99, "tools": tools, "messages": messages}
        made.append(_at(turn, body, answer, MESSAGES_URL))
        pictures = [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture(2 * turn + at)}}
            for at in range(1 + turn % 2)
        ]
        content = [{"type": "text", "text": f"The page quay-{turn}.html:"}, *pictures]
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": content}
        messages = [*messages, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    return made


def responses(turns: int) -> list[Exchange]:
    """The same by items of the Responses API."""
    items: list[Any] = [{"role": "user", "content": "Look at the harbour's page."}]
    made = []
    for turn in range(turns):
        call: Any = {"type": "function_call", "id": f"fc_{turn}", "call_id": f"call_{turn}", "name": "screenshot"}
        call |= {"arguments": json.dumps({"page": f"quay-{turn}.html"})}
        usage = {"input_tokens": 900 + 800 * sum(1 + at % 2 for at in range(turn)), "output_tokens": 30}
        answer: Any = {"id": f"resp_{turn}", "object": "response", "model": "gpt-4.1", "output": [call], "usage": usage}
        tools = [{"type": "function", "name": "screenshot", "parameters": {"type": "object"}}]
        made.append(_at(turn, {"model": "gpt-4.1", "tools": tools, "input": items}, answer, RESPONSES_URL))
        url = "data:image/png;base64,"
        output = [
            {"type": "input_image", "image_url": url + picture(2 * turn + at), "detail": "high"}
            for at in range(1 + turn % 2)
        ]
        items = [*items, call, {"type": "function_call_output", "call_id": f"call_{turn}", "output": output}]
    return made


def _at(turn: int, body: Any, answer: Any, url: str) -> Exchange:
    started = STARTED_NS + 10 * turn * SECOND
    times = {"started_ns": started, "first_chunk_ns": None, "ended_ns": started + SECOND}
    return make_exchange(body, answer, id=f"{turn:032x}", url=url, session="one", **times)


def filled(store: Store, exchanges: list[Exchange]) -> RunTree:
    for exchange in exchanges:
        assert process(exchange, store, PriceBook()) is not None
    (run,) = runs(store)
    tree = run_tree(store, run.id)
    assert tree is not None
    return tree


@pytest.mark.parametrize("make", [anthropic, responses])
def test_pictures_in_results_are_the_results_own(store: Store, make: Any) -> None:
    tree = filled(store, make(4))
    results = [at for at, node in enumerate(tree.nodes) if node.kind is Kind.TOOL_RESULTS]
    assert [tree.nodes[at].media for at in results] == [{Kind.IMAGES: 1}, {Kind.IMAGES: 2}, {Kind.IMAGES: 1}]
    found = rents(tree)
    pictures = [rent for rent in found if rent.kind is Kind.IMAGES]
    assert {rent.node for rent in pictures} == set(results)
    paid = [total for call in tree.calls for total in call.composition if total.kind is Kind.IMAGES]
    assert sum(rent.tokens for rent in pictures) == sum(total.tokens for total in paid) > 0
    assert sum(rent.cost or 0 for rent in pictures) == sum(total.cost or 0 for total in paid) > 0
    by_result = {rent.node: rent for rent in pictures}
    first, second, third = (by_result[at] for at in results)
    assert (first.carried, second.carried, third.carried) == (3, 2, 1)
    assert second.tokens > first.tokens > third.tokens
    rows, _ = rent_rows(tree, refer(tree, found))
    labels = {row.label: row for row in rows if row.kind is Kind.IMAGES}
    assert labels.keys() == {"(1 image in it)", "(2 images in it)"}
    assert labels["(2 images in it)"].tool == "screenshot"
    by_tool, _ = rent_rows(tree, found, "tool")
    assert next(row for row in by_tool if row.tool == "screenshot").tokens > sum(rent.tokens for rent in pictures)


def test_a_result_takes_its_pictures_along(store: Store) -> None:
    """What a finding saves of a result, it saves of the pictures in it."""
    tree = filled(store, anthropic(4))
    run = RunView(tree, rents(tree))
    first = next(at for at, node in enumerate(tree.nodes) if node.kind is Kind.TOOL_RESULTS)
    of_kinds = sum(rent.tokens for rent in run.rents if rent.node == first)
    evidence = run.part(first)
    assert evidence is not None
    assert abs(evidence.tokens - of_kinds) <= 4
    (tool,) = tools_of(tree, run.rents)
    pictures = sum(rent.tokens for rent in run.rents if rent.kind is Kind.IMAGES)
    assert tool.result_tokens > pictures
