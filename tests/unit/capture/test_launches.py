"""What an address says of whose a call is."""

from base64 import b64encode

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import tflow, tutils

from llmprof_addon.capture.addresses import SESSION, forward_url, reverse_url
from llmprof_addon.capture.launches import Launches


def arrived(path: str, mode: str = "reverse:http://127.0.0.1:1", **headers: str) -> HTTPFlow:
    flow = tflow.tflow(
        req=tutils.treq(path=path.encode(), headers=tuple((k.encode(), v.encode()) for k, v in headers.items()))
    )
    flow.client_conn.proxy_mode = ProxyMode.parse(mode)
    Launches().requestheaders(flow)
    return flow


def basic(owner: str) -> str:
    return f"Basic {b64encode(owner.encode()).decode()}"


@pytest.mark.parametrize(
    ("path", "left", "name", "value"),
    [
        ("/llmprof/launch/1a2b/v1/x?y", "/v1/x?y", "x-llmprof-tag", "launch:1a2b"),
        ("/llmprof/session/test_a.py-x_1/v1", "/v1", "x-llmprof-session", "test_a.py-x_1"),
        ("/llmprof/session/a", "/", "x-llmprof-session", "a"),
        ("/llmprof/session/a?b", "/?b", "x-llmprof-session", "a"),
    ],
)
def test_a_prefix_is_taken_off_and_told(path: str, left: str, name: str, value: str) -> None:
    request = arrived(path).request
    assert (request.path, request.headers[name]) == (left, value)


@pytest.mark.parametrize("path", ["/llmprof/session//v1", "/llmprof/session/a%20b/v1", "/llmprof/other/a/v1", "/v1"])
def test_other_paths_stay(path: str) -> None:
    request = arrived(path).request
    assert request.path == path
    assert not [name for name in request.headers if name.startswith("x-llmprof")]


def test_the_client_s_own_session_wins_and_tags_add_up() -> None:
    own = arrived("/llmprof/session/a/v1", **{"x-llmprof-session": "mine"}).request
    assert own.headers["x-llmprof-session"] == "mine"
    tagged = arrived("/llmprof/launch/a/v1", **{"x-llmprof-tag": "team:search"}).request
    assert tagged.headers["x-llmprof-tag"] == "team:search, launch:a"


def test_the_user_of_a_forward_proxy() -> None:
    request = arrived("/v1", "regular", **{"proxy-authorization": basic("session:a-1")}).request
    assert request.headers["x-llmprof-session"] == "a-1"
    assert "proxy-authorization" not in request.headers
    for other in (basic("session:a b"), basic("me:word"), "Basic ?", "Bearer x"):
        kept = arrived("/v1", "regular", **{"proxy-authorization": other}).request
        assert "x-llmprof-session" not in kept.headers
        assert kept.headers["proxy-authorization"] == other


def test_addresses_are_what_is_taken_off() -> None:
    assert reverse_url("127.0.0.1", 4000, "a", SESSION) == "http://127.0.0.1:4000/llmprof/session/a"
    assert reverse_url("127.0.0.1", 4000, "a") == "http://127.0.0.1:4000/llmprof/launch/a"
    assert forward_url("127.0.0.1", 4001, "a", SESSION) == "http://session:a@127.0.0.1:4001"
