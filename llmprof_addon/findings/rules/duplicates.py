"""Text that stands in a prompt twice: word for word, or nearly."""

from collections.abc import Iterable

from llmprof_addon.findings.copies import copies
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding

EXACT, NEAR = "duplicate", "near_duplicate"


def find(run: RunView) -> Iterable[Finding]:
    """The later copies could be saved; of near ones as much as they have in common."""
    found = copies(run)
    exact = [node for node, share in found.items() if share == 1.0]
    near = {node: share for node, share in found.items() if share < 1.0}
    yield from run.saving(
        EXACT,
        f"{_parts(len(exact))} word for word what stands in the same prompt already: {{tokens}} tokens",
        "send it once and refer to it",
        [run.part(node) for node in exact],
    )
    yield from run.saving(
        NEAR,
        f"{_parts(len(near))} nearly what stands in the same prompt already: {{tokens}} tokens in common",
        "send only what changed, or replace the earlier version when the history is compacted",
        [run.part(node, share=share) for node, share in near.items()],
    )


def _parts(number: int) -> str:
    return "1 part is" if number == 1 else f"{number:,} parts are"
