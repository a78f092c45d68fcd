"""The one place that reads flags, environment, `config.toml` and defaults, in this order of precedence.

A value that cannot be right is a `ConfigError` that names the flag, variable or key it came from.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from llmprof_addon.errors import ConfigError, StartError

DB_SCHEMES = ("sqlite", "postgresql", "postgres")
_API = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


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
    def url(self) -> str:
        """The base URL, without a trailing slash; the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme] == self.port
        return f"{self.scheme}://{host}{'' if usual else f':{self.port}'}{self.path}"


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
    db_url: str
    pricing: str | None = None
    """JSON text of price overrides."""
    capture: Path | None = None
    """Folder into which each call is saved as a replayable exchange file."""
    debug: bool = False
    llm_hosts: Mapping[str, str] = field(default_factory=dict)
    """`host` or `host:port` (lower case) to the API dialect that it speaks: decrypted and recorded in forward mode."""
    upstream_ca: Path | None = None
    """PEM file of authorities to trust beside the usual ones."""
    upstream_proxy: Endpoint | None = None
    no_proxy: str = ""
    """Hosts that are reached without `upstream_proxy`, in the form of the variable `NO_PROXY`."""
    connect: Mapping[str, Endpoint] = field(default_factory=dict)
    """`host:port` to where to connect instead."""

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
        """The variables with which a child process loads these very settings."""
        plain = {
            "home": self.home,
            "host": self.host,
            "port": self.port,
            "forward_port": self.forward_port,
            "upstream": self.upstream.url,
            "anthropic_upstream": self.anthropic_upstream.url,
            "db_url": self.db_url,
            "pricing": self.pricing or "",
            "capture": self.capture or "",
            "debug": int(self.debug),
            "llm_hosts": ",".join(f"{host}={api}" for host, api in self.llm_hosts.items()),
            "upstream_ca": self.upstream_ca or "",
            "upstream_proxy": self.upstream_proxy.url if self.upstream_proxy else "",
            "connect": ",".join(f"{address}={there.url}" for address, there in self.connect.items()),
        }
        return {variable(name): str(value) for name, value in plain.items()}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"LLMPROF_{name.upper()}"


