from llmprof_addon.attribution.sections import LONG_CHARS, Piece, heading_pieces, pieces, schema_pieces, title
from llmprof_addon.model.part import Part, PartKind

FILL = "All of this is filler that somebody wrote down.\n" * 40


def names(found: tuple[Piece, ...]) -> list[object]:
    return [(piece.name, names(piece.children)) if piece.children else piece.name for piece in found]


def test_a_long_text_is_cut_at_its_headings_nested_by_level() -> None:
    text = f"Opening.\n# Tone\n{FILL}## Length\n{FILL}## Words ##\n{FILL}# Tools\nUse them.\n"
    found = heading_pieces(text)
    assert names(found) == ["(start)", ("Tone", ["(start)", "Length", "Words"]), "Tools"]
    assert sum(piece.weight for piece in found) == len(text)
    tone = found[1]
    assert sum(piece.weight for piece in tone.children) == tone.weight


def test_headings_of_a_lower_level_before_the_first_of_the_highest_are_kept() -> None:
    found = heading_pieces(f"## Early\n{FILL}# Late\n{FILL}")
    assert names(found) == [("(start)", ["Early"]), "Late"]


def test_code_blocks_and_hash_signs_in_text_are_no_headings() -> None:
    text = f"# Real\n```sh\n# a comment\n~~~\n# another\n```\n#hashtag\n{FILL}"
    assert names(heading_pieces(text)) == ["Real"]


def test_short_texts_and_texts_without_headings_stay_whole() -> None:
    assert heading_pieces("# Tone\nBe brief.") == ()
    assert heading_pieces(FILL) == ()
    assert len(FILL) > LONG_CHARS


SCHEMA = {
    "name": "read_file",
    "description": "Reads a file of the project.",
    "input_schema": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "description": {"type": "string", "description": "Why."}},
    },
}


def test_a_tool_schema_is_description_parameters_and_frame() -> None:
    found = schema_pieces(SCHEMA, 300)
    assert names(found) == ["description", "path", "description", "(frame)"]
    assert sum(piece.weight for piece in found) == 300
    nested = {"type": "function", "function": {"description": "D", "parameters": {"properties": {"a": {}}}}}
    assert names(schema_pieces(nested, 100)) == ["description", "a", "(frame)"]


def test_a_schema_without_description_and_parameters_stays_whole() -> None:
    for odd in ({"type": "web_search"}, None, "text", [1], {"properties": "none", "description": 3}):
        assert schema_pieces(odd, 20) == ()


def test_only_texts_and_schemas_have_pieces() -> None:
    assert pieces(Part(kind=PartKind.TOOL_RESULT, text=f"# A\n{FILL}")) == ()
    assert pieces(Part(kind=PartKind.TEXT, text=None)) == ()
    assert names(pieces(Part(kind=PartKind.TOOL_SCHEMA, text="x" * 200, value=SCHEMA)))[:2] == ["description", "path"]


def test_a_title_is_the_first_line_that_says_something() -> None:
    assert title("\n\n## House  rules ##\nmore") == "House rules"
    assert title("Fix the bug\nplease") == "Fix the bug"
    assert title("<context>\n\nIt rains.\n</context>") == "<context> It rains."
    assert title(None) == title("  \n") == ""
    assert len(title("word " * 100)) == 60
