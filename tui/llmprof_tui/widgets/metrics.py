"""What the width of a frame can stand for: a table, so that another measure is another row."""

from collections.abc import Callable
from dataclasses import dataclass

from llmprof_addon.export import text
from llmprof_addon.model.component import Component
from llmprof_addon.model.usage import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measure of a component."""

    key: str
    unit: str
    """As it stands behind a number of it; empty where the number says."""
    weigh: Callable[[Component], int | None]
    """The amount; `None` where it is unknown."""
    write: Callable[[Component], str]
    """The amount in a few cells."""
    missing: str
    """What is said of a tree whose amount is unknown."""
    along_cache: bool = False
    """Whether the cached prefix is a stretch of the width."""
    of_run: bool = False
    """Whether it is an amount of the run, which other trees hold."""


TOKENS = Metric(
    key="tokens",
    unit="tokens",
    weigh=lambda component: component.tokens,
    write=lambda component: text.tokens(component.tokens, estimated=component.token_source is Source.ESTIMATED),
    missing="There is nothing in it.",
    along_cache=True,
)
DOLLARS = Metric(
    key="dollars",
    unit="",
    weigh=lambda component: component.cost,
    write=lambda component: text.dollars(component.cost),
    missing="No price is known for this model: dollars cannot be drawn. LLMPROF_PRICING can give one.",
)
RENT = Metric(
    key="rent",
    unit="of rent up to this call",
    weigh=lambda component: component.cost,
    write=lambda component: text.dollars(component.cost),
    missing="No rent is known: of an answer, or of a prompt whose model has no known price.",
    of_run=True,
)
METRICS = (TOKENS, DOLLARS, RENT)
