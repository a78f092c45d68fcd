"""Laws of both OpenAI dialects: nothing is lost in carving (10), and a stream gives the same for any split (4)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.call import Prompt
from llmprof_addon.model.part import Json
from llmprof_addon.model.tree import assemble, follow
from llmprof_addon.providers import openai_chat, openai_responses
from llmprof_addon.providers.carving import MARKERS
from llmprof_addon.providers.openai_items import READERS
from llmprof_addon.wire import sse
from tests.factories import fixture_cases, fixture_exchange

DIALECTS = {"openai.chat": openai_chat, "openai.responses": openai_responses}

texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
markers = st.fixed_dictionaries({}, optional=dict.fromkeys(MARKERS, st.just({"type": "ephemeral"}) | anything))


def shape(required: dict[str, Json], **optional: Json) -> st.SearchStrategy[Json]:
    """Objects with these fields, some of the optional ones, some with a cache marker, in any key order."""
    held = st.fixed_dictionaries(required, optional=optional)
    both = st.tuples(held, markers).map(lambda pair: list({**pair[0], **pair[1]}.items()))
    return both.flatmap(st.permutations).map(dict)


def mostly(likely: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return likely | likely | likely | anything


blocks = mostly(
    shape({"type": st.sampled_from(["text", "input_text", "output_text"]), "text": mostly(texts)}, annotations=anything)
    | shape({"type": st.just("image_url"), "image_url": anything | shape({"url": texts}, detail=texts)})
    | shape({"type": st.just("input_image")}, image_url=mostly(texts), file_id=texts)
    | shape({"type": st.just("input_file")}, file_data=texts, filename=texts)
    | shape({"type": texts}, value=anything)
)
contents = mostly(texts | st.lists(blocks, max_size=3))
functions = mostly(shape({"name": texts, "arguments": mostly(texts)}))
calls = mostly(shape({"id": texts, "type": st.just("function"), "function": functions}))
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])
messages = mostly(
    shape(
        {"role": mostly(roles)},
        content=contents,
        name=texts,
        refusal=texts,
        tool_calls=mostly(st.lists(calls, max_size=2)),
        function_call=functions,
        tool_call_id=texts,
        reasoning=mostly(texts),
        reasoning_content=texts,
        reasoning_details=mostly(st.lists(blocks, max_size=2)),
        audio=anything,
        reasoning_opaque=anything,
    )
)
tools = mostly(
    shape({"type": st.just("function")}, function=mostly(shape({"name": texts}, parameters=anything)))
    | shape({"type": st.just("namespace"), "name": texts, "tools": mostly(st.lists(anything, max_size=2))})
    | shape({"type": texts}, name=texts)
)
chat_bodies = shape(
    {"messages": mostly(st.lists(messages, max_size=4))},
    tools=mostly(st.lists(tools, max_size=2)),
    functions=mostly(st.lists(anything, max_size=2)),
    response_format=mostly(shape({"type": st.just("json_schema")}, json_schema=anything)),
    other=anything,
)
fields = {
    key: mostly(texts) | contents for key in ("arguments", "output", "outputs", "summary", "content", "action", "tools")
}
items = mostly(
    shape({"role": mostly(roles)}, content=contents, type=st.just("message"), name=texts)
    | shape({"type": st.sampled_from(sorted(READERS))}, call_id=texts, name=texts, **fields)
)
response_bodies = shape(
    {"input": mostly(texts | st.lists(items, max_size=4))},
    tools=mostly(st.lists(tools, max_size=2)),
    instructions=mostly(texts) | st.lists(items, max_size=2),
    text=mostly(shape({}, format=shape({"type": st.just("json_schema")}, schema=anything), verbosity=texts)),
    previous_response_id=texts,
)


def check(body: Json, prompt: Prompt) -> None:
    again = assemble(prompt.params, prompt.parts)
    assert again == body
    # Not only equal by Python's word, for which 1 is True.
    assert json.dumps(again, sort_keys=True) == json.dumps(body, sort_keys=True)
    for part in prompt.parts:
        assert part.form != "item" or not isinstance(part.value, dict) or not part.value.keys() & set(MARKERS)


@settings(max_examples=80, deadline=None)
@given(chat_bodies)
def test_a_chat_body_is_put_together_again(body: Json) -> None:
    check(body, openai_chat.read_request(body))


@settings(max_examples=80, deadline=None)
@given(response_bodies)
def test_a_responses_body_is_put_together_again(body: Json) -> None:
    check(body, openai_responses.read_request(body))


@settings(max_examples=30, deadline=None)
@given(anything)
def test_no_body_makes_a_reader_fail(body: Json) -> None:
    for dialect in DIALECTS.values():
        prompt = dialect.read_request(body)
        assert assemble(prompt.params, prompt.parts) == body
        dialect.read_response(body)


@settings(max_examples=30, deadline=None)
@given(st.lists(messages, max_size=4), st.lists(items, max_size=4))
def test_no_answer_makes_a_reader_fail(chat: Json, output: Json) -> None:
    openai_chat.read_response({"choices": [{"message": message} for message in chat]})
    openai_responses.read_response({"output": output})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "error", "response.output_text.delta"]), anything), max_size=5))
def test_no_event_makes_a_fold_fail(held: list[tuple[str, Json]]) -> None:
    events = [sse.Event(name, json.dumps(data)) for name, data in held]
    chunks = [sse.Event(data=json.dumps({"choices": [{"delta": data}, data], "usage": data})) for _, data in held]
    typed = [sse.Event(data=json.dumps({"type": "response.content_part.added", "part": data})) for _, data in held]
    for dialect in DIALECTS.values():
        for stream in (events, chunks, typed):
            dialect.read_response(dialect.fold(stream))


@settings(max_examples=25, deadline=None)
@given(st.lists(messages, min_size=1, max_size=5), st.integers(0, 5))
def test_a_longer_conversation_extends_the_chain_of_the_shorter(history: list[Json], cut: int) -> None:
    shorter = follow(openai_chat.read_request({"messages": history[:cut]}).messages, b"")
    longer = follow(openai_chat.read_request({"messages": history}).messages, b"")
    assert [link.key for link in shorter] == [link.key for link in longer[: len(shorter)]]


STREAMS = [
    (api, case) for api in DIALECTS for case in fixture_cases(api) if fixture_exchange(api, case).transport == "sse"
]


@pytest.mark.parametrize(("api", "case"), STREAMS)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_any_split_of_a_stream_gives_the_same_answer(api: str, case: str, data: st.DataObject) -> None:
    body = fixture_exchange(api, case).response_body
    if data.draw(st.booleans(), label="CRLF"):
        body = body.replace(b"\n", b"\r\n")
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=12), label="cuts"))
    decoder = sse.SseDecoder()
    events: list[sse.Event] = []
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        events += decoder.feed(body[start:end])
    events += decoder.flush()
    dialect = DIALECTS[api]
    whole = dialect.fold(sse.parse(fixture_exchange(api, case).response_body))
    assert dialect.fold(events) == whole
    assert dialect.read_response(dialect.fold(events)) == dialect.read_response(whole)


@pytest.mark.parametrize(("api", "case"), STREAMS)
def test_a_stream_cut_anywhere_gives_a_prefix_of_its_texts(api: str, case: str) -> None:
    body = fixture_exchange(api, case).response_body
    dialect = DIALECTS[api]
    whole = said(dialect.read_response(dialect.fold(sse.parse(body))).parts)
    for end in range(0, len(body), max(1, len(body) // 60)):
        answer = dialect.read_response(dialect.fold(sse.parse(body[:end])))
        assert whole.startswith(said(answer.parts))
        assert not answer.warnings


def said(parts: tuple[Json, ...]) -> str:
    return "".join(part.text or "" for part in parts)
