"""Targets of what people type: settings, prices, limits, searches, paths."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from fractions import Fraction
from functools import cache
from zlib import crc32

from llmprof_tui.preferences import Preferences

from llmprof_addon import settings
from llmprof_addon.capture import model_name
from llmprof_addon.capture.routes import Routes
from llmprof_addon.errors import ConfigError
from llmprof_addon.gate.baseline import read_baseline
from llmprof_addon.gate.limits import Limits, limits
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.overrides import read_overrides
from llmprof_addon.providers import registry
from llmprof_addon.spool.proxies import living
from llmprof_addon.spool.statefile import read_state
from llmprof_addon.store.search_query import QueryError, parse_query
from tests.fuzz import mutators, seeds
from tests.fuzz.engine import Check, Target
from tests.fuzz.files import folder


@contextmanager
def checking_settings() -> Iterator[Check]:
    """Settings, routes and prices of a `config.toml`, or a `ConfigError`."""
    with folder() as scratch:

        def check(data: bytes) -> None:
            (scratch / "config.toml").write_bytes(data)
            try:
                given = settings.load({"home": str(scratch)}, {})
                Routes(given).decide("/v1/chat/completions", {}, model="gpt-5")
                PriceBook(given.pricing)
            except ConfigError as error:
                assert error.message

        yield check


def check_variables(data: bytes) -> None:
    """The same of variables, `NAME=VALUE` a line."""
    pairs = (line.partition("=") for line in data.decode("utf-8", "surrogateescape").split("\n"))
    environ = {name: value for name, _, value in pairs if name and "\0" not in name + value}
    try:
        given = settings.load({"home": "/nonexistent"}, environ | {"HOME": "/nonexistent"})
        Routes(given)
        PriceBook(given.pricing)
    except ConfigError as error:
        assert error.message


_TOML = (
    b'port = 4100\nhost = "127.0.0.1"\nupstream = "https://api.openai.com"\nsearch = true\ndb_url = "sqlite:///x.db"\n'
    b'llm_hosts = {"llm.example:8080" = "openai.chat"}\nconnect = {"h:443" = "http://127.0.0.1:1"}\n'
    b'discovery_peers = ["gpu.example:11434"]\nupstream_proxy = ""\n',
    b'[endpoints.box]\nurl = "http://127.0.0.1:8000/v1"\nkey_env = "BOX_KEY"\nmodels = ["m1"]\nprovider = "openai"\n'
    b'[routes]\n"gpt-*" = "openai"\n"m9" = {to = "box", model = "m1", key_env = "K"}\n[findings]\n',
    b"pricing = {m = {input = 1.5, output = 2}, n = [0.1, 0.2]}\n[findings]\nloop_calls = 4\n",
)
_VARIABLES = (
    b"LLMPROF_PORT=4100\nLLMPROF_UPSTREAM=https://h:8443/v1\nLLMPROF_LLM_HOSTS=a.example=openai.chat,b:80=ollama.chat",
    b"LLMPROF_ENDPOINT_BOX_URL=http://127.0.0.1:1/v1\nLLMPROF_ENDPOINT_BOX_MODELS=m1,m2\nLLMPROF_ENDPOINT_BOX_KEY=k",
    b'LLMPROF_PRICING={"m": {"input": 2.5, "output": 10}}\nHTTPS_PROXY=http://u:p@proxy:3128\nLLMPROF_CONNECT=h:1=http://h',
)


def check_pricing(data: bytes) -> None:
    """Rates, or a `ConfigError`."""
    try:
        read_overrides(data.decode("utf-8", "surrogateescape"))
    except ConfigError as error:
        assert error.message


@contextmanager
def checking_baselines() -> Iterator[Check]:
    """What was measured, or a `ConfigError`."""
    with folder() as scratch:
        path = scratch / "baseline.json"

        def check(data: bytes) -> None:
            path.write_bytes(data)
            try:
                measured = read_baseline(path)
            except ConfigError:
                return
            assert measured.calls >= 0

        yield check


@cache
def _baseline_seeds() -> tuple[bytes, ...]:
    head = {"llmprof_baseline": 1, "llmprof_version": "0.1.0", "calls": 3, "failed_calls": 0, "models": ["m"]}
    counts = dict.fromkeys(("input_tokens", "output_tokens", "breaks", "context", "growth", "schema_tokens"), 7)
    shares = dict.fromkeys(("cache_hit", "window", "growth_share"), 0.25)
    tail = {"tokens": {"system": 3}, "cost_usd": "0.0123", "estimated": ["context"], "unknown": {"window": "no model"}}
    return (json.dumps(head | counts | shares | tail).encode(),)


def check_limits(data: bytes) -> None:
    """Limits as they are typed, one text for all of them and each alone."""
    written = data.decode("utf-8", "surrogateescape")
    for name in (field.name for field in fields(Limits)):
        try:
            value = getattr(limits(**{name: written}), name)
        except ConfigError:
            continue
        found = value if isinstance(value, int | Fraction) else -1
        assert found >= 0, f"{name} is {value!r:.80}"


@contextmanager
def checking_preferences() -> Iterator[Check]:
    """Values of the asked type, whatever the files of the home say; they can be changed and are kept."""
    with folder() as scratch:
        path = scratch / "ui.json"
        (scratch / "proxies").mkdir()

        def check(data: bytes) -> None:
            path.write_bytes(data)
            kept = Preferences(path)
            assert isinstance(kept.get("theme", "dark"), str)
            assert isinstance(kept.get("runs.descending", True), bool)
            kept.set("theme", f"theme-{crc32(data)}")
            assert Preferences(path).get("theme", "") == f"theme-{crc32(data)}", "a change is not kept"
            (scratch / "proxies" / "1.json").write_bytes(data)
            read_state(scratch / "proxies" / "1.json")
            living(scratch)

        yield check


_UI = (
    b'{"theme": "llmprof-dark", "runs.period": "week", "runs.descending": true, "levels": {"a": "b"}, "x": ["y"]}',
    b'{"pid": 1, "version": "0.1.0", "ports": {"reverse": 4000, "forward": 4001}, "upstreams": {"openai": "https://h"},'
    b' "started_ns": 1, "in_flight": 0, "queued_bytes": 0, "dropped_bodies": 0}',
)


@cache
def _routes() -> tuple[Routes, ...]:
    boxed = {"LLMPROF_ENDPOINT_BOX_URL": "http://127.0.0.1:1/v1", "LLMPROF_ENDPOINT_BOX_MODELS": "m1,m2"}
    other = boxed | {"LLMPROF_UPSTREAM": "http://gateway.example/v1"}
    return tuple(Routes(settings.load({"home": "/nonexistent"}, environ)) for environ in ({}, boxed, other))


def check_path(data: bytes) -> None:
    """Every path leads somewhere or nowhere; first line the path, second a header's value, third a body."""
    path, said, body = (*data.decode("utf-8", "surrogateescape").split("\n", 2), "", "", "")[:3]
    path = f"/{path}"
    for routes in _routes():
        for provider in (None, said):
            decided = routes.decide(path, {"authorization": said}, provider=provider, model=model_name.in_path(path))
            assert decided.url is None or decided.url.path.endswith(path.rpartition("/")[2]), "the path is another"
    registry.is_llm_call("POST", said, path, {said: "openai.chat"}, port=80)
    registry.by_name(said)
    model_name.replaced_in_path(path, said.encode("utf-8", "replace").decode())  # of the settings, hence text
    if (found := model_name.in_body(body.encode("utf-8", "surrogateescape"))) is not None:
        again = model_name.replaced_in_body(body.encode("utf-8", "surrogateescape"), "other")
        assert model_name.in_body(again) == "other", f"{found!r} was not replaced"


