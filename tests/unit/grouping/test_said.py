"""What an answer said, however it is sent back."""

from dataclasses import replace

import pytest

from llmprof_addon.grouping.said import answer_digest, is_said, said_after
from llmprof_addon.model.part import Part, PartKind
from tests.store.building import text, tool_call, tool_result


def reasoning(said: str) -> Part:
    return Part(kind=PartKind.REASONING, role="assistant", text=said, place="messages/content")


SAID = [text("assistant", "I will look.\n\nAt once."), tool_call("read", '{"path": "a", "lines": [1, 2]}')]


@pytest.mark.parametrize(
    "again",
    [
        SAID,
        [text("assistant", " I will look."), text("assistant", "At once. \n"), SAID[1]],
        [reasoning("Hm."), *SAID],
        [SAID[0], text("assistant", " "), tool_call("read", '{"lines":[1,2],"path":"a"}', "another id")],
        [replace(SAID[0], form="item", value=None, wrapper=None), replace(SAID[1], role="")],
        [tool_call("web_search", "{}", "served"), replace(tool_result("found", "served"), role="assistant"), *SAID],
        [SAID[0], Part(kind=PartKind.GENERIC, role="assistant", text="result of a server's search"), SAID[1]],
    ],
)
def test_the_same_answer_has_the_same_digest(again: list[Part]) -> None:
    assert answer_digest(again) == answer_digest(SAID)


@pytest.mark.parametrize(
    "other",
    [
        SAID[:1],
        SAID[1:],
        [text("assistant", "I will look!"), SAID[1]],
        [SAID[0], tool_call("write", SAID[1].text or "")],
        [SAID[0], tool_call("read", '{"path": "b", "lines": [1, 2]}')],
        [SAID[0], SAID[1], SAID[1]],
        [SAID[0], tool_call("read", "not JSON")],
    ],
)
def test_another_answer_has_another_digest(other: list[Part]) -> None:
    assert answer_digest(other) != answer_digest(SAID)


def test_nothing_said_has_no_digest() -> None:
    assert answer_digest([]) is None
    assert answer_digest([reasoning("Hm."), text("assistant", " \n")]) is None


def test_arguments_may_be_anything() -> None:
    assert answer_digest([tool_call("read", "")]) == answer_digest([tool_call("read", "{}")])
    assert answer_digest([tool_call("read", "[" * 100_000)]) is not None
    assert answer_digest([text("assistant", "half \ud83d a pair")]) is not None


def test_what_a_model_said_ends_where_someone_else_speaks() -> None:
    parts = [text("user", "Go"), *SAID, tool_result("x"), text("assistant", "Done"), text("user", "Thanks")]
    assert said_after(parts, 1) == tuple(SAID)
    assert said_after(parts, 4) == (parts[4],)
    assert said_after(parts, 3) == ()
    assert said_after(parts, 6) == ()
    assert [is_said(part) for part in parts] == [False, True, True, False, True, False]
