"""A run with all that a report tells of it -> sums by component, and the JSON of both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmprof_addon.export.findings import findings_json
from llmprof_addon.export.shapes import call_json, component_json, run_json
from llmprof_addon.model.component import Component, Kind, KindTotal
from llmprof_addon.model.cost import usd
from llmprof_addon.model.finding import Finding
from llmprof_addon.model.part import Json
from llmprof_addon.model.usage import Source
from llmprof_addon.store.rows import CallRow, LaneRow, RunRow


@dataclass(slots=True, kw_only=True)
class KindSum:
    """One kind of component over all calls of a run, in prompts or in answers."""

    kind: Kind
    answer: bool
    tokens: int = 0
    read: int = 0
    cost: int | None = None
    """Pico-dollars; `None` if all calls that have it are unpriced,"""
    bounded: bool = False
    """else at least so many, if some are."""
    estimated: bool = False

    def add(self, total: KindTotal) -> None:
        """Take in what one call has of it."""
        self.tokens += total.tokens
        self.read += total.read
        self.cost = self.cost if total.cost is None else (self.cost or 0) + total.cost
        self.bounded |= total.cost is None
        self.estimated |= total.source is Source.ESTIMATED and total.tokens > 0


def kind_sums(calls: Iterable[CallRow]) -> list[KindSum]:
    """Sums over the calls of a run, the dearest first; of calls that failed without usage nothing was billed."""
    found: dict[tuple[bool, Kind], KindSum] = {}
    for call in calls:
        prompt = call.composition if call.usage.input_tokens is not None else ()
        for answer, totals in ((False, prompt), (True, call.output_composition)):
            for total in totals:
                key = answer, total.kind
                found.setdefault(key, KindSum(kind=total.kind, answer=answer)).add(total)
    some = [one for one in found.values() if one.tokens or one.cost]
    return sorted(some, key=lambda one: (-(one.cost or 0), -one.tokens, one.answer, one.kind.value))


def report_json(
    row: RunRow,
    lanes: Sequence[LaneRow],
    findings: Sequence[Finding],
    calls: Sequence[CallRow],
    largest: tuple[str, Sequence[Component]],
) -> dict[str, Json]:
    """The run, its findings, its dollars by component, its calls by start, and id and tree of its largest prompt."""
    return {
        "run": run_json(row, lanes),
        "findings": findings_json(findings),
        "kinds": [
            {
                "kind": one.kind.value,
                "in": "answer" if one.answer else "prompt",
                "tokens": one.tokens,
                "read_tokens": one.read,
                "estimated": one.estimated,
                "cost_usd": usd(one.cost),
            }
            for one in kind_sums(calls)
        ],
        "calls": [call_json(call) for call in calls],
        "largest": {"id": largest[0], "components": [component_json(each) for each in largest[1]]},
    }
