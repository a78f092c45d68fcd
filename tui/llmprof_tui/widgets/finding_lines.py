"""Findings, and the places that they rest on -> cells, orders and exact numbers of their tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from llmprof_addon.export.findings import SIGNS, FindingRow, Paths, PlaceRow, finding_rows
from llmprof_addon.export.text import UNKNOWN, counted, exact, plain
from llmprof_addon.model.cost import usd
from llmprof_addon.model.finding import Evidence, Finding, Severity
from llmprof_tui.widgets.columns import Column, fit
from llmprof_tui.widgets.facts import Fact
from llmprof_tui.widgets.window_table import GUTTER, MARGIN

COLUMNS = (
    Column(key="severity", title="  finding", width=22, least=18, left=True),
    Column(key="title", title="what is so", width=44, least=24, grow=1, left=True, sorts=False),
    Column(key="calls", title="calls", width=5, leaves=1),
    Column(key="tokens", title="tokens", width=7),
    Column(key="cost", title="saves", width=9),
)
PLACE_COLUMNS = (
    Column(key="call", title="call", width=5, sorts=False),
    Column(key="path", title="where", width=34, least=20, grow=1, left=True, sorts=False),
    Column(key="name", title="what", width=24, least=12, grow=1, left=True, sorts=False),
    Column(key="tokens", title="tokens", width=7, sorts=False),
    Column(key="cost", title="saves", width=9, sorts=False),
)
LOOKS = {Severity.CRITICAL: "bad", Severity.WARNING: "warn", Severity.INFO: "dim"}
_WORDS = {
    Severity.CRITICAL: ("critical", "critical"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFO: ("good to know", "good to know"),
}
_RANKS = {severity: at for at, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """A finding with its words."""

    found: Finding
    said: FindingRow


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLine:
    """A place with its words."""

    found: Evidence
    said: PlaceRow
    estimated: bool
    call: int | None
    """Number of its call in the run, from 1; `None` if it is gone."""


_KEYS: dict[str, Callable[[FindingLine], Any]] = {
    "severity": lambda line: (_RANKS[line.found.severity], line.found.cost or 0),
    "calls": lambda line: line.found.calls,
    "tokens": lambda line: line.found.tokens,
    "cost": lambda line: (line.found.cost is not None, line.found.cost or 0, line.found.tokens),
}


def finding_lines(
    findings: Sequence[Finding], key: str, *, descending: bool, paths: Paths | None = None
) -> list[FindingLine]:
    """In the order of a column; ties as they were found: the dearest first."""
    rows = finding_rows(findings, paths)
    lines = [FindingLine(found=found, said=said) for found, said in zip(findings, rows, strict=True)]
    return sorted(lines, key=_KEYS[key], reverse=descending)


def finding_cells(line: FindingLine, style: Callable[[str], Any]) -> tuple[Text | str, ...]:
    """The cells of a finding, in the order of `COLUMNS`; `style` is that of a look."""
    said = line.said
    label = Text.assemble((f"{said.sign} ", style(LOOKS[said.severity])), (said.label, "bold"))
    return label, plain(said.title), f"{said.calls:,}", said.tokens, Text(said.cost, style="bold")


def finding_exact(line: FindingLine, key: str) -> str | None:
    """What a cell says under the mouse, by its column's key."""
    found = line.found
    match key:
        case "severity":
            return f"{_WORDS[found.severity][0]}: {found.code}"
        case "title":
            return f"{plain(found.title)}\n→ {plain(found.advice)}"
        case "calls":
            return f"concerns {counted(found.calls, 'call')}"
    return _exact(key, found.tokens, found.cost, found.estimated)


def holds_title(title: str, columns: Sequence[Column], width: int) -> bool:
    """Whether the list shows a title whole in a table of so many cells."""
    slots = fit(columns, width - GUTTER - MARGIN)
    return any(columns[slot.index].key == "title" and cell_len(title) <= slot.width for slot in slots)


def _exact(key: str, tokens: int, cost: int | None, estimated: bool) -> str | None:
    if key == "tokens":
        return f"{exact(tokens, estimated=estimated)} tokens" if tokens else "nothing is saved in tokens"
    if key != "cost":
        return None
    if not tokens:
        return "nothing is saved"
    return "no price is known for these calls" if cost is None else f"{'≈' if estimated else ''}${usd(cost)}"


def place_lines(line: FindingLine, places: Mapping[str, int]) -> list[PlaceLine]:
    """The places of a finding; `places` are the numbers of calls by id, from 1."""
    return [
        PlaceLine(found=found, said=said, estimated=line.found.estimated, call=places.get(found.call))
        for found, said in zip(line.found.evidence, line.said.places, strict=True)
    ]


def place_cells(line: PlaceLine) -> tuple[Text | str, ...]:
    """The cells of a place, in the order of `PLACE_COLUMNS`."""
    said = line.said
    whole = Text("the whole call", style="dim")
    return (
        UNKNOWN if line.call is None else f"{line.call:,}",
        plain(said.path) if said.path else whole,
        plain(said.name),
        said.tokens,
        said.cost,
    )


def place_exact(line: PlaceLine, key: str) -> str | None:
    """What a cell says under the mouse, by its column's key."""
    match key:
        case "call":
            return f"call {plain(line.found.call)}"
        case "path" | "name":
            return plain(" ".join(filter(None, (line.said.path, line.said.name)))) or None
    return _exact(key, line.found.tokens, line.found.cost, line.estimated)


def severities(findings: Sequence[Finding]) -> list[Fact]:
    """How many there are of each severity, the gravest first."""
    facts: list[Fact] = []
    for severity in reversed(Severity):
        number = sum(found.severity is severity for found in findings)
        if number:
            one, several = _WORDS[severity]
            facts.append(((f"{SIGNS[severity]} {number:,} {one if number == 1 else several}", LOOKS[severity]),))
    return facts


def copied(line: FindingLine) -> str:
    """A finding with its places, as text."""
    lines = [f"{line.said.sign} {line.said.label}: {line.said.title}", f"→ {line.said.advice}"]
    for place in line.said.places:
        where = " ".join(filter(None, (place.call, place.path, place.name)))
        lines.append(f"{where}: {place.tokens} tokens, {place.cost}")
    return "\n".join(lines)
