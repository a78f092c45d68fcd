import json

from llmprof_addon.model.part import Media, PartKind
from llmprof_addon.model.tree import assemble, follow, root
from llmprof_addon.providers.openai_chat import read_request, read_response
from tests.unit.providers.test_openai_fixtures import names, read

CALL = {"id": "c1", "type": "function", "function": {"name": "mcp__sea__depth", "arguments": '{"at":"pier"}'}}


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def test_leading_system_messages_are_the_system_chain_later_ones_are_not() -> None:
    messages = [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, user("c")]
    prompt = read_request({"messages": [*messages, {"role": "system", "content": "d"}]})
    assert [part.text for part in prompt.system] == ["a", "b"]
    assert [(part.role, part.text) for part in prompt.messages] == [("user", "c"), ("system", "d")]


def test_a_string_is_one_text_block() -> None:
    blocks = ("x", [{"type": "text", "text": "x"}], [{"text": "x", "type": "text"}])
    chains = [follow(read_request({"messages": [user(content)]}).messages, root("messages")) for content in blocks]
    assert {links[-1].key for links in chains} == {chains[0][-1].key}


def test_a_cache_marker_changes_no_chain_and_comes_back() -> None:
    marker = {"type": "ephemeral", "ttl": "1h"}
    plain = {"messages": [{"role": "system", "content": "s"}, user([{"type": "text", "text": "x"}])]}
    marked = {
        "messages": [
            {"role": "system", "content": "s", "cache_control": marker},
            user([{"type": "text", "text": "x", "cache_control": marker}]),
        ]
    }
    one, two = read_request(plain), read_request(marked)
    for section in ("system", "messages"):
        assert follow(getattr(one, section), b"")[-1].key == follow(getattr(two, section), b"")[-1].key
    assert [part.markers[0].ttl for part in two.parts] == ["1h", "1h"]
    assert assemble(two.params, two.parts) == marked


def test_results_are_named_by_the_call_that_they_answer() -> None:
    messages = [
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "4 m"},
        {"role": "tool", "tool_call_id": "c9", "content": "?"},
    ]
    call, result, other = read_request({"messages": messages}).messages
    assert (call.kind, call.name, call.server, call.text) == (
        PartKind.TOOL_CALL,
        "mcp__sea__depth",
        "sea",
        '{"at":"pier"}',
    )
    assert call.wrapper == {"role": "assistant", "content": ""}
    assert (result.kind, result.name, result.server, result.call_id) == (
        PartKind.TOOL_RESULT,
        "mcp__sea__depth",
        "sea",
        "c1",
    )
    assert (other.kind, other.name, other.call_id) == (PartKind.TOOL_RESULT, None, "c9")