def _path_seeds() -> list[bytes]:
    rest = (b'\ngroq\n{"messages": [], "model": "gpt-5", "x": "\\u00e9"}', b"\nBearer sk-ant-fake\n{}", b"\nbox\n[]")
    paths = [one.url.partition("://")[2].partition("/")[2].encode() for one in seeds.exchanges()]
    prefixed = [
        b"passthrough/groq/v1/x",
        b"gemini/v1beta/models/g:generateContent?key=x",
        b"ollama/api/chat",
        b"/",
        b"%2f",
    ]
    return [path + rest[number % 3] for number, path in enumerate(dict.fromkeys([*paths, *prefixed]))]


def check_query(data: bytes) -> None:
    """A query, or a `QueryError` of one line each."""
    try:
        parse_query(data.decode("utf-8", "replace"))
    except QueryError as error:
        assert "\n" not in error.message + error.hint, "more than a line"


QUERIES = (
    *(b'flaky upload* "connection refused" tool:bash after:2026-11-01', b"has:break cost>0.5 -model:opus tokens>=50k"),
    *(
        b"name.of/something -word status:5xx",
        b'tag:team:blue before:2026-11-20T09:30Z "open',
        b"NEAR(a b) OR AND NOT ^x",
    ),
    *(b"cost:$1.5 tokens<5m provider:anthropic app:claude", "größe 東京 🦊* résumé".encode()),
)

TARGETS = (
    Target(name="config.toml", seeds=lambda: _TOML, mutate=mutators.text, opened=checking_settings),
    Target(name="variables", seeds=lambda: _VARIABLES, mutate=mutators.text, check=check_variables),
    Target(
        name="pricing",
        seeds=lambda: [b'{"my-model": {"input": 2.5, "output": 10, "cache_read": 0.25}, "other": [0.001, 0.002]}'],
        mutate=mutators.json_,
        check=check_pricing,
    ),
    Target(name="baseline", seeds=_baseline_seeds, mutate=mutators.json_, opened=checking_baselines),
    Target(
        name="limits",
        seeds=lambda: [b"0.50", b"$2", b"12000", b"20k", b"80%", b"8_000", b"1.5M", b"1e3", b"NaN", b"-1"],
        mutate=mutators.text,
        check=check_limits,
    ),
    Target(name="preferences", seeds=lambda: _UI, mutate=mutators.json_, opened=checking_preferences),
    Target(name="paths", seeds=_path_seeds, mutate=mutators.text, check=check_path),
    Target(name="query", seeds=lambda: QUERIES, mutate=mutators.text, check=check_query),
)
