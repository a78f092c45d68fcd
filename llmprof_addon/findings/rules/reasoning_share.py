"""Output that is mostly reasoning."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding

CODE = "reasoning_share"


def find(run: RunView) -> Iterable[Finding]:
    """Its share of all that was answered, as reported."""
    by_call = {at: call.usage.reasoning_output_tokens or 0 for at, call in enumerate(run.calls)}
    tokens, whole = sum(by_call.values()), run.output_tokens
    if tokens >= run.thresholds.reasoning_tokens and tokens >= run.thresholds.reasoning_share * whole:
        thinking = sorted((at for at, number in by_call.items() if number), key=lambda at: (-by_call[at], at))
        yield run.note(
            CODE,
            f"{tokens / whole:.0%} of the output is reasoning: {tokens:,} of {whole:,} tokens",
            "lower the effort, or the budget for thinking, where the task does not need it",
            [run.shown(at) for at in thinking],
            calls=len(thinking),
        )
