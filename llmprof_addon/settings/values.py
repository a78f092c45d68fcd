"""What was decided: the types of the settings. No key is ever among them, only the names of variables that hold one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from llmprof_addon.errors import StartError
from llmprof_addon.model.retention import Retention
from llmprof_addon.model.thresholds import Thresholds

type Bodies = Literal["full", "redacted", "off"]

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a connection goes: `scheme` is `http` or `https`; `path` is a prefix without a trailing slash, or empty."""

    scheme: str
    host: str
    port: int
    path: str = ""
    userinfo: str = field(default="", repr=False)
    """`user:password` of a proxy, percent-decoded; no part of `url`."""

    @property
    def address(self) -> str:
        """`host`, and `:port` where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if {"http": 80, "https": 443}[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash; the port only where it is not the scheme's own."""
        return f"{self.scheme}://{self.address}{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedEndpoint:
    """An upstream that the user gave a name: `LLMPROF_ENDPOINT_<NAME>_…` or `[endpoints.NAME]`."""

    name: str
    """In its canonical form; that of a provider stands in for the provider."""
    base: Endpoint
    key_variable: str | None = None
    """The variable whose value is sent as the key where the client sends none."""
    models: tuple[str, ...] = ()
    """Models that are routed here: exact names and `prefix*`."""
    provider: str | None = None
    """Whose paths, key header and prices it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A line of `[routes]`."""

    pattern: str
    """A model's exact name, or `prefix*`."""
    to: str
    """A provider or an endpoint, in its canonical form."""
    model: str | None = None
    """The model to ask for instead."""
    key_variable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What was decided. Port 0 means any free port."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 4000
    """Reverse listener: clients set it as their base URL."""
    forward_port: int = 4001
    """Forward listener: clients set it as their `HTTPS_PROXY`."""
    upstream: Endpoint = Endpoint(scheme="https", host="api.openai.com", port=443)
    anthropic_upstream: Endpoint = Endpoint(scheme="https", host="api.anthropic.com", port=443)
    endpoints: Mapping[str, NamedEndpoint] = field(default_factory=dict)
    """By name."""
    routes: tuple[Route, ...] = ()
    local_discovery: bool = True
    """Look for local servers at start."""
    discovery_peers: tuple[str, ...] = ()
    """`host` or `host:port` of other machines to look at."""
    db_url: str
    pricing: str | None = None
    """JSON text of price overrides."""
    capture: Path | None = None
    """Folder into which each call is saved as a replayable exchange file."""
    debug: bool = False
    search: bool = True
    """Index the texts of prompts and answers, so that they can be searched."""
    bodies: Bodies = "full"
    """What is kept of prompts and answers: `full`; `redacted`, without personal data; `off`, sizes and counts alone."""
    bodies_days: int | None = None
    """After so many days texts are dropped, and numbers stay."""
    calls_days: int | None = None
    """After so many days calls are deleted."""
    max_db_mb: int | None = None
    """From this size of the store on the oldest go: texts first, then calls."""
    findings: Thresholds = field(default_factory=Thresholds)
    """From which numbers on a finding is told; they stand in `config.toml` alone."""
    llm_hosts: Mapping[str, str] = field(default_factory=dict)
    """`host` or `host:port` (lower case) to the API dialect that it speaks: decrypted and recorded in forward mode."""
    upstream_ca: Path | None = None
    """PEM file of authorities to trust beside the usual ones."""
    upstream_proxy: Endpoint | None = None
    no_proxy: str = ""
    """Hosts that are reached without `upstream_proxy`, in the form of the variable `NO_PROXY`."""
    allow_origins: tuple[str, ...] = ()
    """Pages in a browser that may use a proxy without keys: `scheme://host[:port]`, lower case."""
    connect: Mapping[str, Endpoint] = field(default_factory=dict)
    """`host:port` to where to connect instead."""

    @property
    def known_hosts(self) -> Mapping[str, str]:
        """`host[:port]` to dialect, provider or endpoint, of all hosts that only the user knows."""
        named = {each.base.address.lower(): each.provider or each.name for each in self.endpoints.values()}
        return {**named, **self.llm_hosts}

    @property
    def retention(self) -> Retention:
        """For how long what is kept."""
        return Retention(
            bodies_ns=None if self.bodies_days is None else self.bodies_days * _DAY_NS,
            calls_ns=None if self.calls_days is None else self.calls_days * _DAY_NS,
            max_bytes=None if self.max_db_mb is None else self.max_db_mb * 1024 * 1024,
        )

    @property
    def key_variables(self) -> tuple[str, ...]:
        """Variables that hold keys of endpoints and routes."""
        names = [each.key_variable for each in self.endpoints.values()] + [each.key_variable for each in self.routes]
        return tuple(dict.fromkeys(filter(None, names)))

    @property
    def spool_dir(self) -> Path:
        """Folder of exchange files that wait for the worker."""
        return self.home / "spool"

    @property
    def ca_dir(self) -> Path:
        """Folder of the proxy's own certificate authority."""
        return self.home / "ca"

    @property
    def proxies_dir(self) -> Path:
        """Folder of the running proxies' state files."""
        return self.home / "proxies"

    def close_home(self) -> list[str]:
        """Take away what others may do in an existing home and with its files; what was changed, by name in it."""
        changed: list[str] = []
        if os.name == "nt":
            return changed
        private = ("", "spool", "spool/failed", "ca", "proxies", "llmprof.db", "llmprof.db.bak", "token", "ui.json")
        for name in (*private, "llmprof.db-wal", "llmprof.db-shm", "ca/mitmproxy-ca.pem"):
            path = self.home / name
            try:
                mode = path.stat().st_mode & 0o777
                if mode & 0o077:
                    path.chmod(mode & 0o700)
                    changed.append(name or str(self.home))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StartError(
                    f"others may read {path}, and this account cannot change that: {error.strerror}",
                    hint="name a folder of your own with --home or LLMPROF_HOME",
                ) from error
        return changed

    def ensure_home(self) -> Path:
        """Create the home (0700) and prove that it can be written to; raise `StartError` where it cannot."""
        try:
            # Those above it one by one: `parents=True` would leave the home of the demo's home open to everybody.
            above = [folder for folder in reversed(self.home.parents) if not folder.exists()]
            for folder in (*above, self.home, self.spool_dir, self.ca_dir, self.proxies_dir):
                folder.mkdir(mode=0o700, exist_ok=True)
            # A read-only home with all its folders passes mkdir; only writing tells.
            probe = self.home / f".probe-{os.getpid()}"
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StartError(
                f"cannot write to {self.home}: {reason}", hint="name a folder of your own with --home or LLMPROF_HOME"
            ) from error
        return self.home

    def as_environ(self) -> dict[str, str]:
        """The variables with which a child process loads these settings; keys are taken away from it.

        Routes stand in `config.toml` alone, which the child reads as well.
        """
        plain = {
            "home": self.home,
            "host": self.host,
            "port": self.port,
            "forward_port": self.forward_port,
            "upstream": self.upstream.url,
            "anthropic_upstream": self.anthropic_upstream.url,
            "local_discovery": int(self.local_discovery),
            "discovery_peers": ",".join(self.discovery_peers),
            "db_url": self.db_url,
            "pricing": self.pricing or "",
            "capture": self.capture or "",
            "debug": int(self.debug),
            "search": int(self.search),
            "bodies": self.bodies,
            "bodies_days": self.bodies_days or "",
            "calls_days": self.calls_days or "",
            "max_db_mb": self.max_db_mb or "",
            "llm_hosts": ",".join(f"{host}={api}" for host, api in self.llm_hosts.items()),
            "upstream_ca": self.upstream_ca or "",
            "upstream_proxy": self.upstream_proxy.url if self.upstream_proxy else "",
            "allow_origins": ",".join(self.allow_origins),
            "token": "",  # for the proxy alone, like keys
            "connect": ",".join(f"{address}={there.url}" for address, there in self.connect.items()),
        }
        for each in self.endpoints.values():
            name = f"endpoint_{each.name.replace('-', '_')}"
            plain |= {f"{name}_url": each.base.url, f"{name}_models": ",".join(each.models)}
            plain[f"{name}_provider"] = each.provider or ""
        return {variable(name): str(value) for name, value in plain.items()} | dict.fromkeys(self.key_variables, "")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"LLMPROF_{name.upper()}"


def canonical(name: str) -> str:
    """The one spelling of the name of an endpoint or provider: `My_Corp` in a variable, `my-corp` in a path."""
    return name.strip().lower().replace("_", "-").replace(".", "-")
