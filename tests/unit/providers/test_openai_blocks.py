import pytest

from llmprof_addon.model.part import Json, Marker, Media, PartKind
from llmprof_addon.providers.openai_blocks import Owner, read_block, read_blocks, read_tool, read_tools

OWNER = Owner(place="messages/content", role="user")
GIF = "R0lGODlhBwAFAAAAACw="


@pytest.mark.parametrize(
    ("block", "kind", "text"),
    [
        ("bare", PartKind.TEXT, "bare"),
        ({"type": "text", "text": "t"}, PartKind.TEXT, "t"),
        ({"type": "input_text", "text": "t"}, PartKind.TEXT, "t"),
        ({"type": "output_text", "text": "t", "annotations": []}, PartKind.TEXT, "t"),
        ({"type": "refusal", "refusal": "no"}, PartKind.TEXT, "no"),
        ({"type": "text"}, PartKind.TEXT, ""),
        ({"type": "summary_text", "text": "t"}, PartKind.REASONING, "t"),
        ({"type": "reasoning.summary", "summary": "t"}, PartKind.REASONING, "t"),
        ({"type": "thinking", "thinking": "t"}, PartKind.REASONING, "t"),
        ({"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, PartKind.REASONING, "t"),
        ({"type": "smell", "of": "tar"}, PartKind.GENERIC, '{"type":"smell","of":"tar"}'),
        ({"text": "no type"}, PartKind.GENERIC, '{"text":"no type"}'),
        (7, PartKind.GENERIC, "7"),
    ],
)
def test_texts(block: Json, kind: PartKind, text: str) -> None:
    part = read_block(block, OWNER)
    assert (part.kind, part.text, part.role, part.place) == (kind, text, "user", "messages/content")


@pytest.mark.parametrize(
    ("block", "kind", "media"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{GIF}", "detail": "low"}},
            PartKind.IMAGE,
            Media(type="image/gif", width=7, height=5, size_bytes=14, detail="low"),
        ),
        (
            {"type": "input_image", "image_url": f"data:image/gif;base64,{GIF}", "detail": "high"},
            PartKind.IMAGE,
            Media(type="image/gif", width=7, height=5, size_bytes=14, detail="high"),
        ),
        ({"type": "input_image", "file_id": "f"}, PartKind.IMAGE, Media(source="file")),
        ({"type": "image_url", "image_url": "https://a.example/b"}, PartKind.IMAGE, Media(source="url")),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            PartKind.AUDIO,
            Media(type="audio/mp3", size_bytes=3),
        ),
        ({"type": "audio_url", "audio_url": {"url": "https://a.example/b"}}, PartKind.AUDIO, Media(source="url")),
        (
            {"type": "input_file", "file_data": "JVBERi0xLjQ="},
            PartKind.DOCUMENT,
            Media(type="application/pdf", size_bytes=8),
        ),
        ({"type": "file", "file": {"file_id": "f"}}, PartKind.DOCUMENT, Media(source="file")),
        ({"type": "video_url", "video_url": {"url": "https://a.example/b"}}, PartKind.DOCUMENT, Media(source="url")),
    ],
)
def test_media(block: Json, kind: PartKind, media: Media) -> None:
    part = read_block(block, OWNER)
    assert (part.kind, part.text, part.media) == (kind, None, media)


def test_a_marker_is_stripped_and_encrypted_reasoning_is_hidden() -> None:
    part = read_block({"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}}, OWNER)
    assert (part.value, part.markers) == ({"type": "text", "text": "t"}, (Marker(value={"type": "ephemeral"}),))
    part = read_block({"type": "reasoning.encrypted", "data": "x"}, OWNER)
    assert (part.kind, part.hidden, part.text) == (PartKind.REASONING, True, None)


def test_blocks_of_one_value() -> None:
    owner = Owner(place="", kind=PartKind.TOOL_RESULT)
    image = {"type": "input_image", "image_url": "https://a.example/b"}
    assert read_blocks("said", owner) == ("said", ())
    assert read_blocks(None, owner) == ("", ())
    assert read_blocks([], owner) == ("", ())
    assert read_blocks([{"type": "input_text", "text": "a"}, {"type": "text", "text": "b"}], owner) == ("ab", ())
    text, inner = read_blocks([{"type": "input_text", "text": "a"}, image], owner)
    assert (text, [part.kind for part in inner]) == ("a", [PartKind.IMAGE])
    text, inner = read_blocks(image, owner)
    assert (text, [part.kind for part in inner]) == (None, [PartKind.IMAGE])


def test_tools() -> None:
    function = {"type": "function", "function": {"name": "mcp__sea__depth", "cache_control": {"type": "ephemeral"}}}
    part = read_tool(function, "tools")
    assert (part.name, part.server) == ("mcp__sea__depth", "sea")
    assert part.text == '{"type":"function","function":{"name":"mcp__sea__depth"}}'
    assert part.markers == (Marker(where=("function",), value={"type": "ephemeral"}),)
    part = read_tool({"type": "mcp", "server_label": "sea", "defer_loading": True}, "tools")
    assert (part.name, part.server, part.deferred) == ("mcp", "sea", True)
    assert read_tool("odd", "tools").kind is PartKind.GENERIC
    assert read_tools(None, "tools") == ()


def test_tools_of_a_deferred_namespace_are_deferred() -> None:
    tool = {"type": "function", "name": "depth"}
    part = read_tool({"type": "namespace", "name": "mcp__sea", "defer_loading": True, "tools": [tool]}, "tools")
    assert (part.name, part.server, part.deferred) == ("mcp__sea", "sea", True)
    assert part.text == '{"type":"namespace","name":"mcp__sea","defer_loading":true}'
    assert [(inner.name, inner.server, inner.deferred) for inner in part.inner] == [("depth", "sea", True)]
    assert part.value["tools"] == [tool]
