"""Prompts that are almost only what was said and done before."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Finding

CODE = "history_share"
KINDS = (Kind.ASSISTANT, Kind.REASONING, Kind.TOOL_CALLS, Kind.TOOL_RESULTS)


def find(run: RunView) -> Iterable[Finding]:
    """Its share of all input, in runs whose prompts grow large."""
    tokens, whole = run.kind_tokens(*KINDS), run.input_tokens
    large = [
        at
        for at, call in enumerate(run.calls)
        if sum(total.tokens for total in call.composition if total.kind in KINDS) >= run.thresholds.history_tokens
    ]
    if large and tokens >= run.thresholds.history_share * whole:
        largest = sorted(run.of_kind(*KINDS), key=lambda node: (-run.raw_tokens(node), node))[:8]
        yield run.note(
            CODE,
            f"history and tool results are {tokens / whole:.0%} of the input: ≈{tokens:,} of {whole:,} tokens",
            "compact earlier, clear old tool results, or give sub-tasks to agents with a context of their own",
            [run.shown(run.first_carriers[node], node) for node in largest],
            calls=len(large),
            estimated=True,
        )
