"""Text of a flag, a variable or `config.toml` to a value. Each raises `ConfigError` that names its source."""

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from llmprof_addon.errors import ConfigError
from llmprof_addon.settings.values import Endpoint

DB_SCHEMES = ("sqlite", "postgresql", "postgres")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[^\s/:@\[\]?#,*]+)(:\d{1,5})?")
_API = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


def read_text(value: object, source: str) -> str:
    """Text as it is."""
    if not isinstance(value, str | os.PathLike):
        raise ConfigError(f"{source} must be text, not {value!r}")
    return os.fspath(value)


def read_path(value: object, source: str) -> Path:
    """A path, absolute, `~` expanded."""
    try:
        return Path(read_text(value, source)).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"{source}: no home directory to expand ~ with", hint="give a full path") from error


def read_file(value: object, source: str) -> Path | None:
    """A file that exists; empty: none."""
    if not value:
        return None
    path = read_path(value, source)
    if not path.is_file():
        raise ConfigError(f"{source}: no such file: {path}")
    return path


def read_folder(value: object, source: str) -> Path | None:
    """A folder, which may not exist yet; empty: none."""
    return read_path(value, source) if value else None


def read_port(value: object, source: str) -> int:
    """A port number; 0 stands for any free one."""
    try:
        port = int(str(value))
    except ValueError:
        port = -1
    if isinstance(value, bool) or not 0 <= port <= 65535:
        raise ConfigError(f"{source} must be a port number, 0 to 65535 (0 = any free one), not {value!r}")
    return port


def read_flag(value: object, source: str) -> bool:
    """1 or 0, true or false, yes or no, on or off."""
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ConfigError(f"{source} must be 1 or 0, not {value!r}")


def read_bodies(value: object, source: str) -> str:
    """What is kept of prompts and answers."""
    word = str(value).strip().lower()
    if word not in ("full", "redacted", "off"):
        raise ConfigError(f"{source} must be full, redacted or off, not {value!r}")
    return word


def read_limit(value: object, source: str) -> int:
    """A number of days or megabytes, above 0."""
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[1-9][0-9]{0,6}", text, re.ASCII):
        raise ConfigError(f"{source} must be a whole number above 0, of at most 7 digits, not {value!r}")
    return int(text)


def read_db_url(value: object, source: str) -> str:
    """The URL of a store."""
    url = read_text(value, source)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in DB_SCHEMES or not rest:
        raise ConfigError(
            f"{source}: {scheme!r} is no database that llmprof knows" if separator else f"{source} is no URL: {url!r}",
            hint="use sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
        )
    return url


def parse_endpoint(value: object, source: str) -> Endpoint:
    """The endpoint of a base URL; raises `ConfigError` that names `source`."""
    url = read_text(value, source).strip()
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


def read_proxy(value: object, source: str) -> Endpoint | None:
    """The base URL of a proxy; empty: none."""
    return parse_endpoint(value, source) if value else None


def read_json_text(value: object, source: str) -> str:
    """JSON as text, or as a table of `config.toml`."""
    return json.dumps(value) if isinstance(value, dict) else read_text(value, source)


def _pairs(value: object, source: str, form: str) -> list[tuple[str, str]]:
    """A table of `config.toml`, or `key=value,key=value`."""
    if isinstance(value, dict):
        return [(str(key).lower(), read_text(item, source)) for key, item in value.items()]
    pairs = []
    for item in read_text(value, source).split(","):
        key, separator, there = item.strip().partition("=")
        if not item.strip():
            continue
        if not separator or not key.strip() or not there.strip():
            raise ConfigError(f"{source} must look like {form}, not {item.strip()!r}")
        pairs.append((key.strip().lower(), there.strip()))
    return pairs


def read_llm_hosts(value: object, source: str) -> dict[str, str]:
    """`host[:port]=api,…` as a mapping."""
    form = "host[:port]=api,… (e.g. llm.corp.example=openai.chat)"
    hosts = dict(_pairs(value, source, form))
    for address, api in hosts.items():
        if not _API.fullmatch(api) or not _is_address(address, port_needed=False):
            raise ConfigError(f"{source} must look like {form}, not {f'{address}={api}'!r}")
    return hosts


def read_connect(value: object, source: str) -> dict[str, Endpoint]:
    """`host:port=URL,…` as a mapping."""
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


def read_names(value: object, source: str) -> tuple[str, ...]:
    """A list of `config.toml`, or `name,name`."""
    items = value if isinstance(value, list) else read_text(value, source).split(",")
    return tuple(name for item in items if (name := read_text(item, source).strip()))


def read_origins(value: object, source: str) -> tuple[str, ...]:
    """Origins of pages, as browsers send them: `scheme://host[:port]`."""
    origins = tuple(origin.lower().removesuffix("/") for origin in read_names(value, source))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigError(f"{source} must look like https://app.example[:port],…, not {origin!r}")
    return origins


def read_peers(value: object, source: str) -> tuple[str, ...]:
    """Other machines: `host` or `host:port`."""
    peers = read_names(value, source)
    for peer in peers:
        if not _is_address(peer, port_needed=False):
            raise ConfigError(f"{source} must look like host[:port],…, not {peer!r}")
    return peers
