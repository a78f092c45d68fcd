"""Tool results so long that what goes beyond a limit is paid for in every call after."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Finding

CODE = "oversized_result"


def find(run: RunView) -> Iterable[Finding]:
    """What stands beyond the limit could be saved."""
    limit = run.thresholds.oversized_result_tokens
    # Raw counts may be half of what is billed: sorted out by them, judged by the other.
    likely = [node for node in run.of_kind(Kind.TOOL_RESULTS) if run.raw_tokens(node) > limit // 3]
    large = [(node, tokens) for node in likely if (tokens := run.tokens_of(node)) > limit]
    if not large:
        return ()
    most = max(tokens for _, tokens in large)
    number = "1 tool result" if len(large) == 1 else f"{len(large)} tool results"
    return run.saving(
        CODE,
        f"{number} of more than {limit:,} tokens, the largest of ≈{most:,}: {{tokens}} tokens beyond that were carried",
        f"let the tool page, filter or cut its output at {limit:,} tokens, and ask for more when it is needed",
        [run.part(node, share=1 - limit / tokens) for node, tokens in large],
    )
