import pytest

from llmprof_addon.model.part import Json
from llmprof_addon.providers.error_bodies import error_of


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"error": {"message": "no", "type": "bad_request", "code": "x"}}, "bad_request: no"),
        ({"error": {"message": "no", "type": None, "code": 429}}, "429: no"),
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"error": {"odd": 1}}, '{"odd":1}'),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "overloaded_error: busy"),
        ({"object": "error", "message": "no", "type": "NotFoundError", "code": 404}, "NotFoundError: no"),
        ({"error_code": "BAD", "message": "no"}, "BAD: no"),
        ({"errors": [{"code": 7, "message": "a"}, "b"]}, "7: a; b"),
        ({"message": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"msg": "no", "type": "missing"}]}, '[{"msg":"no","type":"missing"}]'),
        ([{"error": {"message": "no", "status": "DENIED"}}], "DENIED: no"),
        ({"id": "r", "error": None, "output": []}, None),
        ({"choices": [], "message": "hi"}, None),
        ({}, None),
        ("text", None),
        ([], None),
    ],
)
def test_one_line(body: Json, line: str | None) -> None:
    assert error_of(body) == line
