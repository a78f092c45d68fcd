"""The real agents, unmodified and offline: `llmprof run -- claude …` and `codex …` against a loopback provider.

Each is run alone, by base URL, and then through the proxy; what it says and how it ends is the same, and what the
provider was asked is what is stored. Installed by `make e2e-agents`, under `.agents`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.spool import files
from llmprof_addon.spool.proxies import living
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.e2e.agents import claude_provider, codex_provider
from tests.e2e.agents.errand import OTHER_HOST
from tests.e2e.rawserver import RawServer
from tests.e2e.replay import Replay, server_context
from tests.e2e.running import ROOT, llmprof, rows, until
from tests.e2e.sockets import Sockets

BIN = ROOT / ".agents" / "node_modules" / ".bin"
KEYS = {"ANTHROPIC_API_KEY": "sk-ant-fake-0123456789-of-agents", "CODEX_API_KEY": "sk-fake-0123456789-of-agents"}
CLAUDE = ("claude", "-p", "Count, then find out what ticks.", "--allowedTools", "Bash", "Agent")
# The sandbox of its shell needs rights that a container may lack; what the shell runs is this test's own.
CODEX = ("codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-m", "gpt-5.5")

pytestmark = [
    pytest.mark.agents,
    pytest.mark.skipif(not BIN.exists(), reason="needs node and npm, and what `make e2e-agents` installs"),
]


@dataclass
class Stage:
    """One agent's provider, and a scratch home for each time that it is run."""

    folder: Path
    name: str
    url: str
    asked: Any
    """Gives the bodies of the LLM calls that the provider has seen."""
    other: RawServer
    authority: Path
    runs: int = field(default=0)

    def run(self, *words: str, through: tuple[str, ...] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the agent, alone or through `llmprof run` with these flags."""
        self.runs += 1
        home = self.folder / f"{self.runs}"
        (home / "codex").mkdir(parents=True)
        (home / "work").mkdir()
        command = [str(BIN / words[0]), *words[1:]]
        environ = {"HOME": str(home), "CODEX_HOME": str(home / "codex"), "PATH": os.environ["PATH"], **KEYS}
        if through is not None:
            command = [sys.executable, "-m", "llmprof_addon", "run", "--home", str(self.home), *through, "--", *command]
            hosts = ("api.openai.com", "api.anthropic.com")
            led = [*(f"{host}:443={self.url}" for host in hosts), f"{OTHER_HOST}:443={self.other.url}"]
            environ |= {
                "PYTHONPATH": str(ROOT),
                "LLMPROF_CONNECT": ",".join(led),
                "LLMPROF_UPSTREAM": self.url,
                "LLMPROF_ANTHROPIC_UPSTREAM": self.url,
                "LLMPROF_CAPTURE": str(self.home / "kept"),
                "LLMPROF_LOCAL_DISCOVERY": "0",
                "CURL_CA_BUNDLE": str(self.authority),
            }
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 180}
        return subprocess.run(command, cwd=home / "work", env=environ, **given)

    @property
    def home(self) -> Path:
        """llmprof's."""
        return self.folder / "llmprof"

    def kept(self) -> list[Exchange]:
        """What was recorded of calls; what only warms up a socket is none."""
        found = [files.decode(path.read_bytes()) for path in sorted((self.home / "kept").glob("*.exchange"))]
        return [exchange for exchange in found if b'"generate":false' not in exchange.request_body]


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """`request.param`: claude, codex over WebSocket, or codex over HTTP."""
    context, authority = server_context(tmp_path, [OTHER_HOST])
    context.set_alpn_protocols(["http/1.1"])
    with ExitStack() as stack:
        other = stack.enter_context(RawServer(tls=context))
        script = codex_provider.Script()
        if request.param == "codex-socket":
            sockets = stack.enter_context(Sockets(script.over_socket))
            url, asked = sockets.url, lambda: list(script.messages)
        else:
            module = claude_provider if request.param == "claude" else codex_provider
            answer = claude_provider.provider if request.param == "claude" else script.over_http
            replay = stack.enter_context(Replay(answer))
            url, asked = replay.url, lambda: [each.body for each in replay.requests if module.is_call(each)]
        made = Stage(tmp_path, request.param, url, asked, other, authority)
        yield made
        until(lambda: not living(made.home), 30)  # the proxy that was started ends by itself


def digest(body: bytes) -> str:
    """What tells bodies apart."""
    return hashlib.sha256(body).hexdigest()


def assert_recorded(stage: Stage, before: int, way: str) -> list[dict[str, Any]]:
    """Every call that the provider saw is stored once, as it was, and nothing else is; the laws hold."""
    asked = stage.asked()[before:]
    found = rows(stage.home)
    assert len(found) == len(asked)
    # By digest, so that no failure prints the vendor's prompt.
    assert Counter(digest(exchange.request_body) for exchange in stage.kept()) == Counter(map(digest, asked))
    for row in found:
        status = 101 if row["transport"] == "websocket" else 200
        assert (row["mode"], row["status"], row["outcome"], row["error"]) == (way, status, "complete", None)
        assert row["usage"]["source"] == "reported"
        assert sum(row["composition"].values()) == row["usage"]["input_tokens"]
    assert len({row["run_id"] for row in found}) == 1
    checked = llmprof(stage.home, "selftest")
    assert checked.returncode == 0, checked.stdout
    for key in KEYS.values():
        assert [path for path in stage.home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()] == []
    if way == "forward" and shutil.which("curl"):  # with the certificate of its own, which the proxy does not trust
        assert any(request.startswith(b"GET / HTTP/1.1") for request in stage.other.received)
    return found


def told(stage: Stage, way: str, found: list[dict[str, Any]]) -> None:
    """The transcript, without any text of a prompt."""
    for row in found:
        usage, agent = row["usage"], row.get("lane") or "-"
        kinds = ", ".join(f"{name} {tokens}" for name, tokens in row["composition"].items())
        counts = f"{usage['input_tokens']:>6} in {usage['output_tokens']:>3} out"
        print(f"{stage.name:12} {way:7} {row['transport']:9} {row['request_model']:20} {counts} {agent} {kinds}")


@pytest.mark.parametrize("stage", ["claude"], indirect=True)
@pytest.mark.parametrize("way", ["forward", "reverse"])
def test_claude_code(stage: Stage, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KEYS, "ANTHROPIC_BASE_URL", stage.url)
    alone = stage.run(*CLAUDE)
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.splitlines()[-1] == claude_provider.FINAL
    monkeypatch.delitem(KEYS, "ANTHROPIC_BASE_URL")
    before = len(stage.asked())
    done = stage.run(*CLAUDE, through=("--require", *(["--reverse"] if way == "reverse" else [])))
    assert done.returncode == alone.returncode, done.stderr
    # A sub-agent that ends late is told of in a turn of its own, which says the same again.
    assert set(done.stdout.split("\n")) == set(alone.stdout.split("\n"))
    found = assert_recorded(stage, before, way)
    assert {row["app"] for row in found} == {"claude-code"}
    told(stage, way, found)
    assert len(found) >= 4
    sent = Counter(exchange.header("x-claude-code-agent-id") for exchange in stage.kept())
    assert sent.keys() - {None}  # the sub-agent's calls
    with open_store(f"sqlite:///{stage.home}/llmprof.db", read_only=True) as store:
        assert Counter(row.identity.get("agent") for row in queries.calls(store)) == sent
    (run,) = [json.loads(line) for line in llmprof(stage.home, "runs", "--json").stdout.splitlines()]
    assert run["key"].startswith("x-claude-code-session-id:")


@pytest.mark.parametrize("stage", ["codex-socket", "codex-http"], indirect=True)
@pytest.mark.parametrize("way", ["forward", "reverse"])
def test_codex(stage: Stage, way: str) -> None:
    question = "Count twice."
    alone = stage.run(*CODEX, "-c", f'openai_base_url="{stage.url}/v1"', question)
    assert (alone.returncode, alone.stdout) == (0, f"{codex_provider.FINAL}\n"), alone.stderr
    before = len(stage.asked())
    assert before == codex_provider.TOOL_CALLS + 1
    done = stage.run(*CODEX, question, through=("--require", *(["--reverse"] if way == "reverse" else [])))
    assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout), done.stderr
    found = assert_recorded(stage, before, way)
    told(stage, way, found)
    assert {row["app"] for row in found} == {"codex"}
    assert {row["transport"] for row in found} == {"websocket" if stage.name == "codex-socket" else "sse"}
    assert len(found) == codex_provider.TOOL_CALLS + 1
    assert {"tool_schemas", "system", "tool_calls", "tool_results"} <= found[-1]["composition"].keys()
    (run,) = [json.loads(line) for line in llmprof(stage.home, "runs", "--json").stdout.splitlines()]
    assert "session" in run["key"]
