"""Calls that failed or were cut off, and were billed all the same."""

from collections import Counter
from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding
from llmprof_addon.model.run_tree import RunCall

CODE = "billed_failures"


def find(run: RunView) -> Iterable[Finding]:
    """All that they cost."""
    failed = [at for at, call in enumerate(run.calls) if call.failed and call.cost is not None and call.cost.total]
    if not failed:
        return ()
    reasons = Counter(_reason(run.calls[at]) for at in failed)
    said = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common(3))
    retried = sum(run.calls[at].link == "retry" for at in range(len(run.calls)))
    return run.saving(
        CODE,
        f"{len(failed)} calls that brought no whole answer were billed: {said}"
        + (f"; {retried} retries" if retried else ""),
        "find out why they ended early: timeouts, limits, people who pressed stop",
        [run.whole(at, _reason(run.calls[at])) for at in failed],
        estimated=any(run.calls[at].usage.source != "reported" for at in failed),
    )


def _reason(call: RunCall) -> str:
    if call.status is not None and call.status >= 400:
        return f"with status {call.status}"
    return "cut off" if call.outcome == "aborted" else "with an error"
