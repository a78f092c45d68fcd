"""The other proxies for LLM traffic that are compared: what each does, its version, how it is installed and started."""

import hashlib
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

INSTALL_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How one instance is to be started."""

    port: int
    web_port: int
    """For a page of its own, if it has one."""
    upstream: str
    home: Path
    bin: Path
    """Folder of its environment's programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A proxy that is compared."""

    name: str
    requirement: str | None = None
    """In the package index; `None` for what is in this environment already."""
    what: str
    attributes: bool
    """Does it say which part of the prompt has how many tokens?"""
    bodies: bool
    """Does it store prompts and answers?"""
    command: Callable[[Start], list[str]]
    table: str | None = None
    """The table of its database that has a row for each call."""
    prepare: Callable[[Start], None] = field(default=lambda start: None)
    environ: dict[str, str] = field(default_factory=dict)


STREAMING, OURS = "mitmdump, streaming", "llmprof up"


def _mitmdump(start: Start) -> list[str]:
    mode = f"reverse:{start.upstream}@127.0.0.1:{start.port}"
    quiet = ["-q", "--set", "flow_detail=0", "--set", f"confdir={start.home}"]
    return [str(start.bin / "mitmdump"), *quiet, "--mode", mode]


def _streaming_addon(start: Start) -> None:
    (start.home / "stream_all.py").write_text("def responseheaders(flow):\n    flow.response.stream = True\n")


def _streaming(start: Start) -> list[str]:
    return [*_mitmdump(start), "-s", str(start.home / "stream_all.py")]


def _ours(start: Start) -> list[str]:
    where = ["--home", str(start.home), "--port", str(start.port), "--forward-port", "0"]
    return [str(start.bin / "python"), "-m", "llmprof_addon", "up", *where, "--anthropic-upstream", start.upstream]


def _llmprof(start: Start) -> list[str]:
    upstreams = ["--upstream", start.upstream, "--anthropic-upstream", start.upstream]
    return [str(start.bin / "llmprof"), "up", "--host", "127.0.0.1", "--port", str(start.port), *upstreams]


def _observe(start: Start) -> list[str]:
    database = ["--database-url", f"sqlite:///{start.home}/observe.db"]
    where = ["--host", "127.0.0.1", "--port", str(start.port), "--upstream-url", f"{start.upstream}/v1"]
    return [str(start.bin / "llm-observe-proxy"), *where, *database]


def _contextspy_config(start: Start) -> None:
    folder = start.home / ".contextspy"
    folder.mkdir()
    (folder / "config.toml").write_text(
        f'[[reverse_targets]]\nname = "bench"\nlisten_port = {start.port}\ntarget_url = "{start.upstream}"\n'
        'provider = "anthropic"\n'
    )


def _contextspy(start: Start) -> list[str]:
    return [str(start.bin / "contextspy"), "start-local", "--no-browser", "--web-port", str(start.web_port)]


def _claude_tap(start: Start) -> list[str]:
    where = ["--tap-host", "127.0.0.1", "--tap-port", str(start.port), "--tap-target", start.upstream]
    return [str(start.bin / "claude-tap"), *where, "--tap-proxy-mode", "reverse", "--tap-no-launch", "--tap-no-live"]


def _litellm_config(start: Start) -> None:
    (start.home / "config.yaml").write_text(
        "model_list:\n  - model_name: claude-sonnet-4-5\n    litellm_params:\n"
        "      model: anthropic/claude-sonnet-4-5\n"
        f"      api_base: {start.upstream}\n      api_key: sk-fake-benchmark\n"
    )


def _litellm(start: Start) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", str(start.port)]
    return [str(start.bin / "litellm"), "--config", str(start.home / "config.yaml"), "--telemetry", "False", *where]


OWN = (
    Peer(
        name="mitmdump",
        what="stock, no addon: holds each answer until it is complete",
        attributes=False,
        bodies=False,
        command=_mitmdump,
    ),
    Peer(
        name=STREAMING,
        what="stock, with an empty addon that streams",
        attributes=False,
        bodies=False,
        command=_streaming,
        prepare=_streaming_addon,
    ),
    Peer(
        name=OURS,
        what="with its worker: components, prices, runs, bodies with each part once; mitmproxy",
        attributes=True,
        bodies=True,
        command=_ours,
        table="call",
    ),
)
PEERS = (
    Peer(
        name="llmprof (PyPI)",
        requirement="llmprof==0.1.4",
        what="the namesake: six kinds of components by tiktoken, prices, runs; no bodies; FastAPI and httpx",
        attributes=True,
        bodies=False,
        table="traces",
        command=_llmprof,
    ),
    Peer(
        name="llm-observe-proxy",
        requirement="llm-observe-proxy==0.7.0",
        what="usage, prices and all bodies, in SQLite; no attribution; FastAPI and httpx",
        attributes=False,
        bodies=True,
        table="request_records",
        command=_observe,
    ),
    Peer(
        name="contextspy",
        requirement="contextspy==0.6.0",
        what="eight kinds of components by tiktoken, bodies with each block once; no prices; mitmproxy",
        attributes=True,
        bodies=True,
        table="requests",
        command=_contextspy,
        prepare=_contextspy_config,
    ),
    Peer(
        name="claude-tap",
        requirement="claude-tap==0.1.146",
        what="usage and all bodies, in SQLite; no attribution; aiohttp",
        attributes=False,
        bodies=True,
        table="records",
        command=_claude_tap,
    ),
    Peer(
        name="LiteLLM proxy",
        # From 1.104 on it asks for a certifi that came out with it, which mirrors of the index may not have yet.
        requirement="litellm[proxy]==1.100.5",
        what="a gateway: usage and prices, which it stores only in a PostgreSQL server (none here); FastAPI",
        attributes=False,
        bodies=False,
        command=_litellm,
        prepare=_litellm_config,
        environ={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False"},
    ),
)


def cache_folder() -> Path:
    """Where the environments are kept from one run to the next."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmprof" / "benchmarks" / "peers"


def installed(peer: Peer) -> Path:
    """The programs of a peer's own environment, made where it is not there; `RuntimeError` says why it cannot be."""
    if peer.requirement is None:
        return Path(sys.executable).parent
    folder = cache_folder() / peer.requirement.translate(str.maketrans("[]=", "---"))
    stamp = folder / "installed"
    if not stamp.exists():
        print(f"installing {peer.requirement} ...", file=sys.stderr, flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", *_PIP, peer.requirement])
        stamp.touch()
    return folder / "bin"


_PIP = ("--disable-pip-version-check", "--no-input", "--only-binary", ":all:")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not installed within {INSTALL_SECONDS} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise RuntimeError(f"cannot be installed: {said[-1] if said else f'exit code {done.returncode}'}")


def encodings() -> Path:
    """A cache for tiktoken with the two encodings that come with llmprof, so that nobody needs the network."""
    folder = cache_folder() / "tiktoken"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("cl100k_base", "o200k_base"):
        # tiktoken names the files of its cache so.
        address = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
        file = folder / hashlib.sha1(address.encode()).hexdigest()
        if not file.exists():
            packed = files("llmprof_addon.counting").joinpath("data", f"{name}.tiktoken.xz").read_bytes()
            file.write_bytes(lzma.decompress(packed))
    return folder
