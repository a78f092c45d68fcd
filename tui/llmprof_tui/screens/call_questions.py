"""What the screen of a call asks: the call with its texts, and what its run says of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmprof_addon.export.findings import SIGNS
from llmprof_addon.model.component import Component
from llmprof_addon.model.finding import Finding, Severity
from llmprof_tui.source import Source
from llmprof_tui.widgets.entries import answer_entries, prompt_entries
from llmprof_tui.widgets.entry import Entry
from llmprof_tui.widgets.sought import Sought, Spot, spot_of

if TYPE_CHECKING:
    from llmprof_addon.pipeline import Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All that the screen shows of a call but its raw bodies."""

    explained: "Explanation"
    prompt: tuple[Entry, ...]
    answer: tuple[Entry, ...]
    positions: tuple[Component, ...]
    """The prompt in the order in which it is read: made beside the screen, since it takes long."""
    spot: Spot | None = None
    """Where the text stands that was sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The findings of a run that concern one of its calls."""

    call_id: str
    looked: bool
    """Whether the run was looked at."""
    findings: tuple[Finding, ...]
    """With what could be saved in this call alone."""

    @property
    def sign(self) -> str:
        """That of the gravest, and how many there are; nothing where there are none."""
        grave = max((_SEVERITIES.index(found.severity) for found in self.findings), default=None)
        return "" if grave is None else f"{SIGNS[_SEVERITIES[grave]]}{len(self.findings)}"


_SEVERITIES = tuple(Severity)


def loaded(source: Source, call_id: str, sought: Sought | None) -> Loaded:
    """The call with its texts and trees, and where in them a text stands that is sought."""
    explained = source.explain(call_id)
    prompt, answer = tuple(prompt_entries(explained)), tuple(answer_entries(explained))
    spot = None if sought is None else spot_of(sought, prompt, answer)
    return Loaded(explained=explained, prompt=prompt, answer=answer, positions=explained.positions, spot=spot)


def advice(source: Source, explained: "Explanation") -> Advice:
    """What the findings of its run say of a call."""
    row = explained.row
    looked = source.run(row.run_id).findings is not None
    return Advice(call_id=row.id, looked=looked, findings=source.findings_here(explained))
