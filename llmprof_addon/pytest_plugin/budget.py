"""What the options ask of every test, and where the baseline of a test lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from llmprof_addon.errors import ConfigError
from llmprof_addon.gate.limits import Limits, Written, limits, share


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a test is held to."""

    limits: Limits
    folder: Path | None
    """Of the tests' baselines."""
    tolerance: Fraction
    writes: bool = False
    """Write the baselines instead of comparing with them."""


def budget(given: Mapping[str, Written], folder: str | None, tolerance: str, *, writes: bool) -> Budget:
    """The options as they were written. Raises `ConfigError`."""
    if writes and folder is None:
        raise ConfigError("write-baseline needs a folder", hint="give --llmprof-baseline DIR")
    wanted, tolerated = limits(**given), share(tolerance, "tolerance")
    return Budget(limits=wanted, folder=Path(folder) if folder else None, tolerance=tolerated, writes=writes)


def baseline_file(folder: Path, nodeid: str) -> Path:
    """The file of a test: `tests/test_agent.py/TestAgent.test_plan[small].json`."""
    file, _, names = nodeid.partition("::")
    *folders, last = [*file.split("/"), names.replace("::", ".")]
    return folder.joinpath(*(_safe(part) for part in folders), f"{_safe(last)}.json")


def _safe(part: str) -> str:
    """A name that no file system takes for another."""
    return quote(part, safe="[]=,+ ") if part.strip(".") else part.replace(".", "%2E")
