"""The SDKs live in an environment of their own (`make e2e-sdks`): without them nothing here is collected."""

import os
import shlex
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.e2e.replay import Replay
from tests.e2e.running import Proxy, clean_environ, llmprof, running
from tests.e2e.sdks.provider import AWS_KEY_ID, AWS_SECRET, HOSTS, KEY, provider

collect_ignore_glob = [] if find_spec("boto3") and find_spec("litellm") else ["*.py"]


@pytest.fixture(scope="session")
def upstream() -> Iterator[Replay]:
    with Replay(provider) as server:
        yield server


@pytest.fixture(scope="session")
def proxy(upstream: Replay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """One proxy for all; at its end the laws hold for all that was stored, and no key is below its home."""
    home = tmp_path_factory.mktemp("sdks") / "home"
    there = ",".join(f"{host}:443={upstream.url}" for host in HOSTS)
    endpoints = {
        "LLMPROF_ENDPOINT_BEDROCK_URL": "https://bedrock-runtime.us-east-1.amazonaws.com",
        "LLMPROF_ENDPOINT_OLLAMA_URL": "https://ollama.com",
    }
    with running(home, connect=there, upstream_proxy="", **endpoints) as proxy:
        yield proxy
    checked = llmprof(home, "selftest")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for secret in (KEY, AWS_KEY_ID, AWS_SECRET):
        held = [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert held == []


@pytest.fixture(params=["reverse", "forward"], scope="session")
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def environ(proxy: Proxy, way: str) -> Iterator[dict[str, str]]:
    """The environment of programs, which is that of this process too: what `llmprof env` prints, and no other proxy."""
    before = dict(os.environ)
    environ = clean_environ()
    environ.pop("NO_PROXY", None)
    environ.pop("SSL_CERT_DIR", None)
    printed = llmprof(proxy.home, "env", "--shell", "sh", *(["--reverse"] if way == "reverse" else []))
    assert printed.returncode == 0, printed.stderr
    for line in printed.stdout.splitlines():
        word, said = shlex.split(line)
        if word == "export":
            name, _, value = said.partition("=")
            environ[name] = value
    os.environ.clear()
    os.environ.update(environ)
    yield environ
    os.environ.clear()
    os.environ.update(before)
