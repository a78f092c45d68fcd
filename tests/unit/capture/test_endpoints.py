import json

import pytest

from llmprof_addon.capture import endpoints
from llmprof_addon.settings import load


def status(host: str, bound_to: str = "127.0.0.1") -> int:
    settings = load({"host": bound_to}, {})
    return endpoints.answer("GET", "/llmprof/health", host, settings, lambda: {"pid": 1}).status_code


@pytest.mark.parametrize("host", ["127.0.0.1:4000", "localhost", "LOCALHOST:1", "[::1]:4000"])
def test_names_of_this_machine(host: str) -> None:
    assert status(host) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:4000", "", "192.0.2.1"])
def test_names_that_only_lead_here(host: str) -> None:
    assert status(host) == 403


def test_a_public_bind_is_reached_by_its_address() -> None:
    assert status("192.0.2.1:4000", "0.0.0.0") == 200
    assert status("evil.example", "0.0.0.0") == 403


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


def test_health_and_page() -> None:
    settings = load({}, {})
    health = endpoints.answer("GET", "/llmprof/health", "localhost", settings, lambda: {"pid": 7})
    assert json.loads(health.text or "") == {"pid": 7}
    page = endpoints.answer("GET", "/", "localhost:4000", settings, dict)
    assert "http://localhost:4000/v1" in (page.text or "")
    assert endpoints.answer("HEAD", "/", "localhost", settings, dict).raw_content == b""