def test_images_in_a_result_belong_to_its_tool() -> None:
    content = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://a.example/b"}}]
    messages = [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1", "content": content}]
    _, text, image = read_request({"messages": messages}).messages
    assert (text.kind, image.kind) == (PartKind.TOOL_RESULT, PartKind.IMAGE)
    assert (image.name, image.call_id, image.media) == ("mcp__sea__depth", "c1", Media(source="url"))


def test_reasoning_said_twice_is_one_part() -> None:
    details = [{"type": "reasoning.text", "text": "Hm."}]
    message = {"role": "assistant", "content": "Yes.", "reasoning": "Hm.", "reasoning_details": details}
    prompt = read_request({"messages": [message]})
    assert [(part.kind, part.text) for part in prompt.messages] == [
        (PartKind.REASONING, "Hm."),
        (PartKind.TEXT, "Yes."),
    ]
    assert prompt.messages[0].wrapper == {"role": "assistant", "reasoning": "Hm."}


def test_different_reasoning_is_kept_apart() -> None:
    message = {"role": "assistant", "content": "Yes.", "reasoning": "Long.", "reasoning_content": "Short."}
    texts = [part.text for part in read_request({"messages": [message]}).messages]
    assert texts == ["Short.", "Long.", "Yes."]


def test_tools_in_all_places() -> None:
    tool = {"type": "function", "function": {"name": "a", "defer_loading": True, "parameters": {}}}
    custom = {"type": "custom", "custom": {"name": "b"}}
    format_ = {"type": "json_schema", "json_schema": {"name": "d", "schema": {"type": "object"}}}
    body = {"tools": [tool, custom, {"type": "web_search"}], "functions": [{"name": "c"}], "response_format": format_}
    prompt = read_request(body)
    assert names(prompt.tools) == [
        "tool_schema:a",
        "tool_schema:b",
        "tool_schema:web_search",
        "tool_schema:c",
        "output_schema:d",
    ]
    assert [part.deferred for part in prompt.tools] == [True, False, False, False, False]
    assert prompt.tools[0].text == json.dumps(tool, separators=(",", ":"))
    assert assemble(prompt.params, prompt.parts) == body


def test_a_format_without_schema_is_a_parameter() -> None:
    prompt = read_request({"response_format": {"type": "json_object"}})
    assert (prompt.tools, prompt.params) == ((), {"response_format": {"type": "json_object"}})


def test_odd_shapes_are_kept() -> None:
    for body in (
        None,
        [],
        "text",
        {"messages": "hello"},
        {"messages": {"role": "user"}},
        {"messages": [None, 3, "x", [], {}]},
        {"messages": [{"role": "assistant"}, {"role": "user", "content": []}, {"role": 7, "content": {"a": 1}}]},
        {"messages": [user([None, "bare", {"type": "smell", "rose": 1}, {"type": 3}, {"type": "text", "text": 5}])]},
        {"messages": [{"role": "assistant", "tool_calls": ["x", {"type": "function"}, {"id": 1, "function": 2}]}]},
        {"messages": [user([{"type": "image_url"}, {"type": "input_audio"}, {"type": "file", "file": None}])]},
        {"tools": [1, {"type": "function"}, {}, {"function": "x"}], "messages": []},
        {"tools": {}, "functions": None, "response_format": {"type": "json_schema"}},
    ):
        prompt = read_request(body)
        assert assemble(prompt.params, prompt.parts) == body


def test_an_unknown_block_is_generic_with_its_json_as_text() -> None:
    (part,) = read_request({"messages": [user([{"type": "smell", "rose": 1}])]}).messages
    assert (part.kind, part.text) == (PartKind.GENERIC, '{"type":"smell","rose":1}')


def test_an_answer_is_what_clients_send_back() -> None:
    message = {"role": "assistant", "content": None, "refusal": None, "annotations": [], "tool_calls": [CALL]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}
    answer = read_response({"id": "r1", "model": "m", "choices": [choice], "usage": None})
    sent = read_request({"messages": [{"role": "assistant", "tool_calls": [CALL]}]}).messages
    assert answer.parts == sent
    assert [part.path for part in answer.parts] == ["choices[0].message.tool_calls[0]"]
    assert (answer.response_id, answer.response_model, answer.finish_reasons) == ("r1", "m", ("tool_calls",))
    assert answer.usage is None
    left = {key: value for key, value in message.items() if key != "tool_calls"}
    assert answer.rest == {"id": "r1", "model": "m", "choices": [{**choice, "message": left}], "usage": None}


def test_an_answer_without_a_message_has_no_parts() -> None:
    filtered = {"choices": [{"index": 0, "finish_reason": "content_filter"}]}
    answer = read_response(filtered)
    assert (answer.parts, answer.finish_reasons, answer.rest) == ((), ("content_filter",), filtered)


def test_odd_responses() -> None:
    for body in (None, [], "x", 3, {"choices": None}, {"choices": [None, {"message": 3}, {"message": {}}]}):
        assert read_response(body).parts == ()


def test_an_object_as_content_is_text() -> None:
    (part,) = read_response({"choices": [{"message": {"content": {"title": "Tides"}}}]}).parts
    assert (part.kind, part.role, part.text) == (PartKind.TEXT, "assistant", '{"title":"Tides"}')


def test_each_choice_is_a_message() -> None:
    _, _, answer = read("openai.chat", "two_choices")
    assert [(part.text, part.wrapper) for part in answer.parts] == [
        ("Teal", {"role": "assistant"}),
        ("Ochre", {"role": "assistant"}),
    ]
    assert answer.finish_reasons == ("stop", "stop")


def test_usage_and_tier_of_an_answer() -> None:
    _, prompt, answer = read("openai.chat", "plain")
    assert (answer.service_tier, prompt.params["service_tier"]) == ("flex", "flex")
    assert prompt.messages[0].name == "mira"
    _, _, answer = read("openai.chat", "agent_turn")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens) == (2310, 1890)
    assert answer.usage.cache_creation_input_tokens == 402
    assert answer.usage.raw["cost"] == 0.00312


def test_sound_and_documents() -> None:
    _, prompt, answer = read("openai.chat", "audio")
    assert names(prompt.messages) == ["text:", "audio:", "audio:", "document:score.pdf", "text:"]
    assert prompt.messages[3].media == Media(type="application/pdf", size_bytes=69)
    (sound,) = answer.parts
    assert (sound.kind, sound.text) == (PartKind.AUDIO, "Hm hm hm.")
    assert answer.usage is not None
    assert answer.usage.by_modality == (("input_audio", 40), ("output_audio", 46))
