import json
from typing import Any

import pytest

from llmprof_addon.capture.failures import error_response

OPENAI = {"error": {"message": "no", "type": "api_error", "param": None, "code": "gone"}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions?x", OPENAI),
        ("/anything", OPENAI),
        ("/v1/messages?beta=true", {"type": "error", "error": {"type": "api_error", "message": "no"}}),
        ("/v1/messages/count_tokens", {"type": "error", "error": {"type": "api_error", "message": "no"}}),
        ("/v1beta/models/m:generateContent", {"error": {"code": 502, "message": "no", "status": "GONE"}}),
        ("/api/chat", {"error": "no"}),
        ("/model/m/converse", {"message": "no"}),
    ],
)
def test_an_error_is_told_in_the_dialect_of_its_path(path: str, body: Any) -> None:
    answer = error_response(path, 502, "gone", "no")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/json")
    assert json.loads(answer.text or "") == body
