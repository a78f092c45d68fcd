"""What was measured once, as a file that is kept with the code: JSON with a version. Raises `ConfigError`."""

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from llmprof_addon import __version__
from llmprof_addon.errors import ConfigError
from llmprof_addon.gate.limits import dollars
from llmprof_addon.gate.measure import Measured, Number
from llmprof_addon.model.component import Kind
from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json

VERSION = 1

_COUNTS = ("input_tokens", "output_tokens", "breaks", "context", "growth", "schema_tokens")
_SHARES = ("cache_hit", "window", "growth_share")


def measured_json(measured: Measured) -> dict[str, Json]:
    """What was measured; `null` is not known, and `unknown` says why."""
    numbers = {name: getattr(measured, name) for name in ("cost", *_COUNTS, *_SHARES)}
    return {
        "calls": measured.calls,
        "failed_calls": measured.failed_calls,
        "models": list(measured.models),
        "cost_usd": usd(measured.cost.value if measured.cost.value is None else int(measured.cost.value)),
        **{name: numbers[name].value for name in _COUNTS},
        **{name: ratio(numbers[name].value) for name in _SHARES},
        "tokens": {kind.value: tokens for kind, tokens in measured.kinds.items()},
        "estimated": sorted(name for name, number in numbers.items() if number.estimated),
        "unknown": {name: number.why for name, number in numbers.items() if number.value is None},
    }


def ratio(value: int | Fraction | None) -> float | None:
    """A share with six decimals, cut off: a run is never worse than its own baseline."""
    return None if value is None else int(value * 10**6) / 10**6


def baseline_text(measured: Measured) -> str:
    """The file."""
    head = {"llmprof_baseline": VERSION, "llmprof_version": __version__}
    return json.dumps(head | measured_json(measured), indent=1) + "\n"


def read_baseline(path: Path) -> Measured:
    """The numbers of a file. Raises `OSError` where it cannot be read."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no baseline: no JSON ({error})", hint=_HINT) from error
    if not isinstance(value, dict) or "llmprof_baseline" not in value:
        raise ConfigError(f"{path} is no baseline of llmprof", hint=_HINT)
    if value["llmprof_baseline"] != VERSION:
        raise ConfigError(
            f"{path} is a baseline of version {value['llmprof_baseline']!r}, this llmprof reads {VERSION}", hint=_HINT
        )
    try:
        return _measured(value)
    except (ConfigError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError(f"{path} is a damaged baseline: {type(error).__name__}: {error}", hint=_HINT) from error


_HINT = "`llmprof baseline RUN > FILE` writes one"


def _measured(value: Mapping[str, Any]) -> Measured:
    unknown, estimated, tokens = dict(value.get("unknown", {})), list(value.get("estimated", [])), value["tokens"]

    def number(name: str, found: int | Fraction | None) -> Number:
        return Number(value=found, why=str(unknown.get(name, "")), estimated=name in estimated)

    cost = value["cost_usd"]
    if not isinstance(tokens, dict) or not isinstance(cost, (str, type(None))):
        raise TypeError("tokens is no object, or cost_usd no string")
    return Measured(
        calls=_count(value["calls"]) or 0,
        failed_calls=_count(value["failed_calls"]) or 0,
        models=tuple(map(str, value["models"])),
        cost=number("cost", None if cost is None else dollars(cost, "cost_usd")),
        kinds={kind: _count(tokens[kind.value]) or 0 for kind in Kind if kind.value in tokens},
        **{name: number(name, _count(value[name])) for name in _COUNTS},
        **{name: number(name, _share(value[name])) for name in _SHARES},
    )


def _count(value: object) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    raise TypeError(f"{value!r} is no whole number")


def _share(value: object) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Fraction(str(value))
    raise TypeError(f"{value!r} is no share")
