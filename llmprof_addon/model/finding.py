"""What could be saved in a run, or should be known of it: one finding, with the places that show it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Severity(StrEnum):
    """How much a finding matters, the least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    __hash__ = str.__hash__  # that of enumerations is written in Python


type Saves = Literal["part", "call", "rate", "nothing"]
"""What need not have been paid: a `part` in every call that carried it; a whole `call`; of a call's input what was paid
above a cheaper `rate`; or `nothing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One place that a finding rests on, and what could be saved there."""

    saves: Saves
    call: str
    """Id of the call to look at: the first one that is concerned."""
    node: str | None = None
    """Key (hex) of the part in the store's tree; `None` for what concerns the whole call."""
    path: str = ""
    """JSON path of the part in the body that brought it first."""
    name: str = ""
    """What it is called: a tool, a role, a cause."""
    share: float = 1.0
    """Of a part: how much of it."""
    since_ns: int = 0
    """Of a part: calls that started earlier had reason to carry it."""
    tokens: int = 0
    """Over the run; of a `rate` those that were paid above it."""
    cost: int | None = None
    """Pico-dollars over the run; `None` = unpriced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a run that costs more than it has to, or that is good to know."""

    code: str
    """Stable, of the rule that found it."""
    severity: Severity
    title: str
    """What is so, in one line with its numbers."""
    advice: str
    """What to do, in one line."""
    tokens: int = 0
    """That could be saved over the run; of rates those that were paid above them. 0 where nothing is saved."""
    cost: int | None = 0
    """Pico-dollars that could be saved over the run; `None` = unpriced."""
    calls: int
    """How many calls it concerns."""
    evidence: tuple[Evidence, ...] = ()
    """The dearest first."""
    estimated: bool = True
    """Whether its numbers rest on estimated sizes of parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaimable:
    """What all findings of a run could save together, nothing counted twice."""

    tokens: int = 0
    """That need not have been sent or answered."""
    cost: int | None = 0
    """Pico-dollars, at most what the run cost; `None` if all of its calls are unpriced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """All findings of a run."""

    findings: tuple[Finding, ...] = ()
    """The dearest first, then those that save nothing."""
    reclaimable: Reclaimable = Reclaimable()
    errors: tuple[str, ...] = ()
    """Rules that failed, a line each; the others' findings are there."""
