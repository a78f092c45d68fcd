import pytest

from llmprof_addon.counting.encodings import count
from llmprof_addon.counting.raw import count_part
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.part import Part, PartKind
from tests.factories import make_part


def of(kind, text, **fields):
    return count_part(Part(kind=kind, text=text, **fields), "o200k_base")


@pytest.mark.parametrize(
    ("kind", "text", "field"),
    [
        (PartKind.TEXT, "Please summarise the report.", "prose"),
        (PartKind.TEXT, "Café, naïve, Übergröße: 12 € — “fine” …", "prose"),
        (PartKind.TEXT, "[note] this is no list", "prose"),
        (PartKind.TEXT, "def f(x): return {x}", "prose"),
        (PartKind.TEXT, "[see] the end]", "prose"),
        (PartKind.TEXT, '  {"a": [1, 2]}\n', "json"),
        (PartKind.TOOL_RESULT, '[{"a": 1}]', "json"),
        (PartKind.TOOL_RESULT, "[1, 2]", "json"),
        (PartKind.TOOL_CALL, '{"city":"Лондон"}', "json"),
        (PartKind.TOOL_CALL, "*** Begin Patch", "json"),
        (PartKind.TOOL_SCHEMA, '{"name": "x"}', "json"),
        (PartKind.OUTPUT_SCHEMA, '{"type": "object"}', "json"),
        (PartKind.TEXT, "Какая погода в Лондоне?", "nonlatin"),
        (PartKind.TEXT, "東京の天気は?", "nonlatin"),
        (PartKind.TEXT, "ما هو الطقس؟", "nonlatin"),
        (PartKind.REASONING, "Let me think", "prose"),
    ],
)
def test_a_text_is_one_thing_and_its_count_is_exact(kind, text, field):
    raw = of(kind, text)
    assert raw == RawCount(**{field: count(text, "o200k_base")})
    assert raw.text == count(text, "o200k_base")


@pytest.mark.parametrize(
    ("written", "billed"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"a":1,"b":[1,2]}'),
        ('{\n  "say": "a: b, c"\n}', '{"say":"a: b, c"}'),
        ('{"say":"a: b, c"}', '{"say":"a: b, c"}'),
        ('{"cut": "of', '{"cut": "of'),
        ("[" * 100_000 + ", ", "[" * 100_000 + ", "),
    ],
)
def test_arguments_are_billed_as_compact_json(written, billed):
    assert of(PartKind.TOOL_CALL, written).json == count(billed, "o200k_base")


@pytest.mark.parametrize("kind", [PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT])
def test_a_name_is_counted_beside_the_text(kind):
    assert of(kind, "x", name="get_current_weather").label == count("get_current_weather", "o200k_base")


def test_the_name_of_a_schema_is_in_its_text():
    assert of(PartKind.TOOL_SCHEMA, '{"name":"f"}', name="f").label == 0


def test_inner_parts_are_counted_on_their_own():
    inner = (Part(kind=PartKind.TEXT, text="one two"), Part(kind=PartKind.IMAGE))
    raw = of(PartKind.TOOL_RESULT, None, inner=inner, name="look")
    assert raw == RawCount(label=1, inner=(RawCount(prose=2), RawCount()))


def test_a_part_without_text_counts_nothing():
    assert of(PartKind.IMAGE, None) == of(PartKind.TEXT, "") == RawCount()


def test_token_ids_count_themselves() -> None:
    assert count_part(make_part(None, value=[1, 2, 3]), "o200k_base").text == 3
    assert count_part(make_part("a", value=[1, 2, 3]), "o200k_base").text == 1
