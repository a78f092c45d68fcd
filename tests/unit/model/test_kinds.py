import pytest

from llmprof_addon.model.component import Kind
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import PartKind
from tests.factories import make_part, make_tool

REMINDER = "<system-reminder>\nIt is Friday.\n</system-reminder>\n"


@pytest.mark.parametrize(
    ("role", "text", "section", "kind"),
    [
        ("system", "Be kind.", "system", Kind.SYSTEM),
        ("developer", "Be kind.", "system", Kind.SYSTEM),
        ("system", "Helpers: reader.", "messages", Kind.SYSTEM_INJECTION),
        ("developer", "Helpers: reader.", "messages", Kind.SYSTEM_INJECTION),
        ("user", REMINDER, "messages", Kind.SYSTEM_INJECTION),
        ("user", "<environment_context>\n  <cwd>/srv</cwd>\n</environment_context>", "messages", Kind.SYSTEM_INJECTION),
        ("user", "<document>Mine</document>", "messages", Kind.USER),
        ("user", REMINDER + "and a question", "messages", Kind.USER),
        ("user", "What is a <system-reminder>?", "messages", Kind.USER),
        ("assistant", REMINDER, "messages", Kind.ASSISTANT),
        ("model", "Hello.", "messages", Kind.ASSISTANT),
        ("tool", "42", "messages", Kind.TOOL_RESULTS),
        ("narrator", "Once.", "messages", Kind.GENERIC),
        ("assistant", "Hello.", "answer", Kind.TEXT),
    ],
)
def test_texts_by_where_they_stand(role: str, text: str, section: str, kind: Kind) -> None:
    assert kind_of(make_part(text, role=role), section) is kind


@pytest.mark.parametrize("part_kind", [kind for kind in PartKind if kind is not PartKind.TEXT])
@pytest.mark.parametrize("section", ["tools", "system", "messages", "answer"])
def test_other_parts_by_what_they_are(part_kind: PartKind, section: str) -> None:
    kind = kind_of(make_part(None, kind=part_kind, value={}), section)
    assert kind.value.rstrip("s") == part_kind.value.rstrip("s")


def test_a_schema_inside_messages_is_a_schema() -> None:
    assert kind_of(make_tool(role="system", place="messages/content"), "messages") is Kind.TOOL_SCHEMAS
