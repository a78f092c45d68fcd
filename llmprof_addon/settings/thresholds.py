"""The table `[findings]` of `config.toml` as thresholds."""

from dataclasses import fields
from typing import Any

from llmprof_addon.errors import ConfigError
from llmprof_addon.model.thresholds import Thresholds

_DEFAULTS = {field.name: field.default for field in fields(Thresholds)}


def read_thresholds(table: object, where: str) -> Thresholds:
    """Thresholds, those that the table leaves out as they are. Raises `ConfigError`."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    numbers: dict[str, Any] = {name: _number(name, value, where) for name, value in table.items()}
    return Thresholds(**numbers)


def _number(name: str, value: object, where: str) -> float:
    default = _DEFAULTS.get(name)
    if default is None:
        raise ConfigError(f"{where} holds an unknown threshold: {name}", hint=f"known are {', '.join(_DEFAULTS)}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} in {where} must be a number, not {value!r}")
    if isinstance(default, float):
        if not 0 <= value <= 1:
            raise ConfigError(f"{name} in {where} must be a part of 1, from 0 to 1, not {value!r}")
        return float(value)
    if not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name} in {where} must be a whole number above 0, not {value!r}")
    return value
