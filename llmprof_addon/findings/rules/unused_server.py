"""MCP servers of which not a single tool was called."""

from collections.abc import Iterable

from llmprof_addon.findings.tool_use import bound, shares_of, unused
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding

CODE = "unused_server"


def find(run: RunView) -> Iterable[Finding]:
    """One finding a server."""
    found = unused(run)
    for server in sorted(found.servers):
        tools = {key for key in found.tools if key[0] == server}
        calls, needed = bound(found, tools)
        yield from run.saving(
            CODE,
            f"none of the {len(tools)} tools of {server} called in {calls} ({{tokens}} tokens)",
            f"turn the server off for such runs: it is needed in {needed}",
            [run.part(node, share=share, name=server) for node, share in shares_of(run, tools)],
        )
