"""Laws of Bedrock's, Cohere's and the smaller dialects: nothing is lost in carving (10), no input makes a reader fail,
and a stream gives the same for any split, framed or cut (4)."""

import json
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.dialects import Dialect, by_api
from llmprof_addon.wire import framing, sse
from llmprof_addon.wire.eventstream import EventStreamDecoder
from tests.factories import aws_message, fixture_cases, fixture_exchange

APIS = (
    "bedrock.converse",
    "bedrock.invoke",
    "cohere.chat",
    "cohere.generate",
    "cohere.embed",
    "gemini.embed",
    "anthropic.complete",
    "openai.images",
    "openai.assistants",
)
every_api = pytest.mark.parametrize("api", APIS)

texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def dialect_of(api: str) -> Dialect:
    dialect = by_api(api)
    assert dialect is not None
    return dialect


def mostly(likely: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return likely | likely | likely | anything


def shape(required: dict[str, Json], **optional: Json) -> st.SearchStrategy[Json]:
    """Objects with these fields and some of the optional ones, in any key order."""
    held = st.fixed_dictionaries(required, optional=optional).map(lambda value: list(value.items()))
    return held.flatmap(st.permutations).map(dict)


ids = st.sampled_from(["call_1", "call_2"])
source = mostly(shape({}, bytes=texts, text=texts, content=mostly(st.lists(shape({"text": texts}), max_size=2))))
media = mostly(shape({"source": source}, format=texts, name=texts, context=texts))
converse_block = mostly(
    shape({"text": mostly(texts)})
    | shape({"toolUse": mostly(shape({"toolUseId": ids, "name": texts, "input": anything}, type=texts))})
    | shape({"toolResult": mostly(shape({"toolUseId": ids}, content=mostly(st.lists(anything)), status=texts))})
    | shape({"reasoningContent": mostly(shape({}, reasoningText=anything, redactedContent=texts))})
    | st.sampled_from(["image", "document", "video", "audio"]).flatmap(lambda kind: shape({kind: media}))
    | shape({"cachePoint": mostly(shape({"type": texts}, ttl=texts))})
    | shape({"guardContent": mostly(shape({}, text=mostly(shape({"text": texts})), image=media))})
    | shape({"citationsContent": anything})
)
converse = shape(
    {"messages": mostly(st.lists(mostly(shape({"role": texts}, content=mostly(st.lists(converse_block))))))},
    system=mostly(st.lists(converse_block, max_size=3)),
    toolConfig=mostly(shape({}, tools=mostly(st.lists(mostly(shape({}, toolSpec=anything, cachePoint=anything)))))),
    outputConfig=mostly(shape({}, textFormat=mostly(shape({}, structure=mostly(shape({}, jsonSchema=anything)))))),
)
typed_block = mostly(
    shape({"type": st.sampled_from(["text", "thinking"])}, text=texts, thinking=texts)
    | shape({"type": st.just("image_url"), "image_url": mostly(shape({"url": texts}))})
    | shape({"type": st.just("document"), "document": anything})
)
cohere_call = mostly(shape({"id": ids, "function": mostly(shape({"name": texts, "arguments": texts}))}))
cohere_message = mostly(
    shape(
        {"role": mostly(st.sampled_from(["system", "user", "assistant", "tool"]))},
        content=mostly(texts | st.lists(typed_block, max_size=3)),
        tool_plan=mostly(texts),
        tool_calls=mostly(st.lists(cohere_call, max_size=2)),
        tool_call_id=ids,
    )
)
cohere_v1_turn = mostly(
    shape(
        {"role": mostly(st.sampled_from(["SYSTEM", "USER", "CHATBOT", "TOOL"]))},
        message=mostly(texts),
        tool_calls=mostly(st.lists(anything, max_size=2)),
        tool_results=mostly(st.lists(anything, max_size=2)),
    )
)
cohere = shape(
    {"messages": mostly(st.lists(cohere_message, max_size=4))},
    tools=mostly(st.lists(anything, max_size=2)),
    documents=mostly(st.lists(anything, max_size=2)),
    response_format=mostly(shape({}, json_schema=anything)),
) | shape(
    {"message": mostly(texts)},
    chat_history=mostly(st.lists(cohere_v1_turn, max_size=3)),
    preamble=mostly(texts),
    tools=mostly(st.lists(anything, max_size=2)),
    documents=mostly(st.lists(anything, max_size=2)),
    tool_results=mostly(st.lists(anything, max_size=2)),
)
others = shape(
    {},
    prompt=mostly(texts),
    inputText=mostly(texts),
    texts=mostly(st.lists(texts)),
    images=mostly(st.lists(anything)),
    requests=mostly(st.lists(anything)),
    content=anything,
    instructions=mostly(texts),
    additional_messages=mostly(st.lists(cohere_message, max_size=2)),
    tool_outputs=mostly(st.lists(anything, max_size=2)),
    anthropic_version=texts,
    inferenceConfig=anything,
)
bodies = converse | cohere | others | anything


def check(body: Json, prompt: Prompt) -> None:
    sent = json.dumps(body, sort_keys=True)
    assert json.dumps(assemble(prompt.params, prompt.parts), sort_keys=True) == sent
    assert all(part.path or not part.place for part in prompt.parts)
    chains(prompt)


@every_api
@given(body=bodies)
@settings(max_examples=30, deadline=None)
def test_a_body_is_put_together_again(api: str, body: Json) -> None:
    before = json.dumps(body)
    check(body, dialect_of(api).read_request(body))
    assert json.dumps(body) == before, "carving must not change the body"


@given(body=converse)
@settings(max_examples=50, deadline=None)
def test_a_converse_body_is_put_together_again(body: Json) -> None:
    check(body, dialect_of("bedrock.converse").read_request(body))


@given(body=cohere)
@settings(max_examples=50, deadline=None)
def test_a_cohere_body_is_put_together_again(body: Json) -> None:
    check(body, dialect_of("cohere.chat").read_request(body))


keys = st.sampled_from(
    "message content output usage meta results outputs generations completions generation completion choices data text "
    "stopReason generation_id tool_calls required_action embeddings error billed_units tokens type "
    "amazon-bedrock-invocationMetrics usageMetadata token_count".split()
)
answers = st.recursive(
    scalars | converse_block | cohere_message,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)


@every_api
@given(body=answers)
@settings(max_examples=40, deadline=None)
def test_no_answer_makes_a_reader_fail(api: str, body: Json) -> None:
    assert isinstance(dialect_of(api).read_response(body), Answer)


names = st.sampled_from(
    "messageStart contentBlockStart contentBlockDelta messageStop metadata chunk throttlingException message "
    "thread.run.completed thread.message.completed error".split()
)
deltas = st.dictionaries(
    st.sampled_from(
        "delta start contentBlockIndex index message type event_type text response finish_reason content tool_calls "
        "tool_plan citations reasoningContent toolUse input id usage object bytes generation outputText".split()
    ),
    anything
    | st.sampled_from(["message-end", "text-generation", "stream-end", "thread.run"])
    | st.dictionaries(st.sampled_from(["message", "text", "toolUse", "content", "function"]), anything, max_size=2),
    max_size=5,
)


@every_api
@given(held=st.lists(st.tuples(names, deltas | anything), max_size=5))
@settings(max_examples=30, deadline=None)
def test_no_event_makes_a_fold_fail(api: str, held: list[tuple[str, Json]]) -> None:
    plain = [sse.Event(name, json.dumps(data)) for name, data in held]
    wrapped = [
        sse.Event("chunk", json.dumps({"bytes": b64encode(json.dumps(data).encode()).decode()})) for _, data in held
    ]
    dialect = dialect_of(api)
    for stream in (plain, wrapped):
        assert isinstance(dialect.read_response(dialect.fold(stream)), Answer)


def frame_of(api: str, case: str) -> framing.Frame | None:
    exchange = fixture_exchange(api, case)
    return framing.frame_of(exchange.response_body, exchange.response_header("content-type"))


STREAMS = [(api, case) for api in APIS for case in fixture_cases(api) if frame_of(api, case)]


@pytest.mark.parametrize(("api", "case"), [stream for stream in STREAMS if frame_of(*stream) != "lines"])
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_any_split_of_a_stream_gives_the_same_answer(api: str, case: str, data: st.DataObject) -> None:
    body = fixture_exchange(api, case).response_body
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=12), label="cuts"))
    chunks = [body[start:end] for start, end in pairwise([0, *cuts, len(body)])]
    frame = frame_of(api, case)
    assert frame is not None
    decoder = EventStreamDecoder() if frame == "aws" else sse.SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.flush()
    dialect = dialect_of(api)
    assert dialect.fold(events) == dialect.fold(framing.events(body, frame))


@pytest.mark.parametrize(("api", "case"), STREAMS)
def test_a_stream_cut_anywhere_gives_a_prefix_of_its_texts(api: str, case: str) -> None:
    body = fixture_exchange(api, case).response_body
    frame = frame_of(api, case)
    assert frame is not None
    dialect = dialect_of(api)
    whole = said(dialect.read_response(dialect.fold(framing.events(body, frame))))
    for end in range(0, len(body), max(1, len(body) // 60)):
        answer = dialect.read_response(dialect.fold(framing.events(body[:end], frame)))
        assert whole.startswith(said(answer)), end


def said(answer: Answer) -> str:
    """Arguments of tools are JSON only as a whole."""
    return "".join(part.text or "" for part in answer.parts if part.kind is not PartKind.TOOL_CALL)


@given(texts, st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_a_converse_text_in_any_pieces_is_one_block(text: str, pieces: int) -> None:
    step = max(1, len(text) // pieces)
    stream = b"".join(
        aws_message("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text[at : at + step]}})
        for at in range(0, len(text) or 1, step)
    )
    dialect = dialect_of("bedrock.converse")
    assert said(dialect.read_response(dialect.fold(framing.events(stream, "aws")))) == text
