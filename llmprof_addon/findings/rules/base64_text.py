"""Base64 that stands in text, where a model cannot make anything of it."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Finding

CODE = "base64_text"
KINDS = (Kind.SYSTEM, Kind.SYSTEM_INJECTION, Kind.USER, Kind.TOOL_RESULTS)


def find(run: RunView) -> Iterable[Finding]:
    """By characters; base64 takes more tokens a character than text does, so that this is the least it is."""
    found: dict[int, float] = {}
    for node in run.of_kind(*KINDS):
        least = run.thresholds.base64_tokens
        said = run.features(node) if run.raw_tokens(node) >= least else None
        if said is not None and said.base64 and run.raw_tokens(node) * said.base64 >= least:
            found[node] = said.base64
    return run.saving(
        CODE,
        f"base64 in the text of {len(found)} parts: {{tokens}} tokens",
        "cut it out of tool results, or send it as an image or a document",
        [run.part(node, share=share) for node, share in found.items()],
    )
