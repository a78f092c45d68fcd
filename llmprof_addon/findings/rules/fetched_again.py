"""The same file, page or query fetched again, with the same result, while the first one still stands in the prompt."""

from collections.abc import Iterable

from llmprof_addon.findings.copies import refetched
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding

CODE = "fetched_again"


def find(run: RunView) -> Iterable[Finding]:
    """The later results could be saved."""
    found = refetched(run)
    tools = sorted({run.name(node) for node in found})
    number = "1 result is one" if len(found) == 1 else f"{len(found)} results are ones"
    return run.saving(
        CODE,
        f"{number} that {', '.join(tools[:3])} had given before, asked the same: {{tokens}} tokens",
        "answer a repeated call with a pointer to the earlier result, or have the agent keep track of what it read",
        [run.part(node) for node in found],
    )
