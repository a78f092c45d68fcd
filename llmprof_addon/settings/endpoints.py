"""`LLMPROF_ENDPOINT_<NAME>_…`, `[endpoints.NAME]` and `[routes]` as values.

Whether the names lead anywhere is for whoever knows the providers. No key is read here, nor said in an error.
"""

import re
from collections.abc import Mapping
from typing import Any

from llmprof_addon.errors import ConfigError
from llmprof_addon.settings.readers import parse_endpoint, read_names, read_text
from llmprof_addon.settings.values import NamedEndpoint, Route, canonical, variable

_VARIABLE = re.compile(r"LLMPROF_ENDPOINT_(.+)_(URL|KEY|MODELS|PROVIDER)", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_TAKEN = re.compile(r"llmprof|passthrough|v\d.*")
"""Names that a reverse-mode path may begin with for another reason."""
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELDS = ("url", "key_env", "models", "provider")
_SUFFIXES = ("_URL", "_KEY", "_MODELS", "_PROVIDER")

Given = dict[str, tuple[object, str]]
"""What was said of one endpoint: value and its source by field."""


def read_endpoints(table: object, where: str, environ: Mapping[str, str]) -> dict[str, NamedEndpoint]:
    """The endpoints of the file's table and of the variables, which win field by field. Raises `ConfigError`."""
    given: dict[str, Given] = {}
    for name, fields in _tables(table, where, _FIELDS).items():
        given.setdefault(_name(name, where), {}).update(fields)
    for name, value in environ.items():
        if not value or not name.upper().startswith(variable("endpoint_")):
            continue
        match = _VARIABLE.fullmatch(name)
        if match is None:
            raise ConfigError(f"{name} is no setting", hint=f"it must end in {', '.join(_SUFFIXES)}")
        field = match[2].lower()
        # Of a key its variable's name is kept.
        said = {"key_env": (name, name)} if field == "key" else {field: (value, name)}
        given.setdefault(_name(match[1], name), {}).update(said)
    return {name: _endpoint(name, fields) for name, fields in given.items()}


def _endpoint(name: str, given: Given) -> NamedEndpoint:
    if "url" not in given or not given["url"][0]:
        source = next((source for _, source in given.values()), "[endpoints]")
        raise ConfigError(
            f"{source}: the endpoint {name} has no URL",
            hint=f"set {variable(f'endpoint_{name.replace("-", "_")}_url')}",
        )
    said = {field: read_text(*given[field]).strip() for field in ("key_env", "provider") if field in given}
    if "key_env" in said:
        _check_variable(said["key_env"], given["key_env"][1])
    return NamedEndpoint(
        name=name,
        base=parse_endpoint(*given["url"]),
        key_variable=said.get("key_env") or None,
        models=read_names(*given["models"]) if "models" in given else (),
        provider=said.get("provider") or None,
    )


def read_routes(table: object, where: str) -> tuple[Route, ...]:
    """The lines of `[routes]`: `"MODEL" = "NAME"`, or `"MODEL" = {to = "NAME", model = "…", key_env = "…"}`."""
    if not isinstance(table, dict):
        raise ConfigError(f'{where} must be a table of "MODEL" = "PROVIDER or ENDPOINT"')
    plain = {pattern: {"to": value} if isinstance(value, str) else value for pattern, value in table.items()}
    return tuple(
        _route(pattern, fields, f'"{pattern}" in {where}')
        for pattern, fields in _tables(plain, where, ("to", "model", "key_env")).items()
    )


def _route(pattern: str, given: Given, source: str) -> Route:
    said = {field: read_text(*value).strip() for field, value in given.items()}
    if not pattern or "*" in pattern[:-1]:
        raise ConfigError(f"{source} must be a model's exact name or prefix*")
    if not said.get("to"):
        raise ConfigError(f"{source} leads nowhere", hint='name a provider or an endpoint: to = "NAME"')
    if "key_env" in said:
        _check_variable(said["key_env"], source)
    return Route(
        pattern=pattern,
        to=canonical(said["to"]),
        model=said.get("model") or None,
        key_variable=said.get("key_env") or None,
    )


def _tables(table: object, where: str, allowed: tuple[str, ...]) -> dict[str, Given]:
    """Tables by name, each field with its source."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    found: dict[str, Given] = {}
    fields: Any
    for name, fields in table.items():
        if not isinstance(fields, dict):
            raise ConfigError(f"{name} in {where} must be a table with {', '.join(allowed)}")
        for field in fields:
            if field not in allowed:
                raise ConfigError(f"{where} {name} holds an unknown field: {field}", hint=_hint(field, allowed))
        found[name] = {field: (value, f"{field} of {name} in {where}") for field, value in fields.items()}
    return found


def _hint(field: str, allowed: tuple[str, ...]) -> str:
    if field in ("key", "api_key"):
        return "keys stay in the environment: key_env names the variable"
    return f"known are {', '.join(allowed)}"


def _name(name: str, source: str) -> str:
    found = canonical(name)
    if not _NAME.fullmatch(found) or _TAKEN.fullmatch(found):
        raise ConfigError(f"{source}: {name!r} cannot be the name of an endpoint", hint="letters, digits, -")
    return found


def _check_variable(name: str, source: str) -> None:
    # What is no name of a variable may be a key: it is not repeated.
    if not _VARIABLE_NAME.fullmatch(name):
        raise ConfigError(f"{source} must be the name of an environment variable, which holds the key")
