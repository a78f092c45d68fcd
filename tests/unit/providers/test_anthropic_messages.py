import json

import pytest

from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.anthropic_messages import read_request
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_cases, fixture_exchange

DIALECT = "anthropic.messages"


def request_of(case: str):
    return json.loads(fixture_exchange(DIALECT, case).request_body)


def answer_of(case: str):
    exchange = fixture_exchange(DIALECT, case)
    return read_call(exchange, exchange.request_body, exchange.response_body).answer


def at(body, path: str):
    """The value at a JSON path like `messages[3].content[1]`."""
    for step in path.replace("[", ".").replace("]", "").split("."):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


def kinds(parts: tuple[Part, ...], section: str) -> list[tuple[str, str | None]]:
    return [(kind_of(part, section).value, part.name) for part in parts]


@pytest.mark.parametrize("case", fixture_cases(DIALECT))
def test_a_request_is_assembled_again(case: str) -> None:
    body = request_of(case)
    prompt = read_request(body)
    assert assemble(prompt.params, prompt.parts) == body
    assert body == request_of(case), "carving must not change the body"


@pytest.mark.parametrize("case", fixture_cases(DIALECT))
def test_paths_lead_to_the_blocks(case: str) -> None:
    body = request_of(case)
    for part in read_request(body).parts:
        found = at(body, part.path)
        if part.form == "string":
            assert found == part.text
        elif not part.markers:
            assert found == part.value


def test_a_coding_agent() -> None:
    prompt = read_request(request_of("coding_agent"))
    assert [part.volatile for part in prompt.system] == [True, False, False]
    assert [part.deferred for part in prompt.tools] == [False] * 5 + [True], "a tool that was searched for is loaded"
    assert prompt.tools[2].server == "tracker"
    assert kinds(prompt.messages, "messages") == [
        ("system_injection", None),
        ("user", None),
        ("system_injection", None),
        ("reasoning", None),
        ("assistant", None),
        ("tool_calls", "Bash"),
        ("tool_calls", "ToolSearch"),
        ("tool_results", "Bash"),
        ("tool_results", "ToolSearch"),
        ("system_injection", None),
    ]
    assert prompt.messages[3].hidden
    assert prompt.messages[8].inner[0].name == "NotebookEdit"


def test_moving_markers_strings_and_billing_blocks_do_not_move_the_chain() -> None:
    first = request_of("coding_agent")
    again = request_of("coding_agent")
    again["system"][0]["text"] = "x-anthropic-billing-header: cc_version=2.1.329.1; cc_entrypoint=cli; cch=zzzzz;"
    del again["system"][2]["cache_control"], again["messages"][3]["content"][2]["cache_control"]
    again["messages"][1]["content"] = [{"text": again["messages"][1]["content"], "type": "text"}]
    again["messages"][2]["content"][2] = dict(reversed(again["messages"][2]["content"][2].items()))
    one, two = chains(read_request(first)), chains(read_request(again))
    assert (one.system_head, one.tools_key, one.message_head) == (two.system_head, two.tools_key, two.message_head)
    assert json.dumps(assemble(read_request(again).params, read_request(again).parts)) != json.dumps(first)


def test_the_next_turn_runs_through_the_answer() -> None:
    exchange = fixture_exchange(DIALECT, "coding_agent")
    body = json.loads(exchange.request_body)
    answer = answer_of("coding_agent")
    turn = chains(read_request(body), answer.parts)
    body["messages"].append({"role": "assistant", "content": [part.value for part in answer.parts]})
    body["messages"].append({"role": "user", "content": "Go on."})
    keys = [link.key for link in chains(read_request(body)).messages]
    assert turn.answer_head in keys
    assert len(keys) == keys.index(turn.answer_head) + 2


def test_results_are_named_by_their_calls() -> None:
    prompt = read_request(request_of("tools"))
    calls, results = prompt.messages[2:4], prompt.messages[4:6]
    assert [part.name for part in results] == ["get_weather", "get_tides"]
    assert [part.call_id for part in calls] == [part.call_id for part in results]
    assert calls[0].text == '{"city":"Husum","unit":"celsius"}'
    assert results[0].text == "Wind south-west 4, gusts 6.\nVisibility good."
    assert results[0].markers[0].where == ("content", 1)
    assert results[1].text == "no data for this harbour"


def test_media() -> None:
    messages = read_request(request_of("images")).messages
    media = [part.media for part in messages if part.kind is PartKind.IMAGE]
    assert [(item.source, item.width, item.height) for item in media if item] == [
        ("inline", 30, 20),
        ("url", None, None),
        ("file", None, None),
    ]
    (inner,) = messages[-1].inner
    assert inner.media
    assert (inner.kind, inner.media.width, inner.media.height) == (PartKind.IMAGE, 64, 48)
    assert messages[-1].text == "Screen of the viewer:"


def test_documents() -> None:
    pdf, notice, blocks, found, question = read_request(request_of("documents")).messages
    assert pdf.media
    assert (pdf.media.type, pdf.text) == ("application/pdf", "Timetable")
    assert notice.text == "Notice\nPinned to the pier.\nThe ferry leaves at nine. It does not run in ice."
    assert blocks.text == "Tickets are sold on board."
    assert found.text == "Questions\nhttps://harbour.example/faq\nDogs travel free."
    assert {part.kind for part in (pdf, notice, blocks, found)} == {PartKind.DOCUMENT}
    assert question.kind is PartKind.TEXT


