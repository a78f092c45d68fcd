"""Prompts that are largely tool schemas."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Finding

CODE = "schema_share"


def find(run: RunView) -> Iterable[Finding]:
    """Their share of all input."""
    tokens, whole = run.kind_tokens(Kind.TOOL_SCHEMAS), run.input_tokens
    calls = [
        at
        for at, call in enumerate(run.calls)
        for total in call.composition
        if total.kind is Kind.TOOL_SCHEMAS and total.tokens >= run.thresholds.schema_tokens
    ]
    if calls and tokens >= run.thresholds.schema_share * whole:
        largest = sorted(run.of_kind(Kind.TOOL_SCHEMAS), key=lambda node: (-run.raw_tokens(node), node))[:8]
        yield run.note(
            CODE,
            f"tool schemas are {tokens / whole:.0%} of the input: ≈{tokens:,} of {whole:,} tokens",
            "shorten descriptions, offer fewer tools to each agent, or load them on demand",
            [run.shown(run.first_carriers[node], node) for node in largest],
            calls=len(calls),
            estimated=True,
        )
