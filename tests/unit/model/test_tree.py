from copy import deepcopy
from dataclasses import replace

import pytest

from llmprof_addon.model.call import Prompt
from llmprof_addon.model.part import Marker, Part, PartKind
from llmprof_addon.model.tree import (
    StoredPart,
    assemble,
    canonical,
    chains,
    digest,
    envelope,
    follow,
    locate,
    parse,
    restore,
    root,
)


def text(words: str, **fields: object) -> Part:
    values = {"kind": PartKind.TEXT, "value": {"type": "text", "text": words}, "place": "messages/content"} | fields
    return Part(**values)  # type: ignore[arg-type]


USER = {"role": "user"}
CONVERSATION = (
    text("hello", wrapper=USER, form="string"),
    text("hi", wrapper={"role": "assistant"}),
    Part(kind=PartKind.TOOL_CALL, value={"id": "c1", "n": 1}, place="messages/tool_calls"),
    text("sunny", wrapper={"role": "tool", "tool_call_id": "c1"}),
    text("and warm"),
)


def test_canonical_keeps_key_order_and_lone_surrogates() -> None:
    assert canonical({"b": 1, "a": "é\ud83d"}) == b'{"b":1,"a":"\xc3\xa9\xed\xa0\xbd"}'
    assert parse(canonical({"b": [1.5, None], "a": "é\ud83d"})) == {"b": [1.5, None], "a": "é\ud83d"}


def test_assemble_puts_a_conversation_together() -> None:
    assert assemble({"model": "m"}, CONVERSATION) == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": [{"type": "text", "text": "hi"}], "tool_calls": [{"id": "c1", "n": 1}]},
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [{"type": "text", "text": "sunny"}, {"type": "text", "text": "and warm"}],
            },
        ],
    }


@pytest.mark.parametrize(
    ("part", "body"),
    [
        (text("go", place="input/content", form="bare"), {"input": "go"}),
        (text("be terse", place="system", form="string"), {"system": "be terse"}),
        (text("be terse", place="system"), {"system": [{"type": "text", "text": "be terse"}]}),
        (text("x", place="config.notes"), {"config": {"keep": 1, "notes": [{"type": "text", "text": "x"}]}}),
        (
            Part(kind=PartKind.OUTPUT_SCHEMA, value={"type": "object"}, place="format", form="whole"),
            {"format": {"type": "object"}},
        ),
        (text("", value=None, wrapper={"role": "user"}, form="absent"), {"messages": [{"role": "user"}]}),
        (
            Part(kind=PartKind.GENERIC, value=7, wrapper=USER, place="messages/content", form="whole"),
            {"messages": [{"role": "user", "content": 7}]},
        ),
        (Part(kind=PartKind.GENERIC, value="{ cut", form="whole"), "{ cut"),
    ],
)
def test_assemble_knows_every_form(part: Part, body: object) -> None:
    params = {"config": {"keep": 1}} if part.place.startswith("config") else {}
    assert assemble(params, [part]) == body


def test_assemble_changes_nothing_of_what_it_is_given() -> None:
    kept = {"config": {"keep": {"deep": 1}}, "messages": [], "tools": [{"name": "t"}]}
    parts = [
        *CONVERSATION,
        text("x", place="config.notes"),
        text("y", place="config.more.notes"),
        text("z", wrapper={"role": "user", "content": []}, markers=(Marker(on_wrapper=True, value=1),)),
        text("", value={"inner": [{"deep": 1}]}, markers=(Marker(where=("inner", 0), value={"type": "ephemeral"}),)),
    ]
    before = deepcopy((kept, parts))
    body = assemble(kept, parts)
    assert assemble(kept, parts) == body
    assert (kept, parts) == before
    assert body["config"] == {"keep": {"deep": 1}, "notes": [parts[5].value], "more": {"notes": [parts[6].value]}}
    assert body["messages"][-1]["content"][1] == {"inner": [{"deep": 1, "cache_control": {"type": "ephemeral"}}]}
    assert body["config"]["keep"] is kept["config"]["keep"]


def test_markers_go_back_to_where_they_stood() -> None:
    ephemeral = {"type": "ephemeral"}
    part = text(
        "x",
        wrapper={"role": "user"},
        value={"type": "tool_result", "content": [{"type": "text", "text": "x"}]},
        markers=(
            Marker(value=ephemeral),
            Marker(where=("content", 0), value=ephemeral),
            Marker(on_wrapper=True, key="cachePoint", value=1),
        ),
    )
    assert assemble({}, [part])["messages"] == [
        {
            "role": "user",
            "cachePoint": 1,
            "content": [
                {
                    "type": "tool_result",
                    "content": [{"type": "text", "text": "x", "cache_control": ephemeral}],
                    "cache_control": ephemeral,
                }
            ],
        }
    ]


