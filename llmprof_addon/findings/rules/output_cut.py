"""Answers that ended because the limit on output was reached."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding, Severity

CODE = "output_cut"

LIMITS = frozenset(
    (
        *("length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "model_length", "ERROR_LIMIT"),
        "model_context_window_exceeded",
    )
)
"""Finish reasons of all dialects that say so."""

LEAST = 32
"""An answer of fewer tokens was meant to be short: clients ask for a single token to see whether a key works."""


def find(run: RunView) -> Iterable[Finding]:
    """How many, and what their output cost; whether it was of use nobody can tell."""
    cut = [
        at
        for at, call in enumerate(run.calls)
        if LIMITS & set(call.finish_reasons) and (call.usage.output_tokens or 0) >= LEAST
    ]
    if cut:
        tokens = sum(run.calls[at].usage.output_tokens or 0 for at in cut)
        number = "1 answer was" if len(cut) == 1 else f"{len(cut)} answers were"
        yield run.note(
            CODE,
            f"{number} cut by the limit on output after {tokens:,} tokens",
            "raise the limit of output tokens, or ask for less at a time",
            [run.shown(at, name=run.calls[at].finish_reasons[0]) for at in cut],
            severity=Severity.WARNING,
        )
