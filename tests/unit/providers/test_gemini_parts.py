from base64 import b64encode

import pytest

from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.providers.gemini_parts import carve_content, carve_tool, read_part
from llmprof_addon.providers.sequence import Seen

PNG = b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\x90\0\0\0\xc8\x08\0\0\0\0").decode()
CALL = {"name": "mcp__harbour__tide", "args": {"place": "Pier"}, "id": "fc-1"}


def read(value: Json) -> Part:
    return read_part(value, "contents/parts", "model")


def carve(content: Json) -> list[Part]:
    return carve_content(content, "contents", Seen())


@pytest.mark.parametrize("key", ["functionCall", "function_call", "toolCall", "tool_call"])
def test_calls_in_either_spelling(key: str) -> None:
    part = read({key: CALL})
    assert (part.kind, part.name, part.server, part.call_id) == (
        *(PartKind.TOOL_CALL, "mcp__harbour__tide", "harbour", "fc-1"),
    )
    assert part.text == '{"place":"Pier"}'
    assert part.value == {key: CALL}


def test_a_call_without_arguments_is_an_empty_object() -> None:
    assert read({"functionCall": {"name": "now"}}).text == "{}"
    assert read({"toolCall": {"toolType": "GOOGLE_SEARCH", "args": {"q": 1}}}).name == "GOOGLE_SEARCH"


def test_the_order_of_keys_around_content_makes_no_other_part() -> None:
    one = read({"functionCall": {"name": "f", "args": {"b": 1, "a": 2}}, "thoughtSignature": "s"})
    two = read({"thoughtSignature": "s", "functionCall": {"args": {"b": 1, "a": 2}, "name": "f"}})
    assert one == two
    assert list(one.value["functionCall"]["args"]) == ["b", "a"]
    assert list(two.value) == ["functionCall", "thoughtSignature"]
    assert list(read({"thought": True, "text": "x"}).value) == ["text", "thought"]


def test_a_signature_is_hidden_reasoning_inside_its_part() -> None:
    part = read({"functionCall": CALL, "thoughtSignature": "sealed"})
    (thoughts,) = part.inner
    assert (thoughts.kind, thoughts.hidden, thoughts.value, thoughts.text) == (
        *(PartKind.REASONING, True, "sealed", None),
    )
    assert not part.hidden
    alone = read({"text": "", "thoughtSignature": "sealed"})
    assert (alone.kind, alone.hidden, alone.inner, alone.text) == (PartKind.REASONING, True, (), None)


def test_thoughts_are_reasoning_and_text_is_text() -> None:
    assert read({"text": "Hm.", "thought": True}).kind is PartKind.REASONING
    assert read({"text": "Ho.", "thought": False}).kind is PartKind.TEXT
    assert read({"text": ""}).text == ""


def test_results_hold_their_pictures() -> None:
    response = {
        "name": "look",
        "response": {"seen": 1},
        "parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}}],
    }
    part = read({"functionResponse": response})
    assert (part.kind, part.name, part.text) == (PartKind.TOOL_RESULT, "look", '{"seen":1}')
    assert part.inner[0].media
    assert (part.inner[0].kind, part.inner[0].media.width) == (PartKind.IMAGE, 400)


def test_code_that_the_provider_ran() -> None:
    code = read({"executableCode": {"language": "PYTHON", "code": "print(1)"}})
    result = read({"code_execution_result": {"outcome": "OUTCOME_OK", "output": "1\n"}})
    assert (code.kind, code.name, code.text) == (PartKind.TOOL_CALL, "code_execution", "print(1)")
    assert (result.kind, result.name, result.text) == (PartKind.TOOL_RESULT, "code_execution", "1\n")


@pytest.mark.parametrize(
    ("mime", "kind"),
    [
        ("image/webp", PartKind.IMAGE),
        ("audio/wav", PartKind.AUDIO),
        ("application/pdf", PartKind.DOCUMENT),
        ("video/mp4", PartKind.DOCUMENT),
        (None, PartKind.DOCUMENT),
    ],
)
def test_media_by_their_type(mime: str | None, kind: PartKind) -> None:
    part = read({"file_data": {"mime_type": mime, "file_uri": "https://example.org/x", "display_name": "x"}})
    assert part.media
    assert (part.kind, part.name, part.media.source, part.text) == (kind, "x", "file", None)


def test_the_size_and_the_resolution_of_a_picture() -> None:
    part = read(
        {"inlineData": {"mimeType": "image/png", "data": PNG}, "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}}
    )
    assert part.media
    assert (part.media.width, part.media.height, part.media.detail) == (400, 200, "low")


def test_plain_text_inside_data_is_text() -> None:
    held = {"mimeType": "text/csv", "data": b64encode("a,é".encode()).decode()}
    part = read({"inlineData": held})
    assert (part.kind, part.text, part.media) == (PartKind.TEXT, "a,é", None)
    broken = read({"inlineData": {**held, "data": "no base64!"}})
    assert (broken.kind, broken.text) == (PartKind.DOCUMENT, None)


@pytest.mark.parametrize("value", [None, 7, "loose", [], {}, {"newPart": {"x": 1}}, {"functionCall": "f"}, {"text": 7}])
def test_what_is_unknown_is_kept(value: Json) -> None:
    part = read(value)
    assert (part.kind, part.value) == (PartKind.GENERIC, value)


def test_the_first_part_opens_the_message() -> None:
    first, second = carve({"role": "user", "parts": [{"text": "a"}, {"text": "b"}], "extra": 1})
    assert (first.wrapper, second.wrapper) == ({"role": "user", "extra": 1}, None)
    (whole,) = carve({"parts": {"text": "a"}})
    assert (whole.form, whole.role, whole.wrapper) == ("whole", "user", {})
    for empty in ({}, {"role": "model"}, {"role": "model", "parts": []}, {"parts": None}):
        (absent,) = carve(empty)
        assert (absent.form, absent.wrapper, absent.text) == ("absent", empty, "")
    assert carve("text")[0].kind is PartKind.GENERIC


def test_each_function_is_a_schema_and_a_tool_of_googles_has_the_name_of_its_key() -> None:
    functions = [{"name": "a", "description": "A."}, {"name": "mcp__s__b"}, "odd"]
    tool = {"googleSearch": {}, "functionDeclarations": functions}
    one, two, odd = carve_tool(tool, "tools", Seen())
    assert (one.name, one.server, one.text) == ("a", None, '{"name":"a","description":"A."}')
    assert (two.server, two.wrapper, odd.name) == ("s", None, None)
    assert one.wrapper == {"googleSearch": {}}
    assert {part.place for part in (one, two, odd)} == {"tools/functionDeclarations"}
    (search,) = carve_tool({"google_search": {}}, "tools", Seen())
    assert (search.kind, search.name) == (PartKind.TOOL_SCHEMA, "google_search")
    assert carve_tool("odd", "tools", Seen())[0].kind is PartKind.GENERIC
