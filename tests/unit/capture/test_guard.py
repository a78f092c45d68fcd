from typing import Any

import pytest

from llmprof_addon.capture.guard import Asked, Rate, Rules, is_loopback, is_near, is_us, may_use, refusal

HOST = "localhost:4000"
OPEN = Rules(bound_to="0.0.0.0", machine="Workshop")


def code(rules: Rules, *names: str, **asked: Any) -> str | None:
    no = refusal(Asked(names=names, **asked), rules)
    return no.code if no else None


@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no-keys"])
@pytest.mark.parametrize("own", [True, False], ids=["own", "proxied"])
@pytest.mark.parametrize(
    ("origin", "site", "is_ours"),
    [
        (None, None, True),
        ("http://localhost:4000", None, True),
        ("http://LOCALHOST:4000", "same-origin", True),
        (None, "same-origin", True),
        (None, "none", True),
        ("http://localhost:4000", "cross-site", False),
        ("https://evil.example", None, False),
        ("https://evil.example", "same-origin", False),
        ("https://evil.example", "cross-site", False),
        ("http://localhost:4000, https://evil.example", None, False),
        ("null", "cross-site", False),
        ("", None, False),
        (None, "cross-site", False),
        (None, "same-site", False),
        (None, "", False),
        (None, "anything", False),
    ],
)
def test_pages_of_other_sites(origin: str | None, site: str | None, is_ours: bool, own: bool, keys: bool) -> None:
    got = code(Rules(has_keys=keys), HOST, origin=origin, site=site, is_own=own)
    # A page of this machine, even one that its browser takes for another site.
    spared = not own and not keys and origin == "http://localhost:4000"
    assert got == (None if is_ours or spared else "cross_site")


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        ("http://localhost:3000", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:5173", True),
        ("http://dev.localhost:8080", True),
        ("app://obsidian.md", True),
        ("file://", True),
        ("vscode-webview://0abc", True),
        ("https://chat.corp.example", True),
        ("https://chat.corp.example:8443", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example:3000", False),
        ("http://evil.example", False),
        ("http://user@localhost", False),
        ("http://localhost:3000/path", False),
        ("chrome-extension://abcdefgh", False),
        ("null", False),
        ("", False),
    ],
)
def test_pages_that_may_use_a_proxy_without_keys(origin: str, may: bool) -> None:
    rules = Rules(origins=("https://chat.corp.example",))
    assert may_use(origin, rules) is may
    for site in (None, "cross-site", "same-site"):
        assert code(rules, "127.0.0.1:4000", origin=origin, site=site) == (None if may else "cross_site")
        assert code(rules, "127.0.0.1:4000", origin=origin, site=site, is_own=True) == "cross_site"


@pytest.mark.parametrize(
    ("host", "bound_to", "us"),
    [
        ("127.0.0.1:4000", "127.0.0.1", True),
        ("LOCALHOST:1", "127.0.0.1", True),
        ("[::1]:4000", "127.0.0.1", True),
        ("host.docker.internal:4000", "127.0.0.1", True),
        ("127.9.9.9", "127.0.0.1", True),
        ("evil.example", "127.0.0.1", False),
        ("127.0.0.1.evil.example:4000", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
        ("workshop:4000", "127.0.0.1", False),
        ("192.0.2.1", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("[", "127.0.0.1", False),
        ("192.0.2.1:4000", "0.0.0.0", True),
        ("[2001:db8::1]:4000", "::", True),
        ("workshop:4000", "0.0.0.0", True),
        ("evil.example", "0.0.0.0", False),
        ("", "0.0.0.0", False),
    ],
)
def test_names_of_this_machine(host: str, bound_to: str, us: bool) -> None:
    rules = Rules(bound_to=bound_to, machine="Workshop")
    assert is_us(host, rules) is us
    expected = None if us else "misdirected"
    names = [host] if host else []
    assert code(rules, *names, is_own=True) == expected
    assert code(rules, *names, origin=f"http://{host}") == expected
    assert code(rules, *names) is None, "a program may name us as it likes"


def test_all_names_have_to_be_ours() -> None:
    assert code(Rules(), HOST, "evil.example", is_own=True) == "misdirected"
    assert code(Rules(), "evil.example", HOST, origin=f"http://{HOST}") == "misdirected"


def test_keys_are_not_for_names_that_are_made_to_lead_here() -> None:
    assert code(Rules(has_keys=True), "evil.example:4000") == "misdirected"
    network = Rules(has_keys=True, bound_to="0.0.0.0")
    assert code(network, "llmprof:4000") is None, "names of a network are the user's own"
    assert code(network, "llmprof:4000", origin="http://llmprof:4000") == "misdirected"


def test_other_machines_need_the_token() -> None:
    assert code(OPEN, "llmprof:4000", is_near=False) == "token_required"
    assert code(OPEN, "llmprof:4000", is_near=False, has_token=True) is None
    assert code(OPEN, "llmprof:4000", is_near=False, has_token=True, is_own=True) is None
    assert code(OPEN, HOST) is None
    evil = {"origin": "https://evil.example", "has_token": True, "is_near": False}
    assert code(OPEN, "192.0.2.1:4000", **evil) == "cross_site"


def test_data_needs_the_token_even_here() -> None:
    assert code(Rules(), HOST, is_own=True, is_data=True) == "token_required"
    assert code(Rules(), HOST, is_own=True, is_data=True, has_token=True) is None
    assert code(Rules(), HOST, is_own=True, is_data=True, has_token=True, site="cross-site") == "cross_site"


@pytest.mark.parametrize(
    ("peer", "own", "near"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.8", "192.0.2.7", False),
        ("192.0.2.8", "127.0.0.1", False),
        ("", "", False),
    ],
)
def test_who_is_near(peer: str, own: str, near: bool) -> None:
    assert is_near(peer, own) is near


def test_loopback() -> None:
    assert all(map(is_loopback, ("localhost", "a.localhost", "127.1.2.3", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("", "0.0.0.0", "::", "127.0.0.1.example", "2130706433", "128.0.0.1")))


def test_rate() -> None:
    rate = Rate(3)
    assert [rate.allows(5.0) for _ in range(4)] == [True, True, True, False]
    assert not rate.allows(5.2)
    assert rate.allows(5.5)
    assert not rate.allows(5.5)
    assert [rate.allows(100.0) for _ in range(4)] == [True, True, True, False]
