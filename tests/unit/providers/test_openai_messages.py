import pytest

from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers.openai_messages import carve_message


def carve(**message: Json) -> list[Part]:
    before = repr(message)
    parts = carve_message(message, {})
    assert repr(message) == before
    assert assemble({}, parts) == {"messages": [message]}
    return parts


def test_the_order_of_parts_is_not_that_of_the_keys() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    parts = carve(tool_calls=[call], audio={"id": "a"}, refusal="no", content="yes", reasoning="hm", role="assistant")
    assert [(part.kind, part.place) for part in parts] == [
        (PartKind.REASONING, "messages/reasoning"),
        (PartKind.TEXT, "messages/content"),
        (PartKind.TEXT, "messages/refusal"),
        (PartKind.AUDIO, "messages/audio"),
        (PartKind.TOOL_CALL, "messages/tool_calls"),
    ]
    assert [part.wrapper for part in parts] == [{"role": "assistant"}, None, None, None, None]


@pytest.mark.parametrize(
    ("message", "form", "wrapper"),
    [
        ({"role": "user"}, "absent", {"role": "user"}),
        ({"role": "user", "content": None}, "absent", {"role": "user", "content": None}),
        ({"role": "user", "content": []}, "absent", {"role": "user", "content": []}),
        ({"role": "user", "content": ""}, "string", {"role": "user"}),
        ({"role": "user", "content": {"a": 1}}, "whole", {"role": "user"}),
        ({"role": "user", "content": ["a"]}, "item", {"role": "user"}),
    ],
)
def test_each_message_is_at_least_one_part(message: Json, form: str, wrapper: Json) -> None:
    (part,) = carve(**message)
    assert (part.form, part.wrapper, part.role) == (form, wrapper, "user")


def test_a_marker_on_a_message_stays_with_the_part_that_opens_it() -> None:
    parts = carve(role="user", content=["a", "b"], cache_control={"type": "ephemeral"})
    assert [[marker.on_wrapper for marker in part.markers] for part in parts] == [[True], []]


def test_opaque_reasoning_is_hidden() -> None:
    (opaque, text) = carve(role="assistant", content="yes", reasoning_opaque="xyz")
    assert (opaque.kind, opaque.hidden, opaque.text, text.text) == (PartKind.REASONING, True, None, "yes")


def test_generated_images_are_parts() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b"}}
    parts = carve(role="assistant", content="here", images=[image])
    assert [part.kind for part in parts] == [PartKind.IMAGE, PartKind.TEXT]
