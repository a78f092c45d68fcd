import json

import pytest

from llmprof_addon.capture import endpoints


@pytest.mark.parametrize(
    ("method", "path", "own"),
    [
        ("GET", "/", True),
        ("HEAD", "/?x", True),
        ("POST", "/", False),
        ("GET", "/llmprof/health", True),
        ("POST", "/llmprof/x", True),
        ("GET", "/llmprofile", False),
        ("GET", "/v1/models", False),
    ],
)
def test_which_paths_are_own(method: str, path: str, own: bool) -> None:
    assert endpoints.is_own(method, path) is own


@pytest.mark.parametrize(
    ("path", "data"),
    [("/llmprof/api", True), ("/llmprof/api/runs?x=1", True), ("/llmprof/health", False), ("/llmprof/apis", False)],
)
def test_which_paths_are_data(path: str, data: bool) -> None:
    assert endpoints.is_data(path) is data


def test_health_and_page() -> None:
    health = endpoints.answer("GET", "/llmprof/health", "localhost", lambda: {"pid": 7})
    assert json.loads(health.text or "") == {"pid": 7}
    page = endpoints.answer("GET", "/", "localhost:4000", dict)
    assert "http://localhost:4000/v1" in (page.text or "")
    assert endpoints.answer("HEAD", "/", "localhost", dict).raw_content == b""


def test_what_is_not_answered() -> None:
    assert endpoints.answer("POST", "/llmprof/health", "localhost", dict).status_code == 405
    assert endpoints.answer("GET", "/llmprof/nothing", "localhost", dict).status_code == 404
    assert endpoints.answer("GET", "/", "localhost", dict, endpoints.BODY_BYTES).status_code == 200
    assert endpoints.answer("GET", "/", "localhost", dict, endpoints.BODY_BYTES + 1).status_code == 413
    assert endpoints.too_many("GET").headers["retry-after"] == "1"
