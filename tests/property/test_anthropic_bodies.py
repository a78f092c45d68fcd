"""Laws of the Messages dialect: a carved body is assembled again, a stream gives what the whole body gives."""

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.anthropic_messages import fold, read_request, read_response, read_usage
from llmprof_addon.providers.anthropic_stream import merge_usage
from llmprof_addon.wire import sse

scalars = st.none() | st.booleans() | st.integers(-3, 10**6) | st.text(max_size=12)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
marker = st.fixed_dictionaries({"type": st.just("ephemeral")}, optional={"ttl": st.sampled_from(["5m", "1h"])})
words = st.text(max_size=40)
ids = st.sampled_from(["toolu_1", "toolu_2", "toolu_3"])


def block(kind: str, required: dict[str, st.SearchStrategy], optional: dict[str, st.SearchStrategy] | None = None):
    fields = {"type": st.just(kind), **required}
    return st.fixed_dictionaries(fields, optional={"cache_control": marker, **(optional or {})})


text_block = block("text", {"text": words}, {"citations": st.none() | st.lists(anything, max_size=1)})
image_block = block("image", {"source": st.fixed_dictionaries({"type": st.just("base64"), "data": words})})
document_block = block(
    "document",
    {"source": st.fixed_dictionaries({"type": st.just("content"), "content": st.lists(text_block, max_size=2)})},
    {"title": words},
)
reference_block = block("tool_reference", {"tool_name": words})
odd_block = st.dictionaries(st.sampled_from(["type", "text", "content", "source", "tool"]), anything, max_size=4)
inner_blocks = st.lists(text_block | image_block | document_block | reference_block | odd_block, max_size=3)
tool_use = block("tool_use", {"id": ids, "name": words, "input": st.dictionaries(words, scalars, max_size=3)})
tool_result = block("tool_result", {"tool_use_id": ids, "content": words | inner_blocks | st.none()})
thinking = block("thinking", {"thinking": words, "signature": words})
blocks = st.lists(
    text_block | image_block | document_block | tool_use | tool_result | thinking | odd_block | anything, max_size=4
)
message = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": words | blocks}, optional={"clear_at": words}
)
tool = st.fixed_dictionaries(
    {"name": words, "input_schema": st.dictionaries(words, anything, max_size=2)},
    optional={"cache_control": marker, "defer_loading": st.booleans()},
)
request = st.fixed_dictionaries(
    {"messages": st.lists(message | anything, max_size=5)},
    optional={
        "system": words | blocks | anything,
        "tools": st.lists(tool | anything, max_size=3) | anything,
        "output_config": st.fixed_dictionaries({}, optional={"format": anything, "effort": words}),
        "output_format": anything,
        "cache_control": marker,
        "thread": anything,
        "model": words,
    },
)


@given(request)
@settings(max_examples=100, deadline=None)
def test_a_request_is_assembled_again(body) -> None:
    sent = json.dumps(body)
    prompt = read_request(body)
    assert assemble(prompt.params, prompt.parts) == json.loads(sent)
    assert json.dumps(body) == sent, "carving must not change the body"
    chains(prompt)


@given(anything)
def test_anything_is_assembled_again(body) -> None:
    prompt = read_request(body)
    assert assemble(prompt.params, prompt.parts) == body
    read_response(body)


@given(request)
@settings(deadline=None)
def test_markers_and_strings_do_not_move_the_chain(body) -> None:
    """The same conversation without cache markers and with text blocks for strings is the same path in the tree."""
    messages = body["messages"] = [item for item in body["messages"] if isinstance(item, dict) and "role" in item]
    before = chains(read_request(body)).message_head
    for item in messages:
        if isinstance(item.get("content"), str):
            item["content"] = [{"text": item["content"], "type": "text", "cache_control": {"type": "ephemeral"}}]
        elif isinstance(item.get("content"), list):
            for each in item["content"]:
                if isinstance(each, dict):
                    each.pop("cache_control", None)
    assert chains(read_request(body)).message_head == before


