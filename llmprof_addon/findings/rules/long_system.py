"""A system prompt that is long by itself."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Finding

CODE = "long_system"


def find(run: RunView) -> Iterable[Finding]:
    """The largest one of the run, and how many calls had one that is too long."""
    sizes = {
        at: sum(total.tokens for total in call.composition if total.kind is Kind.SYSTEM)
        for at, call in enumerate(run.calls)
    }
    long = [at for at, tokens in sizes.items() if tokens >= run.thresholds.long_system_tokens]
    if long:
        largest = max(long, key=lambda at: (sizes[at], -at))
        parts = sorted(run.tree.above(run.calls[largest].system), key=lambda node: (-run.raw_tokens(node), node))
        yield run.note(
            CODE,
            f"the system prompt has ≈{sizes[largest]:,} tokens, in {len(long):,} calls",
            "move what is seldom needed into files or tools that are read on demand",
            [run.shown(run.first_carriers.get(node, largest), node) for node in parts[:8]],
            calls=len(long),
            estimated=True,
        )