def test_paths_follow_messages_slots_and_items() -> None:
    paths = [part.path for part in locate(CONVERSATION)]
    assert paths == [
        "messages[0].content",
        "messages[1].content[0]",
        "messages[1].tool_calls[0]",
        "messages[2].content[0]",
        "messages[2].content[1]",
    ]


def test_a_key_depends_on_all_that_precedes_and_on_nothing_else() -> None:
    links = follow(CONVERSATION, root("messages"))
    assert len({link.key for link in links}) == 5
    assert [link.parent for link in links] == [root("messages"), *(link.key for link in links[:-1])]
    changed = (replace(CONVERSATION[0], value={"type": "text", "text": "other"}), *CONVERSATION[1:])
    assert not {link.key for link in links} & {link.key for link in follow(changed, root("messages"))}
    grown = follow((*CONVERSATION, text("more", wrapper=USER)), root("messages"))
    assert grown[:5] == links


@pytest.mark.parametrize(
    "changes",
    [{"form": "item"}, {"markers": (Marker(value={"type": "ephemeral"}),)}, {"path": "elsewhere"}, {"text": "hello"}],
)
def test_keys_ignore_what_is_not_billed_content(changes: dict[str, object]) -> None:
    changed = (replace(CONVERSATION[0], **changes), *CONVERSATION[1:])  # type: ignore[arg-type]
    assert [link.key for link in follow(changed, b"p")] == [link.key for link in follow(CONVERSATION, b"p")]


@pytest.mark.parametrize("changes", [{"place": "input/content"}, {"wrapper": {"role": "system"}}, {"wrapper": None}])
def test_keys_tell_place_and_wrapper_apart(changes: dict[str, object]) -> None:
    changed = (replace(CONVERSATION[0], **changes), *CONVERSATION[1:])  # type: ignore[arg-type]
    assert follow(changed, b"p")[-1].key != follow(CONVERSATION, b"p")[-1].key


def test_volatile_parts_are_no_part_of_a_chain() -> None:
    billing = text("cch=abc", volatile=True, place="system")
    prompt = Prompt(system=(billing, text("be terse", place="system")))
    assert chains(prompt).system == follow(prompt.system[1:], root("system"))
    assert chains(Prompt(system=(billing,))).system_head == root("system")


def test_the_answer_continues_the_messages_and_a_base_replaces_the_root() -> None:
    said = text("hi", wrapper={"role": "assistant"})
    first = chains(Prompt(messages=CONVERSATION[:1]), [said])
    again = chains(Prompt(messages=(CONVERSATION[0], said)))
    assert first.answer_head == again.message_head
    onward = chains(Prompt(messages=(text("next", wrapper=USER),)), base=first.answer_head)
    assert onward.messages[0].parent == first.answer_head
    assert chains(Prompt(), base=b"b" * 16).message_head == b"b" * 16
    assert chains(Prompt()).tools_key == root("tools") != root("system")
    assert len(digest(b"")) == 16


def test_the_envelope_gives_back_what_the_chain_leaves_out() -> None:
    prompt = Prompt(
        system=(text("cch=1", volatile=True, place="system"), text("be terse", place="system")),
        messages=(text("hello", wrapper=USER, form="string"), text("bye", wrapper=USER, markers=(Marker(value=1),))),
        params={"model": "m"},
    )
    kept = envelope(prompt, {"system": ["item"], "messages": ["item", "item"]})
    assert [entry[:2] for entry in kept.volatile] == [("system", 0)]
    assert kept.forms == (("messages", 0, "string"),)
    assert kept.markers == (("messages", 1, Marker(value=1)),)
    stored = {
        "system": [StoredPart(place="system", form="item", value=prompt.system[1].value)],
        "messages": [
            StoredPart(place=part.place, form="item", wrapper=part.wrapper, value=part.value)
            for part in prompt.messages
        ],
    }
    assert assemble(prompt.params, restore(stored, kept)) == assemble(prompt.params, prompt.parts)


def test_deep_nesting_is_assembled() -> None:
    deep: list[object] = []
    for _ in range(3000):
        deep = [deep]
    body = assemble(
        {"metadata": deep}, [text("x", wrapper={"role": "user", "extra": deep}, value={"text": "x", "in": deep})]
    )
    assert canonical(body["metadata"]) == canonical(deep)
    assert (
        canonical(body["messages"][0]["extra"]) == canonical(body["messages"][0]["content"][0]["in"]) == canonical(deep)
    )