def load(flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from flags (by field name; `None` = not given), variables, `config.toml` in the home, and defaults.

    Reads files, creates none. Raises `ConfigError`.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    if unknown := given.keys() - _READERS.keys():
        raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
    environ = os.environ if environ is None else environ

    def find(name: str, file: Mapping[str, object]) -> tuple[str, object] | None:
        if name in given:
            return f"--{name.replace('_', '-')}", given[name]
        if variable(name) in environ:
            return variable(name), environ[variable(name)]
        return (f"{name} in {home / 'config.toml'}", file[name]) if name in file else None

    source, value = find("home", {}) or ("home", "~/.llmprof")
    home = _path(value or "~/.llmprof", source)
    file = _read_config(home / "config.toml")
    values: dict[str, Any] = {"home": home, "db_url": f"sqlite:///{home.as_posix()}/llmprof.db"}
    for name, read in _READERS.items():
        found = find(name, file)
        if name == "home" or found is None:
            continue
        source, value = found
        if value == "" and name not in _EMPTY_MEANS_NONE:
            continue
        values[name] = read(value, source)
    values["no_proxy"] = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    settings = Settings(**values)
    if settings.port == settings.forward_port != 0:
        raise ConfigError(
            f"the reverse and the forward listener cannot share port {settings.port}",
            hint="give another one with --forward-port or LLMPROF_FORWARD_PORT",
        )
    if "upstream_proxy" not in values:
        values["upstream_proxy"] = _found_proxy(settings, environ)
        settings = Settings(**values)
    return settings


def _found_proxy(settings: Settings, environ: Mapping[str, str]) -> Endpoint | None:
    """The `HTTPS_PROXY` of the environment, unless it is ourselves."""
    name = next((name for name in ("https_proxy", "HTTPS_PROXY") if environ.get(name)), None)
    if name is None:
        return None
    value = environ[name]
    try:
        proxy = parse_endpoint(value if "://" in value else f"http://{value}", name)
    except ConfigError:  # socks5:// and the like are not meant for us, and no reason to refuse a report
        return None
    ours = proxy.port in (settings.port, settings.forward_port) and proxy.host in (*_LOOPBACK, settings.host)
    return None if ours else proxy


def _read_config(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    import tomllib  # only where there is such a file: a frozen mitmdump may lack the module

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    allowed = sorted(_READERS.keys() - {"home"})
    for name in table:
        if name not in allowed:
            raise ConfigError(f"{path} holds an unknown setting: {name}", hint=f"known are {', '.join(allowed)}")
    return table


def _text(value: object, source: str) -> str:
    if not isinstance(value, str | os.PathLike):
        raise ConfigError(f"{source} must be text, not {value!r}")
    return os.fspath(value)


def _path(value: object, source: str) -> Path:
    try:
        return Path(_text(value, source)).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"{source}: no home directory to expand ~ with", hint="give a full path") from error


def _file(value: object, source: str) -> Path | None:
    if not value:
        return None
    path = _path(value, source)
    if not path.is_file():
        raise ConfigError(f"{source}: no such file: {path}")
    return path


def _folder(value: object, source: str) -> Path | None:
    return _path(value, source) if value else None


def _port(value: object, source: str) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = -1
    if isinstance(value, bool) or not 0 <= port <= 65535:
        raise ConfigError(f"{source} must be a port number, 0 to 65535 (0 = any free one), not {value!r}")
    return port


def _flag(value: object, source: str) -> bool:
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ConfigError(f"{source} must be 1 or 0, not {value!r}")


def _db_url(value: object, source: str) -> str:
    url = _text(value, source)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in DB_SCHEMES or not rest:
        raise ConfigError(
            f"{source}: {scheme!r} is no database that llmprof knows" if separator else f"{source} is no URL: {url!r}",
            hint="use sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
        )
    return url


def parse_endpoint(value: object, source: str) -> Endpoint:
    """The endpoint of a base URL; raises `ConfigError` that names `source`."""
    url = _text(value, source).strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{source} is no URL: {url!r} ({error})") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"{source} must look like https://host[:port][/prefix], not {url!r}")
    return Endpoint(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or {"http": 80, "https": 443}[parts.scheme],
        path=parts.path.rstrip("/"),
        userinfo=unquote(parts.netloc.rpartition("@")[0]),
    )


def _proxy(value: object, source: str) -> Endpoint | None:
    return parse_endpoint(value, source) if value else None


def _json(value: object, source: str) -> str:
    return json.dumps(value) if isinstance(value, dict) else _text(value, source)


def _pairs(value: object, source: str, form: str) -> list[tuple[str, str]]:
    """A table of `config.toml`, or `key=value,key=value`."""
    if isinstance(value, dict):
        return [(str(key).lower(), _text(item, source)) for key, item in value.items()]
    pairs = []
    for item in _text(value, source).split(","):
        key, separator, there = item.strip().partition("=")
        if not item.strip():
            continue
        if not separator or not key.strip() or not there.strip():
            raise ConfigError(f"{source} must look like {form}, not {item.strip()!r}")
        pairs.append((key.strip().lower(), there.strip()))
    return pairs


def _llm_hosts(value: object, source: str) -> dict[str, str]:
    form = "host[:port]=api,… (e.g. llm.corp.example=openai.chat)"
    hosts = dict(_pairs(value, source, form))
    for address, api in hosts.items():
        if not _API.fullmatch(api) or not _is_address(address, port_needed=False):
            raise ConfigError(f"{source} must look like {form}, not {f'{address}={api}'!r}")
    return hosts


def _connect(value: object, source: str) -> dict[str, Endpoint]:
    form = "host:port=http[s]://host:port,…"
    connect = {}
    for address, url in _pairs(value, source, form):
        if not _is_address(address, port_needed=True):
            raise ConfigError(f"{source} must look like {form}, not {f'{address}={url}'!r}")
        there = parse_endpoint(url, source)
        if there.path:
            raise ConfigError(f"{source}: {url!r} says where to connect, and so can hold no path")
        connect[address] = there
    return connect


def _is_address(address: str, *, port_needed: bool) -> bool:
    try:
        parts = urlsplit(f"//{address}")
        port = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and parts.netloc == address and "@" not in address and (bool(port) or not port_needed)


_READERS: dict[str, Callable[[object, str], Any]] = {
    "home": _path,
    "host": _text,
    "port": _port,
    "forward_port": _port,
    "upstream": parse_endpoint,
    "anthropic_upstream": parse_endpoint,
    "db_url": _db_url,
    "pricing": _json,
    "capture": _folder,
    "debug": _flag,
    "llm_hosts": _llm_hosts,
    "upstream_ca": _file,
    "upstream_proxy": _proxy,
    "connect": _connect,
}
_EMPTY_MEANS_NONE = ("upstream_proxy",)
"""An empty variable counts as not set, but for the proxy: there it says that there is none."""
