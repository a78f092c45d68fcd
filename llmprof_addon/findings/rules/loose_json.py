"""JSON with white space that carries no meaning."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Finding

CODE = "loose_json"
KINDS = (Kind.SYSTEM, Kind.SYSTEM_INJECTION, Kind.USER, Kind.TOOL_RESULTS)


def find(run: RunView) -> Iterable[Finding]:
    """What writing it compactly would save, counted in OpenAI's encoding."""
    found: dict[int, float] = {}
    for node in run.of_kind(*KINDS):
        least = run.thresholds.json_tokens
        said = run.features(node) if run.raw_tokens(node) >= least else None
        if said is not None and said.compact and run.raw_tokens(node) * said.compact >= least:
            found[node] = said.compact
    return run.saving(
        CODE,
        f"indented JSON in {len(found)} parts: {{tokens}} tokens of white space",
        "let tools write JSON without white space, or as a table",
        [run.part(node, share=share) for node, share in found.items()],
    )
