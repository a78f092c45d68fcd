"""Forms follow captured signatures; names and texts are ours."""

import pytest

from llmprof_addon.counting.openai_tools import declaration, namespace, output_format, output_schema


def body(properties, **schema):
    tool = {"name": "f", "parameters": {"type": "object", "properties": properties, **schema}}
    return declaration(tool).removeprefix("type f = (_: ").removesuffix(") => any;")


def test_a_tool_without_parameters_or_description():
    assert declaration({"name": "ping"}) == "type ping = () => any;"
    assert declaration({"name": "ping", "parameters": {"type": "object", "properties": {}}}) == "type ping = () => any;"


def test_descriptions_are_stripped_line_by_line():
    text = declaration({"name": "ping", "description": "\n  Say hello.\n\n   Twice.  \n"})
    assert text == "// Say hello.\n//\n// Twice.\ntype ping = () => any;"


def test_chat_responses_and_legacy_tools_are_the_same_to_the_model():
    plain = {"name": "f", "description": "d", "parameters": {"properties": {"a": {"type": "string"}}}}
    chat = {"type": "function", "function": {**plain, "strict": True}}
    assert declaration(chat) == declaration({"type": "function", **plain}) == declaration(plain)


def test_a_custom_tool_is_free_form():
    assert declaration({"type": "custom", "name": "patch", "format": {}}) == "type patch = (FREEFORM) => any;"


@pytest.mark.parametrize(
    ("properties", "schema", "text"),
    [
        ({"a": {"type": "string"}, "b": {"type": "integer"}}, {"required": ["a"]}, "{ a: string, b?: integer }"),
        ({"a": {"type": "string", "description": "what"}}, {}, "{\n// what\na?: string,\n}"),
        ({"a": {"type": "string", "title": "A"}}, {}, "{\n// A\na?: string,\n}"),
        ({"a": {"type": "string", "title": "A", "description": "d"}}, {}, "{\n// A\n//\n// d\na?: string,\n}"),
        ({"a": {"enum": ["x", "y"], "type": "string"}}, {}, '{ a?: "x" | "y" }'),
        ({"a": {"type": "string", "enum": ["x"], "default": "x"}}, {}, '{\na?: "x", // default: "x"\n}'),
        ({"a": {"type": "integer", "default": 2, "minimum": 1}}, {}, "{\na?: integer, // default: 2, minimum: 1\n}"),
        ({"a": {"type": "number", "minimum": 0}}, {}, "{\na?: number, // minimum: 0.0\n}"),
        ({"a": {"type": "string", "format": "date"}}, {}, '{\na?: string, // format: "date"\n}'),
        ({"a": {"type": "string", "pattern": "^x"}}, {}, "{\na?: string, // pattern: /^x/\n}"),
        ({"a": {"type": ["string", "null"]}}, {}, "{ a?: string | null }"),
        ({"a": {"type": "string", "nullable": True}}, {}, "{ a?: string | null }"),
        ({"a": {"const": {"k": [1, 2]}}}, {}, '{ a?: {"k": [1, 2]} }'),
        ({"a": {}}, {}, "{ a?: any }"),
        ({"a": True, "b": False}, {}, "{ a?: any, b?: never }"),
        ({"a": {"type": "object"}}, {}, "{ a?: object }"),
        (
            {"a": {"type": "object", "additionalProperties": {"type": "string"}}},
            {},
            "{ a?: { [key: string]: string } }",
        ),
        ({"a": {"type": "array"}}, {}, "{ a?: any[] }"),
        ({"a": {"type": "array", "items": {"type": "string"}}}, {}, "{ a?: string[] }"),
        (
            {"a": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
            {},
            "{\na?: string[], // minItems: 1\n}",
        ),
        (
            {"a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}}},
            {},
            "{ a?: { b?: string }[] }",
        ),
        (
            {"a": {"items": {"properties": {"b": {"type": "string", "title": "B"}}, "title": "T"}, "type": "array"}},
            {},
            "{\na?: Array<\n// T\n{\n// B\nb?: string,\n}\n>,\n}",
        ),
        (
            {"a": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}},
            {},
            "{\na?: string | null, // default: null\n}",
        ),
        (
            {"a": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None, "title": "A"}},
            {},
            "{\n// A\n// default: null\na?:\n | integer // minimum: 0\n | null\n,\n}",
        ),
        (
            {"a": {"oneOf": [{"type": "string"}, {"type": "number", "description": "n"}]}},
            {},
            "{\na?:\n | string\n// n\n | number\n,\n}",
        ),
        ({"a": {"allOf": [{"type": "string"}]}}, {}, "{ a?: string }"),
        ({"a": {"type": "string"}}, {"title": "Args", "description": "d"}, "// Args\n//\n// d\n{ a?: string }"),
        ({"a": {"$ref": "#/$defs/A"}}, {"$defs": {"A": {"type": "string"}}}, "{ a?: string }"),
        (
            {"a": {"$ref": "#/$defs/A"}},
            {"$defs": {"A": {"title": "T", "type": "object", "properties": {"b": {"$ref": "#/$defs/A"}}}}},
            '{\na?:\n// T\n{\nb?: any, // $ref: "#/$defs/A"\n},\n}',
        ),
        (
            {"a": {"$ref": "#/definitions/A"}},
            {"definitions": {"A": {"items": {"$ref": "#/definitions/B"}, "type": "array"}, "B": {"type": "null"}}},
            "{ a?: null[] }",
        ),
        ({"a": {"$ref": "#/$defs/none"}}, {}, '{\na?: any, // $ref: "#/$defs/none"\n}'),
        ({"a": {"type": "string", "examples": ["x"]}}, {}, '{\n// Examples:\n// - "x"\na?: string,\n}'),
    ],
)
def test_parameters(properties, schema, text):
    assert body(properties, **schema) == text


def test_definitions_that_refer_to_each_other_end():
    names = [f"D{index}" for index in range(30)]
    everything = {"type": "object", "properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}}
    text = body({"a": {"$ref": "#/$defs/D0"}}, **{"$defs": dict.fromkeys(names, everything)})
    assert 10_000 < len(text) < 5_000_000


def test_deep_schemas_end():
    schema = {"type": "string"}
    for _ in range(900):
        schema = {"type": ["array", "object"], "items": schema, "properties": {"a": schema}}
    assert "any" in body({"a": schema})
    nested = {"type": "string"}
    for _ in range(700):
        nested = {"items": nested}
    assert output_schema(nested).count("items") == 700


def test_a_namespace_holds_its_tools():
    text = namespace([{"name": "a"}, {"name": "b"}])
    assert text == "namespace functions {\n\ntype a = () => any;\n\ntype b = () => any;\n\n} // namespace functions"


def test_the_model_is_not_shown_what_the_decoder_enforces():
    schema = {
        "$schema": "x",
        "type": "object",
        "properties": {"required": {"type": "string", "additionalProperties": False}},
        "required": ["required"],
        "additionalProperties": False,
    }
    assert output_schema(schema) == '{"type":"object","properties":{"required":{"type":"string"}}}'


def test_an_output_format_is_a_section_of_its_own():
    assert output_format("Answer", "What to say", {"type": "object"}) == (
        '# Response Formats\n\n## Answer\n\n// What to say\n{"type":"object"}'
    )
    assert "//" not in output_format("Answer", None, {})