def split(text: str, cuts: list[int]) -> list[str]:
    points = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in itertools.pairwise(points)]


def stream_of(body, cuts: list[int]) -> bytes:
    """The stream that gives this body, its texts cut anywhere."""
    usage = dict(body["usage"])
    final = {"output_tokens": usage.pop("output_tokens")}
    head = {**body, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events = [{"type": "message_start", "message": head}, {"type": "ping"}]
    for index, item in enumerate(body["content"]):
        first, deltas = dict(item), []
        for key, kind, delta_key in (
            ("text", "text_delta", "text"),
            ("thinking", "thinking_delta", "thinking"),
            ("signature", "signature_delta", "signature"),
        ):
            if key in item:
                first[key] = ""
                deltas += [{"type": kind, delta_key: piece} for piece in split(item[key], cuts)]
        if "input" in item:
            first["input"] = {}
            pieces = split(json.dumps(item["input"]), cuts)
            deltas += [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        events.append({"type": "content_block_start", "index": index, "content_block": first})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": body["stop_reason"]}, "usage": final})
    events.append({"type": "message_stop"})
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


plain_text = st.fixed_dictionaries({"type": st.just("text"), "text": words})
plain_use = st.fixed_dictionaries(
    {"type": st.just("tool_use"), "id": ids, "name": words, "input": st.dictionaries(words, scalars, max_size=3)}
)
plain_thinking = st.fixed_dictionaries({"type": st.just("thinking"), "thinking": words, "signature": words})
answer = st.fixed_dictionaries(
    {
        "id": st.just("msg_1"),
        "type": st.just("message"),
        "role": st.just("assistant"),
        "content": st.lists(plain_text | plain_use | plain_thinking, max_size=4),
        "stop_reason": st.just("end_turn"),
        "usage": st.fixed_dictionaries(
            {"input_tokens": st.integers(0, 99), "output_tokens": st.integers(0, 99)},
            optional={
                "cache_read_input_tokens": st.integers(0, 99),
                "cache_creation_input_tokens": st.integers(0, 99),
            },
        ),
    }
)


@given(answer, st.lists(st.integers(0, 200), max_size=6))
@settings(deadline=None)
def test_a_stream_gives_what_the_whole_body_gives(body, cuts) -> None:
    assert fold(sse.parse(stream_of(body, cuts))) == body


@given(answer, st.lists(st.integers(0, 200), max_size=4), st.integers(0, 5000))
@settings(deadline=None)
def test_a_cut_stream_gives_a_part_of_the_answer(body, cuts, end) -> None:
    whole = stream_of(body, cuts)
    parts = read_response(fold(sse.parse(whole[: end % (len(whole) + 1)]))).parts
    assert len(parts) <= len(body["content"])
    for part, item in zip(parts, body["content"], strict=False):
        assert part.value["type"] == item["type"]
        if "text" in item:
            assert item["text"].startswith(part.text or "")


counters = st.none() | st.integers(-1, 10**6)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "input_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
                "output_tokens",
                "cache_creation",
            ]
        ),
        counters
        | st.fixed_dictionaries({"ephemeral_5m_input_tokens": counters, "ephemeral_1h_input_tokens": counters}),
    )
)
def test_parts_of_usage_never_exceed_their_totals(raw) -> None:
    usage = read_usage(raw)
    assert usage is not None
    read, write = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    split_sum = (usage.cache_creation_5m_input_tokens or 0) + (usage.cache_creation_1h_input_tokens or 0)
    assert split_sum <= write
    assert usage.input_tokens is None or read + write <= usage.input_tokens
    assert usage.input_tokens is not None or (read, write, split_sum) == (0, 0, 0)


@given(st.dictionaries(st.text(max_size=3), counters), st.dictionaries(st.text(max_size=3), counters))
def test_merging_usage_loses_no_number(old, new) -> None:
    merged = merge_usage(old, new)
    for key, value in {**old, **new}.items():
        assert key in merged or value is None
    for key, value in new.items():
        assert value in (None, 0) or merged[key] == value
