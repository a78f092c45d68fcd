"""Tokens as the provider reported them, normalised so that parts never exceed their totals."""

from dataclasses import dataclass, field
from enum import StrEnum

from llmprof_addon.model.part import Json


class Source(StrEnum):
    """Where a number of tokens comes from."""

    REPORTED = "reported"
    COUNTED = "counted"
    """By the exact tokenizer and the measured framing rules."""
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """`None` = not reported, never 0 in its place. Cache reads and writes are included in `input_tokens`, reasoning in
    `output_tokens`, whatever the wire's own habit."""

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    """All writes: 5m + 1h + other."""
    cache_creation_5m_input_tokens: int | None = None
    cache_creation_1h_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    billed_input_tokens: int | None = None
    """What is charged of the input, where the provider says that it is less than what it counts."""
    by_modality: tuple[tuple[str, int], ...] = ()
    """(`input_audio`, tokens) and the like, included in the totals above."""
    server_tool_requests: tuple[tuple[str, int], ...] = ()
    """(`web_search`, requests): billed per request, beside tokens."""
    source: Source = Source.REPORTED
    raw: Json = field(default=None, compare=False)
    """What stood on the wire."""
