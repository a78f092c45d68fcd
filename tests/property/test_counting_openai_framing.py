from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.counting.encodings import count
from llmprof_addon.counting.families import family
from llmprof_addon.counting.openai_framing import frame
from llmprof_addon.counting.openai_leaves import leaves
from llmprof_addon.counting.openai_tools import declaration, namespace, output_schema
from llmprof_addon.counting.raw import count_part
from llmprof_addon.model.call import Call
from llmprof_addon.providers import openai_chat, openai_responses

TEXT = st.text(max_size=40)
WORD = st.sampled_from(["alpha", "beta", "get_it", "x", "名"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
KEYWORDS = (
    "type properties items anyOf allOf $ref $defs title description enum default required additionalProperties format "
    "minimum pattern examples nullable const"
).split()
SCHEMA = st.recursive(
    JSON | st.fixed_dictionaries({"type": st.sampled_from(["string", "object", "array", "integer", "number"])}),
    lambda inner: st.dictionaries(
        st.sampled_from(KEYWORDS),
        inner | st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
        max_size=5,
    ),
    max_leaves=12,
)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": TEXT})
MODEL = st.sampled_from(["gpt-4o", "gpt-4", "gpt-5", "gpt-5.4", "o3"])
API = st.sampled_from(["openai.chat", "openai.responses"])


def counted(api, model, messages, tools):
    if api == "openai.chat":
        body = {"messages": messages, "tools": [{"type": "function", "function": tool} for tool in tools]}
        prompt = openai_chat.read_request(body)
    else:
        prompt = openai_responses.read_request(
            {"input": messages, "tools": [{"type": "function", **tool} for tool in tools]}
        )
    found = family(api, model, "openai")
    call = Call(provider="openai", api=api, request_model=model, prompt=prompt)
    raws = [count_part(part, found.encoding) for part in prompt.parts]
    return tuple(leaves(prompt, raws, found, frame(call, raws, found))), found.encoding, prompt


@settings(max_examples=80, deadline=None)
@given(SCHEMA)
def test_any_schema_renders(schema):
    for tool in (
        {"name": "f", "parameters": {"properties": {"a": schema}}},
        {"name": "f", "parameters": schema},
        schema,
    ):
        assert declaration(tool).endswith(" => any;")
    assert isinstance(output_schema(schema), str)


@settings(max_examples=50, deadline=None)
@given(API, MODEL, st.lists(MESSAGE, max_size=4), st.lists(st.tuples(WORD, TEXT), max_size=3))
def test_every_part_has_one_leaf_and_none_is_negative(api, model, messages, named):
    tools = [{"name": name, "description": text} for name, text in named]
    found, _, prompt = counted(api, model, messages, tools)
    assert [leaf.part for leaf in found if leaf.part is not None] == list(range(len(prompt.parts)))
    assert all(leaf.tokens >= 0 for leaf in found)


@settings(max_examples=50, deadline=None)
@given(API, MODEL, st.lists(MESSAGE, min_size=1, max_size=4), TEXT)
def test_one_more_message_costs_its_text_and_four(api, model, messages, text):
    before, encoding, _ = counted(api, model, messages, [])
    after, _, _ = counted(api, model, [*messages, {"role": "user", "content": text}], [])
    assert sum(leaf.tokens for leaf in after) - sum(leaf.tokens for leaf in before) == 4 + count(text, encoding)


@settings(max_examples=50, deadline=None)
@given(MODEL, st.lists(st.tuples(WORD, TEXT, SCHEMA), min_size=1, max_size=4))
def test_tools_cost_what_they_cost_as_one_text(model, described):
    tools = [{"name": a, "description": b, "parameters": {"properties": {"p": c}}} for a, b, c in described]
    message = [{"role": "user", "content": "hi"}]
    constant = sum(leaf.tokens for leaf in counted("openai.responses", model, message, [{"name": "f"}])[0])
    found, encoding, _ = counted("openai.responses", model, message, tools)
    difference = sum(leaf.tokens for leaf in found) - constant
    assert difference == count(namespace(tools), encoding) - count(namespace([{"name": "f"}]), encoding)
