"""Tools whose schemas stood in every prompt and that no answer called."""

from collections.abc import Iterable

from llmprof_addon.findings.tool_use import bound, shares_of, unused
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding

CODE = "unused_tools"


def find(run: RunView) -> Iterable[Finding]:
    """Single tools; servers of which none was called are another rule's."""
    found = unused(run)
    tools = {key for key in found.tools if key[0] not in found.servers}
    if not tools:
        return ()
    calls, needed = bound(found, tools)
    names = ", ".join(sorted(name for _, name in tools)[:4]) + (", …" if len(tools) > 4 else "")
    return run.saving(
        CODE,
        f"{len(tools)} of {found.offered} tools never called in {calls}: {names} ({{tokens}} tokens)",
        f"leave them out, or load them on demand: they are needed in {needed}",
        [run.part(node, share=share) for node, share in shares_of(run, tools)],
    )
