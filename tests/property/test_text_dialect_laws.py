"""Gemini, Ollama, Mistral, completions, embeddings: any body comes back as it was, and nothing makes a reader fail."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.part import Json, Part
from llmprof_addon.model.tree import assemble, follow
from llmprof_addon.providers.dialects import by_api
from llmprof_addon.providers.reader import read_call
from llmprof_addon.wire import sse
from tests.factories import fixture_cases, fixture_exchange

APIS = (
    *("gemini.generate_content", "ollama.chat", "ollama.generate"),
    *("openai.completions", "openai.embeddings", "mistral.chat"),
)
CASES = [(api, case) for api in APIS for case in fixture_cases(api)]
STREAMS = [(api, case) for api, case in CASES if "stream" in case or case == "code_assist"]
every_case = pytest.mark.parametrize(("api", "case"), CASES, ids=[f"{api}/{case}" for api, case in CASES])
every_stream = pytest.mark.parametrize(("api", "case"), STREAMS, ids=[f"{api}/{case}" for api, case in STREAMS])
every_api = pytest.mark.parametrize("api", APIS)

texts = st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def shape(**fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=fields)


def mostly(strategy: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(strategy, strategy, strategy, anything)


ids = st.lists(st.integers(0, 200_000), max_size=4)
media = shape(mimeType=st.sampled_from(["image/png", "text/plain", "audio/wav"]), data=mostly(texts), fileUri=texts)
called = shape(name=mostly(texts), args=anything, id=texts, response=anything, parts=st.lists(anything, max_size=2))
gemini_parts = mostly(
    st.one_of(
        shape(text=mostly(texts), thought=st.booleans(), thoughtSignature=mostly(texts)),
        shape(functionCall=mostly(called), thoughtSignature=texts),
        shape(function_response=mostly(called)),
        shape(inlineData=mostly(media), mediaResolution=anything) | shape(file_data=media),
        shape(executableCode=shape(code=mostly(texts))) | shape(codeExecutionResult=shape(output=mostly(texts))),
    )
)
content = mostly(
    shape(role=mostly(st.sampled_from(["user", "model"])), parts=mostly(st.lists(gemini_parts, max_size=3)))
)
gemini = shape(
    contents=mostly(st.lists(content, max_size=3)),
    systemInstruction=mostly(content | texts),
    system_instruction=mostly(content),
    tools=mostly(
        st.lists(mostly(shape(functionDeclarations=mostly(st.lists(called)), googleSearch=anything)), max_size=3)
    ),
    generationConfig=mostly(shape(responseSchema=anything, response_schema=anything, temperature=scalars)),
    cachedContent=mostly(texts),
)
ollama_message = mostly(
    shape(
        role=mostly(st.sampled_from(["system", "user", "assistant", "tool"])),
        content=mostly(texts),
        thinking=mostly(texts),
        images=mostly(st.lists(mostly(texts), max_size=2)),
        tool_calls=mostly(st.lists(mostly(shape(function=mostly(shape(name=texts, arguments=anything)))), max_size=2)),
        tool_name=mostly(texts),
    )
)
inputs = mostly(texts | ids | st.lists(mostly(texts | ids), max_size=3))
BODIES: dict[str, st.SearchStrategy[Json]] = {
    "gemini.generate_content": gemini | shape(request=gemini, model=texts),
    "ollama.chat": shape(messages=mostly(st.lists(ollama_message, max_size=3)), format=anything, tools=anything),
    "ollama.generate": shape(
        **{key: inputs for key in ("prompt", "system", "suffix", "context", "images")}, format=anything, raw=scalars
    ),
    "openai.completions": shape(prompt=inputs, suffix=inputs, echo=scalars, messages=st.just([])),
    "openai.embeddings": shape(input=inputs, model=texts),
    "mistral.chat": shape(prompt=inputs, suffix=texts) | shape(messages=anything),
}


@every_api
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_body_is_put_together_again(api: str, data: st.DataObject) -> None:
    dialect = by_api(api)
    assert dialect
    body = data.draw(BODIES[api] | anything, label="body")
    prompt = dialect.read_request(body)
    again = assemble(prompt.params, prompt.parts)
    assert again == body
    assert json.dumps(again, sort_keys=True) == json.dumps(body, sort_keys=True)


@every_api
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_answer_makes_a_reader_fail(api: str, data: st.DataObject) -> None:
    dialect = by_api(api)
    assert dialect
    chunk = st.one_of(
        anything,
        shape(
            candidates=mostly(st.lists(mostly(shape(content=content, index=scalars, finishReason=scalars)), max_size=2))
        ),
        shape(response=shape(candidates=anything), usageMetadata=anything, promptFeedback=anything),
        shape(message=ollama_message, response=anything, thinking=anything, context=anything, done=scalars),
        shape(
            choices=mostly(st.lists(mostly(shape(text=mostly(texts), index=scalars)))), data=anything, usage=anything
        ),
    )
    chunks = data.draw(st.lists(chunk, max_size=4), label="chunks")
    for body in chunks:
        dialect.read_response(body)
    folded = dialect.fold([sse.Event(data=json.dumps(each)) for each in chunks])
    answer = dialect.read_response(folded)
    dialect.read_request(assemble({}, answer.parts))


@every_case
def test_an_answer_is_read_again_as_it_was(api: str, case: str) -> None:
    """What the store keeps of an answer goes through `read_request`."""
    dialect, exchange = by_api(api), fixture_exchange(api, case)
    assert dialect
    parts = read_call(exchange, exchange.request_body, exchange.response_body).answer.parts
    again = dialect.read_request(assemble({}, parts)).parts
    assert again == parts
    assert [link.key for link in follow(again, b"")] == [link.key for link in follow(parts, b"")]


@every_stream
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_other_line_ends_make_the_same_call(api: str, case: str, data: st.DataObject) -> None:
    exchange = fixture_exchange(api, case)
    body = exchange.response_body
    lf = body.replace(b"\r\n", b"\n")
    ends = data.draw(st.sampled_from([b"\n", b"\r\n"]), label="line end")
    other = lf.replace(b"\n", ends)
    if not case.startswith("cut"):
        other = data.draw(st.sampled_from([other, other.rstrip(b"\r\n"), other + ends]), label="end")
    kind = data.draw(st.sampled_from(["", "text/plain", "application/json"]), label="content type")
    looks = replace(exchange, response_headers=(("content-type", kind),))
    first = read_call(exchange, exchange.request_body, body)
    again = read_call(looks, exchange.request_body, other)
    assert again.answer == first.answer
    assert again.stream == first.stream


@every_stream
def test_a_stream_cut_anywhere_gives_a_prefix_of_its_texts(api: str, case: str) -> None:
    exchange = fixture_exchange(api, case)
    body = exchange.response_body
    whole = said(read_call(exchange, exchange.request_body, body).answer.parts)
    for end in range(0, len(body), max(1, len(body) // 50)):
        call = read_call(exchange, exchange.request_body, body[:end])
        for choice, text in said(call.answer.parts).items():
            assert whole[choice].startswith(text)
        assert not call.warnings


def said(parts: tuple[Part, ...]) -> dict[str, str]:
    """The words of each choice."""
    choices: dict[str, str] = {}
    for part in parts:
        choice = part.path.partition("]")[0] if part.path.startswith(("choices", "candidates")) else ""
        choices[choice] = choices.get(choice, "") + (part.text or "")
    return choices


@settings(max_examples=25, deadline=None)
@given(st.lists(content, min_size=1, max_size=5), st.integers(0, 5))
def test_a_longer_conversation_extends_the_chain_of_the_shorter(history: list[Json], cut: int) -> None:
    dialect = by_api("gemini.generate_content")
    assert dialect
    shorter = follow(dialect.read_request({"contents": history[:cut]}).messages, b"")
    longer = follow(dialect.read_request({"contents": history}).messages, b"")
    assert [link.key for link in shorter] == [link.key for link in longer[: len(shorter)]]
