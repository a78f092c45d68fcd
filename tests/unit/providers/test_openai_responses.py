from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble, follow, root
from llmprof_addon.providers.openai_responses import read_request, read_response
from tests.unit.providers.test_openai_fixtures import names, read

TOOL = {"type": "function", "name": "a", "parameters": {}}


def test_a_string_as_input_is_one_user_message() -> None:
    inputs = (
        "x",
        [{"role": "user", "content": "x"}],
        [{"role": "user", "content": [{"text": "x", "type": "input_text"}]}],
    )
    keys = set()
    for given in inputs:
        prompt = read_request({"input": given})
        assert assemble(prompt.params, prompt.parts) == {"input": given}
        keys.add(follow(prompt.messages, root("messages"))[-1].key)
    assert len(keys) == 1


def test_instructions_leading_messages_and_leading_tools_are_the_system_chain() -> None:
    body = {
        "instructions": "i",
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [TOOL]},
            {"role": "developer", "content": "d"},
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
            {"role": "user", "content": "u"},
            {"role": "system", "content": "late"},
            {"type": "additional_tools", "role": "developer", "tools": [TOOL]},
        ],
    }
    prompt = read_request(body)
    assert [(part.path, part.text) for part in prompt.system] == [
        ("instructions", "i"),
        ("input[0]", None),
        ("input[1].content", "d"),
        ("input[2].content[0]", "s"),
    ]
    assert [part.path for part in prompt.messages] == ["input[3].content", "input[4].content", "input[5]"]
    assert assemble(prompt.params, prompt.parts) == body


def test_instructions_as_items() -> None:
    body = {"instructions": [{"role": "developer", "content": "d"}], "input": "u"}
    prompt = read_request(body)
    assert [(part.role, part.text) for part in prompt.system] == [("developer", "d")]
    assert assemble(prompt.params, prompt.parts) == body


def test_namespaces_hold_their_tools() -> None:
    _, prompt, _ = read("openai.responses", "codex_lite")
    (tools,) = (part for part in prompt.system if part.kind is PartKind.TOOL_SCHEMA)
    functions, harbour = tools.inner
    assert tools.text is None
    assert functions.text == '{"type":"namespace","name":"functions","description":"What runs on this machine."}'
    assert [(tool.name, tool.server, tool.deferred) for tool in (*functions.inner, *harbour.inner)] == [
        ("exec", "functions", False),
        ("wait", "functions", False),
        ("tide_table", "harbour", True),
    ]


def test_tools_that_arrive_in_the_conversation() -> None:
    _, prompt, answer = read("openai.responses", "tool_search")
    found = prompt.messages[-1]
    assert (found.kind, found.name, [tool.name for tool in found.inner]) == (
        PartKind.TOOL_SCHEMA,
        "tool_search_output",
        ["book_berth"],
    )
    assert [tool.deferred for tool in prompt.tools[1].inner] == [True]
    assert [(part.name, part.server) for part in answer.parts] == [("book_berth", "harbour")]


def test_the_schema_is_carved_out_of_the_text_options() -> None:
    _, prompt, answer = read("openai.responses", "structured_incomplete")
    assert names(prompt.tools) == ["output_schema:book"]
    assert prompt.params["text"] == {"verbosity": "low"}
    assert prompt.tools[0].path == "text.format"
    assert answer.finish_reasons == ("max_output_tokens",)
    assert [(part.kind, part.text) for part in answer.parts] == [(PartKind.REASONING, "Looking for a long book.")]
    format_ = {"text": {"format": {"type": "text"}}}
    assert read_request(format_).params == format_


def test_every_known_item() -> None:
    _, prompt, _ = read("openai.responses", "hosted_tools_sent_back")
    assert [f"{part.kind}:{part.name or ''}:{part.server or ''}" for part in prompt.messages] == [
        "text::",
        "tool_call:web_search:",
        "tool_call:file_search:",
        "tool_call:code_interpreter:",
        "tool_schema:mcp_list_tools:harbour",
        "tool_call:tide_table:harbour",
        "tool_call:book_berth:harbour",
        "tool_result:book_berth:harbour",
        "generic:item_reference:",
        "generic:compaction:",
        "tool_call:local_shell:",
        "tool_result:local_shell:",
        "tool_call:computer:",
        "tool_result:computer:",
        "tool_call:shell:",
        "tool_result:shell:",
        "tool_call:apply_patch:",
        "tool_result:apply_patch:",
        "tool_call:look:harbour",
        "tool_result:look:harbour",
        "generic::",
        "text::",
    ]
    by_path = {part.path: part for part in prompt.messages}
    assert [part.hidden for part in (by_path["input[8]"], by_path["input[9]"])] == [True, True]
    assert by_path["input[3]"].text == "print(6*7)"
    assert [part.text for part in by_path["input[3]"].inner] == ["42\n"]
    assert [(part.kind, part.media and part.media.width) for part in by_path["input[13]"].inner] == [
        (PartKind.IMAGE, 96)
    ]
    assert (by_path["input[19]"].text, by_path["input[19]"].inner[0].kind) == ("a boat", PartKind.IMAGE)
    assert by_path["input[15]"].text is not None
    assert '"Fri\\n"' in by_path["input[15]"].text


