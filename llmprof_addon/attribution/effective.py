"""Usage that every call has: what the provider reported, and where it did not, what was counted or estimated."""

from collections.abc import Sequence
from dataclasses import replace

from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.usage import Source, Usage


def effective_usage(
    reported: Usage | None, prompt: Sequence[Leaf], answer: Sequence[Leaf], *, failed: bool, cut: bool
) -> Usage:
    """Reported usage with its gaps filled from the leaves as they are before reconciliation.

    A reported 0 counts as not reported where there is a prompt, or where something was written; so does an input of
    which the cache is said to hold more than all: such numbers contradict each other, whichever is wrong. Where a
    stream was cut, the output reported so far is a first count, and what was received may be more. Output of which
    neither a number nor a part was received (a saved flow without its streamed body) stays `None`. Of a call that
    failed without usage, also in the middle of its answer, nobody knows what was billed: its totals stay `None`.
    """
    usage = reported or Usage()
    if failed and not usage.input_tokens and not usage.output_tokens:
        return replace(usage, input_tokens=None, output_tokens=None)
    source = usage.source
    received = sum(leaf.tokens for leaf in answer)
    written = any(leaf.tokens for leaf in answer if leaf.kind is not Kind.PROVIDER_OVERHEAD)
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    if usage.input_tokens is None or (usage.input_tokens <= 0 and prompt) or cached > usage.input_tokens:
        # Parts of an input that is not known mean nothing.
        usage = replace(
            usage,
            input_tokens=sum(leaf.tokens for leaf in prompt),
            cache_read_input_tokens=None,
            cache_creation_input_tokens=None,
            cache_creation_5m_input_tokens=None,
            cache_creation_1h_input_tokens=None,
            by_modality=tuple(pair for pair in usage.by_modality if not pair[0].startswith("input_")),
        )
        source = _weaker(source, prompt)
    reported_output = usage.output_tokens or 0
    if usage.output_tokens is None and not answer:  # the body is not there: nobody knows how much was in it
        return replace(usage, source=source)
    if usage.output_tokens is None or (written and not reported_output) or (cut and reported_output < received):
        usage = replace(usage, output_tokens=received)
        source = _weaker(source, answer)
    return replace(usage, source=source)


def _weaker(source: Source, leaves: Sequence[Leaf]) -> Source:
    if source is Source.ESTIMATED or any(leaf.source is Source.ESTIMATED and leaf.tokens for leaf in leaves):
        return Source.ESTIMATED
    return Source.COUNTED