def test_an_output_schema_is_the_last_of_the_tools() -> None:
    body = request_of("structured_output")
    prompt = read_request(body)
    assert prompt.params["output_config"] == {"effort": "low"}
    (part,) = prompt.tools
    assert (part.kind, part.form, part.place) == (PartKind.OUTPUT_SCHEMA, "whole", "output_config.format")
    assert part.text == json.dumps(body["output_config"]["format"]["schema"], separators=(",", ":"))
    old = read_request(
        {"output_format": {"type": "json_schema", "schema": {}}, "tools": [{"name": "a"}], "messages": []}
    )
    assert [part.place for part in old.tools] == ["tools", "output_format"]


def test_tools_that_come_and_go() -> None:
    prompt = read_request(request_of("tool_changes"))
    added, removed = prompt.messages[3:5]
    assert (added.kind, added.name) == (PartKind.TOOL_SCHEMA, "book_berth")
    assert added.text
    assert added.text.startswith('{"name":"book_berth"')
    assert (removed.kind, removed.name, removed.text) == (PartKind.TOOL_SCHEMA, "get_weather", None)
    fetched, unknown = prompt.messages[6], prompt.messages[8]
    assert (fetched.name, fetched.inner[0].text) == ("web_fetch", "Harbour\nBerths are free in winter.")
    assert (unknown.kind, unknown.name) == (PartKind.GENERIC, "future_block")
    assert unknown.text == '{"type":"future_block","payload":{"depth":3}}'


def test_a_server_held_thread_goes_on_from_a_message() -> None:
    thread = {"type": "continue", "previous_message_id": "msg_9"}
    assert read_request({"thread": thread, "messages": []}).continues == "msg_9"
    assert read_request({"thread": {"type": "create"}, "messages": []}).continues is None


def test_leading_system_messages_belong_to_the_system() -> None:
    body = {
        "system": "S",
        "messages": [
            {"role": "system", "content": "a"},
            {"role": "system", "content": [{"type": "text", "text": "b"}]},
            {"role": "user", "content": "c"},
            {"role": "system", "content": "d"},
        ],
    }
    prompt = read_request(body)
    assert [part.text for part in prompt.system] == ["S", "a", "b"]
    assert [part.path for part in prompt.parts] == [
        "system",
        "messages[0].content",
        "messages[1].content[0]",
        "messages[2].content",
        "messages[3].content",
    ]
    assert assemble(prompt.params, prompt.parts) == body


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        None,
        7,
        {"messages": []},
        {"messages": None, "system": None, "tools": None},
        {"messages": {"role": "user"}, "system": {"text": "s"}, "tools": {"name": "t"}},
        {"messages": "just text", "system": 5, "tools": "none"},
        {"messages": ["text", 5, None, [], {}]},
        {
            "messages": [
                {"role": "user"},
                {"content": None},
                {"role": 3, "content": []},
                {"role": "user", "content": {"type": "text", "text": "x"}},
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        None,
                        "x",
                        5,
                        [],
                        {},
                        {"type": None},
                        {"type": ["text"]},
                        {"type": "text"},
                        {"type": "text", "text": 5},
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": kind}
                        for kind in (
                            "image",
                            "document",
                            "tool_use",
                            "tool_result",
                            "thinking",
                            "compaction",
                            "search_result",
                            "web_search_tool_result",
                            "tool_addition",
                            "mcp_tool_listing",
                            "tool_reference",
                        )
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "source": "x"},
                        {"type": "image", "source": {"type": "base64", "data": 5}},
                        {"type": "tool_result", "tool_use_id": ["x"], "content": [None, {"type": "text"}, "y"]},
                    ],
                }
            ]
        },
        {
            "messages": [{"role": "user", "content": "x", "cache_control": {"type": "ephemeral"}}],
            "system": [None, "x", {"cache_control": None}],
        },
        {
            "system": "",
            "messages": [{"role": "user", "content": ""}],
            "tools": [None, "x", {"cache_control": {}, "defer_loading": True}],
        },
        {
            "tools": [
                {"type": "mcp_toolset", "mcp_server_name": "s", "tools": [{"name": "a", "input_schema": {}}, None]}
            ],
            "output_config": {"format": None},
        },
        {"output_config": 5, "output_format": "json"},
    ],
)
def test_odd_shapes_are_kept(body) -> None:
    prompt = read_request(body)
    assert assemble(prompt.params, prompt.parts) == body
    chains(prompt)


def test_the_users_own_cache_control_is_no_marker() -> None:
    schema = {"type": "object", "properties": {"cache_control": {"type": "string"}}}
    body = {
        "tools": [{"name": "t", "input_schema": schema}],
        "messages": [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "1", "name": "t", "input": {"cache_control": "x"}}],
            }
        ],
    }
    prompt = read_request(body)
    assert not [part for part in prompt.parts if part.markers]
    assert "cache_control" in (prompt.tools[0].text or "")
    assert prompt.messages[0].text == '{"cache_control":"x"}'
