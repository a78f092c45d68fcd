"""Prompts in which images, documents or sound outweigh the rest."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import MEDIA
from llmprof_addon.model.finding import Finding

CODE = "media_share"


def find(run: RunView) -> Iterable[Finding]:
    """Their share of all input."""
    tokens, whole = run.kind_tokens(*MEDIA), run.input_tokens
    if tokens >= run.thresholds.media_tokens and tokens >= run.thresholds.media_share * whole:
        carrying = [
            at
            for at, call in enumerate(run.calls)
            if any(total.tokens for total in call.composition if total.kind in MEDIA)
        ]
        largest = sorted(run.of_kind(*MEDIA), key=lambda node: (-run.tokens_of(node), node))[:8]
        yield run.note(
            CODE,
            f"images, documents and audio are {tokens / whole:.0%} of the input: ≈{tokens:,} of {whole:,} tokens",
            "scale images down, send the pages that matter, and drop media once it was described",
            [run.shown(run.first_carriers[node], node) for node in largest] or [run.shown(carrying[0])],
            calls=len(carrying),
            estimated=True,
        )
