"""Where each setting is looked for, and who reads it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmprof_addon.errors import ConfigError
from llmprof_addon.settings.endpoints import read_endpoints, read_routes
from llmprof_addon.settings.readers import (
    parse_endpoint,
    read_bodies,
    read_connect,
    read_db_url,
    read_file,
    read_flag,
    read_folder,
    read_json_text,
    read_limit,
    read_llm_hosts,
    read_origins,
    read_path,
    read_peers,
    read_port,
    read_proxy,
    read_text,
)
from llmprof_addon.settings.thresholds import read_thresholds
from llmprof_addon.settings.values import Endpoint, Settings, variable

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


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
    home = read_path(value or "~/.llmprof", source)
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
    where = str(home / "config.toml")
    values["endpoints"] = read_endpoints(file.get("endpoints", {}), f"[endpoints] of {where}", environ)
    values["routes"] = read_routes(file.get("routes", {}), f"[routes] of {where}")
    values["findings"] = read_thresholds(file.get("findings", {}), f"[findings] of {where}")
    values["no_proxy"] = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    settings = Settings(**values)
    if settings.port == settings.forward_port != 0:
        raise ConfigError(
            f"the reverse and the forward listener cannot share port {settings.port}",
            hint="give another one with --forward-port or LLMPROF_FORWARD_PORT",
        )
    if settings.bodies == "off" and settings.capture is not None:
        raise ConfigError(
            "LLMPROF_BODIES=off keeps no bodies, and LLMPROF_CAPTURE saves them whole", hint="take one of the two away"
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
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    allowed = sorted({*_READERS, "endpoints", "routes", "findings"} - {"home"})
    for name in table:
        if name not in allowed:
            raise ConfigError(f"{path} holds an unknown setting: {name}", hint=f"known are {', '.join(allowed)}")
    return table


_READERS: dict[str, Callable[[object, str], Any]] = {
    "home": read_path,
    "host": read_text,
    "port": read_port,
    "forward_port": read_port,
    "upstream": parse_endpoint,
    "anthropic_upstream": parse_endpoint,
    "local_discovery": read_flag,
    "discovery_peers": read_peers,
    "db_url": read_db_url,
    "pricing": read_json_text,
    "capture": read_folder,
    "debug": read_flag,
    "search": read_flag,
    "bodies": read_bodies,
    "bodies_days": read_limit,
    "calls_days": read_limit,
    "max_db_mb": read_limit,
    "llm_hosts": read_llm_hosts,
    "upstream_ca": read_file,
    "upstream_proxy": read_proxy,
    "allow_origins": read_origins,
    "connect": read_connect,
}
_EMPTY_MEANS_NONE = ("upstream_proxy",)
"""An empty variable counts as not set, but for the proxy: there it says that there is none."""