def test_hosted_tools_are_counted_and_carry_their_results() -> None:
    _, prompt, answer = read("openai.responses", "hosted_tools")
    assert names(prompt.tools) == [
        "tool_schema:web_search",
        "tool_schema:file_search",
        "tool_schema:code_interpreter",
        "tool_schema:mcp",
        "tool_schema:image_generation",
    ]
    assert prompt.tools[3].server == "harbour"
    assert answer.usage is not None
    assert answer.usage.server_tool_requests == (("web_search", 1), ("file_search", 1))
    assert [[inner.text for inner in part.inner] for part in answer.parts[1:6]] == [
        ["Moor only on the east wall."],
        ["42\n"],
        [answer.parts[3].inner[0].text],
        ["low 06:12"],
        [None],
    ]


def test_opening_a_page_is_no_billed_search() -> None:
    output = [{"type": "web_search_call", "action": {"type": kind}} for kind in ("search", "open_page", "find")]
    answer = read_response({"output": output, "usage": {"input_tokens": 1}})
    assert answer.usage is not None
    assert answer.usage.server_tool_requests == (("web_search", 1),)


def test_an_answer_is_what_most_clients_send_back() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    block = {"type": "output_text", "text": "hi"}
    output = [
        {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x", "status": None},
        {
            "type": "message",
            "id": "m",
            "status": "completed",
            "role": "assistant",
            "phase": "final",
            "content": [{**block, "annotations": [{"type": "url_citation"}], "logprobs": []}],
        },
        {**call, "id": "fc", "status": "completed"},
    ]
    answer = read_response({"id": "r", "output": output, "tools": [TOOL], "status": "completed"})
    sent = read_request(
        {
            "input": [
                {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"},
                {"role": "assistant", "content": [block]},
                call,
            ]
        }
    )
    assert answer.parts == sent.messages
    assert [part.path for part in answer.parts] == ["output[0]", "output[1].content[0]", "output[2]"]
    assert answer.parts[0].hidden
    assert answer.rest == {
        "id": "r",
        "status": "completed",
        "output": [
            {"id": "rs", "status": None},
            {
                "id": "m",
                "type": "message",
                "status": "completed",
                "phase": "final",
                "content": [{"type": "output_text", "annotations": [{"type": "url_citation"}], "logprobs": []}],
            },
            {"id": "fc", "status": "completed"},
        ],
    }


def test_a_call_that_continues_another() -> None:
    _, prompt, answer = read("openai.responses", "continued")
    assert prompt.continues == "resp_t2"
    assert prompt.params["previous_response_id"] == "resp_t2"
    assert answer.rest["prompt_cache_diagnostics"]["reason"] == "input_changed"
    assert answer.usage is not None
    assert answer.usage.cache_creation_input_tokens == 256


def test_a_function_turn() -> None:
    _, prompt, answer = read("openai.responses", "function_turn")
    assert [(part.kind, part.name, part.server, part.text) for part in prompt.messages[1:3]] == [
        (PartKind.TOOL_CALL, "mcp__harbour__tide_table", "harbour", '{"day":"today"}'),
        (PartKind.TOOL_RESULT, "mcp__harbour__tide_table", "harbour", '{"low":["06:12"]}'),
    ]
    assert [part.text for part in answer.parts] == ["Low water is at 06:12."]


def test_odd_shapes_are_kept() -> None:
    for body in (
        None,
        [],
        "text",
        {"input": 3, "instructions": 4},
        {"input": {}, "instructions": [], "tools": {}, "text": "x"},
        {"input": [None, 3, "x", [], {}, {"id": "r"}, {"role": "user"}, {"role": 3, "content": {"a": 1}}]},
        {"input": [{"type": 5}, {"type": "function_call"}, {"type": "function_call_output", "output": [1, {}]}]},
        {"input": [{"type": "reasoning", "summary": "x"}, {"type": "additional_tools", "tools": [1]}]},
        {"input": [{"type": "mcp_call", "output": {"a": 1}, "error": [1]}, {"type": "mcp_approval_response"}]},
        {"input": [{"type": "file_search_call", "results": [None, {"no": 1}]}, {"type": "message", "content": ""}]},
        {"input": [{"type": "code_interpreter_call", "outputs": [{"type": "image", "url": "data:,"}]}]},
        {"input": [{"role": "user", "content": "x", "cache_control": {"type": "ephemeral"}}]},
        {"text": {"format": {"type": "json_schema"}}},
    ):
        prompt = read_request(body)
        assert assemble(prompt.params, prompt.parts) == body


def test_odd_responses() -> None:
    for body in (None, [], "x", {"output": 3}, {"output": []}, {"output": [{"type": "message", "content": None}]}):
        assert read_response(body).parts == ()
    assert [part.kind for part in read_response({"output": [None, {"type": "smoke"}]}).parts] == [PartKind.GENERIC] * 2
