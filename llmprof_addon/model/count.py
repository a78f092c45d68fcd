"""Raw token counts of a part in one encoding, before any family's coefficients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawCount:
    """Tokens of the part's text by what it is made of; `prose + json + nonlatin` counts the whole text exactly."""

    prose: int = 0
    json: int = 0
    nonlatin: int = 0
    label: int = 0
    """Tokens of the tool's or message's name, which some framings charge beside the text."""
    inner: tuple["RawCount", ...] = ()
    """One for each inner part."""

    @property
    def text(self) -> int:
        """Tokens of the part's own text."""
        return self.prose + self.json + self.nonlatin


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """What has to be tokenised of a call beside the texts of its parts, each by itself: kept with the call, so that no
    tokenizer is needed to lay it out again."""

    prompt: int = 0
    """Tokens around messages, calls and results, the names in their headers among them."""
    preamble: int = 0
    """Tokens around the tools; negative where joining the system prompt saves more than their frame costs."""
    tools: tuple[int, ...] = ()
    """Tokens of each tool and output schema, as the model reads it."""
    inner: tuple[int, ...] = ()
    """Those of the tools that stand inside parts, in their order."""
    answer: int = 0
    """Tokens around what the model wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextKinds:
    """Token sums that a family's coefficients apply to, kept per node as a running total from the root."""

    prose: int = 0
    json: int = 0
    nonlatin: int = 0
    messages: int = 0
    tool_calls: int = 0
