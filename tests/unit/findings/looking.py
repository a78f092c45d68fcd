"""What the rules find in a run made by hand."""

from collections.abc import Iterable
from typing import Any

from llmprof_addon.findings.find import all_rules, find_waste
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding
from llmprof_addon.model.run_tree import Rent
from llmprof_addon.model.thresholds import Thresholds
from tests.unit.findings.trees import Builder


def view(builder: Builder, rents: Iterable[Rent] = (), **thresholds: Any) -> RunView:
    return RunView(builder.tree(), tuple(rents), Thresholds(**thresholds))


def found(builder: Builder, rule: str, rents: Iterable[Rent] = (), **thresholds: Any) -> list[Finding]:
    """The findings of one rule; all rules must bear the run, and none of them may reclaim too much."""
    run = view(builder, rents, **thresholds)
    waste = find_waste(run)
    assert waste.errors == ()
    assert waste.reclaimable.cost is None or 0 <= waste.reclaimable.cost <= (run.cost or 0)
    assert 0 <= waste.reclaimable.tokens <= run.input_tokens + run.output_tokens
    for finding in waste.findings:
        assert "\n" not in finding.title + finding.advice
        assert "{" not in finding.title + finding.advice
        assert finding.calls > 0
    return list(all_rules()[rule](run))


def only(builder: Builder, rule: str, rents: Iterable[Rent] = (), **thresholds: Any) -> Finding:
    (finding,) = found(builder, rule, rents, **thresholds)
    return finding
