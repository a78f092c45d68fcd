"""MCP servers of which not a single tool was called."""

from collections.abc import Iterable

from llmprof_addon.findings.tool_use import shares_of, unused
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding

CODE = "unused_server"


def find(run: RunView) -> Iterable[Finding]:
    """One finding a server."""
    found = unused(run)
    for server in sorted(found.servers):
        tools = {key for key in found.tools if key[0] == server}
        least = min(found.tools[key] for key in tools)
        # The rule of three (Hanley & Lippman-Hand, JAMA 1983): nothing in N trials means at most 3/N, at 95%.
        yield from run.saving(
            CODE,
            f"none of the {len(tools)} tools of {server} called in {least}+ calls ({{tokens}} tokens)",
            f"turn the server off for such runs: it is needed in at most {min(1.0, 3 / least):.0%} of calls (95%)",
            [run.part(node, share=share, name=server) for node, share in shares_of(run, tools)],
        )
