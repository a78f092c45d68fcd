"""Entries of calls that were really recorded: of fixtures, through the pipeline and the store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from llmprof_tui.widgets.call_header import facts
from llmprof_tui.widgets.entries import answer_entries, prompt_entries, raw_entries
from llmprof_tui.widgets.entry import Level
from llmprof_tui.widgets.facts import flowed
from llmprof_tui.widgets.messages_layout import Outline
from llmprof_tui.widgets.node_entries import behind

from llmprof_addon.model.component import Kind
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.pipeline import Explanation, explain
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.factories import CHAT_URL, FIXTURES, fixture_cases, fixture_exchange, make_exchange
from tests.tui.recording import PIXEL, awkward, record

type Explain = Callable[[Exchange], Explanation]


@pytest.fixture
def explained(tmp_path: Path) -> Explain:
    def explained(exchange: Exchange) -> Explanation:
        with open_store(record(tmp_path, [exchange]), read_only=True) as store:
            row = queries.call(store, exchange.id)
            assert row is not None
            return explain(store, row)

    return explained


def chat(explained: Explain, messages: list[Json], answer: Json = None, **fields: object) -> Explanation:
    reply: Json = {"id": "x", "object": "chat.completion", "model": "gpt-4o", "choices": []}
    if answer is not None:
        reply["choices"] = [{"index": 0, "message": answer, "finish_reason": "stop"}]
        reply["usage"] = {"prompt_tokens": 1_000, "completion_tokens": 10, "total_tokens": 1_010}
    return explained(make_exchange({"model": "gpt-4o", "messages": messages}, reply, url=CHAT_URL, **fields))


def test_tokens_of_the_entries_are_those_of_the_call(explained: Explain) -> None:
    cases = [("anthropic.messages", "cache_5m"), ("anthropic.messages", "coding_agent"), ("openai.responses", "media")]
    for dialect, case in cases:
        found = explained(fixture_exchange(dialect, case, id=f"{case:0<32}"))
        entries = prompt_entries(found)
        assert sum(entry.tokens or 0 for entry in entries) == sum(total.tokens for total in found.row.composition)
        assert sum(entry.read for entry in entries) == sum(total.read for total in found.row.composition)
        assert sum(entry.write for entry in entries) == sum(total.write for total in found.row.composition)


DIALECTS = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir() and "." in folder.name)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_recorded_call_becomes_pages_that_can_be_drawn(explained: Explain, dialect: str) -> None:
    for case in fixture_cases(dialect):
        found = explained(fixture_exchange(dialect, case, id=f"{case:0<40}"))
        prompt, answer = prompt_entries(found), answer_entries(found)
        for entries, totals in ((prompt, found.row.composition), (answer, found.row.output_composition)):
            assert sum(entry.tokens or 0 for entry in entries) == sum(total.tokens for total in totals), case
        for entries in (prompt, answer, raw_entries(found, response=False), raw_entries(found, response=True)):
            outline = Outline(entries, dict.fromkeys(Kind, Level.FULL), numbered=True)
            outline.settle(0, 10**6)
            assert outline.height >= len(entries)


def test_the_cache_ends_behind_what_was_read_and_written(explained: Explain) -> None:
    found = explained(fixture_exchange("anthropic.messages", "cache_5m"))
    entries = prompt_entries(found)
    edges = [edge for entry in entries for edge in entry.edges]
    assert edges
    assert all("cache ends" in edge for edge in edges)
    assert any(entry.marks for entry in entries)
    last = max(index for index, entry in enumerate(entries) if entry.edges)
    assert not any(entry.read or entry.write for entry in entries[last + 1 :] if entry.path)


def test_an_image_is_its_type_and_size_and_never_its_data(explained: Explain) -> None:
    found = explained(awkward())
    image = next(entry for entry in prompt_entries(found) if entry.kind is Kind.IMAGES)
    assert image.preview == "image/png · 1×1 · 70 B"
    assert image.text == ""
    assert not any(PIXEL in entry.text for entry in prompt_entries(found))


def test_long_inline_data_is_cut_in_raw_bodies_and_copied_whole(explained: Explain) -> None:
    data = "iVBORw0KGgo" + "A" * 50_000
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    found = chat(explained, [{"role": "user", "content": [part]}], {"role": "assistant", "content": "ok"})
    body = next(entry for entry in raw_entries(found, response=False) if entry.title == "body")
    assert len(body.text) < 1_000
    assert "characters of data" in body.text
    assert data in json.dumps(body.whole)


def test_what_drives_a_terminal_stands_in_no_head(explained: Explain) -> None:
    found = explained(awkward())
    for entry in (*prompt_entries(found), *answer_entries(found), *raw_entries(found, response=False)):
        heads = f"{entry.title}{entry.name}{entry.preview}"
        assert not set(map(ord, heads)) & {*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x202C}, heads


def test_a_tool_without_a_name_says_so(explained: Explain) -> None:
    names = {entry.name for entry in prompt_entries(explained(awkward())) if entry.kind is Kind.TOOL_CALLS}
    assert names == {"(no name)"}


def test_an_answer_ends_with_its_reason(explained: Explain) -> None:
    found = chat(explained, [{"role": "user", "content": "Hi"}], {"role": "assistant", "content": "**Hello**"})
    entries = answer_entries(found)
    assert [(entry.title, entry.text or entry.name) for entry in entries if entry.title != "provider overhead"] == [
        ("assistant", "**Hello**"), ("stop reason", "stop"),
    ]  # fmt: skip


def test_an_error_is_an_answer(explained: Explain) -> None:
    exchange = make_exchange(
        {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]},
        {"error": {"type": "rate_limit_error", "message": "slow down"}},
        url=CHAT_URL,
        status=429,
    )
    entries = answer_entries(explained(exchange))
    assert [(entry.title, entry.name) for entry in entries] == [("error", "rate_limit_error: slow down")]


def test_a_cut_stream_keeps_what_had_come(explained: Explain) -> None:
    found = explained(fixture_exchange("anthropic.messages", "cut_stream", outcome="aborted"))
    entries = answer_entries(found)
    assert entries[0].text
    assert entries[-1].title == "cut off"
    assert "until then" in entries[-1].preview


def test_a_body_that_is_no_json_is_shown(explained: Explain) -> None:
    exchange = make_exchange(b"not json at all", b"<html>bad gateway</html>", url=CHAT_URL, status=502)
    found = explained(exchange)
    titles = [entry.title for side in (False, True) for entry in raw_entries(found, response=side)]
    assert titles[0] == "request"
    assert "response" in titles
    assert prompt_entries(found) is not None


def test_parts_behind_a_node(explained: Explain) -> None:
    found = explained(fixture_exchange("anthropic.messages", "coding_agent"))
    entries = prompt_entries(found)

    def each(trail: tuple[object, ...], nodes: tuple[object, ...]) -> None:
        for node in nodes:
            here = (*trail, node)
            parts = behind(entries, here).entries  # type: ignore[arg-type]  # components, all of them
            assert parts, node
            each(here, node.children)  # type: ignore[attr-defined]  # as above

    each((object(),), found.components)


def test_header_lines_fit_and_lose_nothing(explained: Explain) -> None:
    row = explained(fixture_exchange("anthropic.messages", "cache_5m")).row
    for width in (20, 60, 100, 200):
        groups = list(facts(row, wide=width > 100))
        lines = [line for group in groups for line in flowed(group, width)]
        assert [fact for line in lines for fact in line] == [fact for group in groups for fact in group]
        for line in lines:
            used = sum(len(said) for fact in line for said, _ in fact) + 3 * (len(line) - 1)
            assert used <= width or len(line) == 1
