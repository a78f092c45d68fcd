"""Calls that lost their cached prefix -> cells and orders of their table, and what is said of them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.style import Style
from rich.text import Text

from llmprof_addon.export.cache import CAUSES, LOSS_SIGNS, Loss, RunCache, in_words, lives, where
from llmprof_addon.export.text import UNKNOWN, counted, dollars, duration, plain, tokens
from llmprof_tui.widgets.columns import Column
from llmprof_tui.widgets.facts import Fact

COLUMNS = (
    Column(key="number", title="call", width=5),
    Column(key="cause", title="cause", width=34, least=26, grow=2, left=True),
    Column(key="where", title="first difference", width=26, least=12, grow=1, left=True, leaves=2),
    Column(key="lost", title="lost", width=7),
    Column(key="wasted", title="wasted", width=8),
    Column(key="idle", title="unused for", width=10, leaves=1),
    Column(key="kept", title="kept", width=7, leaves=3, sorts=False),
    Column(key="said", title="provider says", width=22, least=13, left=True, leaves=4, sorts=False),
)

_KEYS: dict[str, Callable[[Loss], Any]] = {
    "number": lambda loss: loss.call.place,
    "cause": lambda loss: cause_of(loss),
    "where": lambda loss: where(loss.verdict.first_diff) if loss.verdict.first_diff else "",
    "lost": lambda loss: loss.verdict.lost,
    "wasted": lambda loss: (loss.verdict.wasted is not None, loss.verdict.wasted or 0, loss.verdict.lost),
    "idle": lambda loss: loss.idle.seconds if loss.idle else -1,
}


def ordered(losses: Sequence[Loss], key: str, *, descending: bool) -> list[Loss]:
    """In the order of a column; ties by start."""
    return sorted(losses, key=_KEYS[key], reverse=descending)


def cause_of(loss: Loss) -> str:
    """The cause in words."""
    return CAUSES[loss.verdict.cause] if loss.verdict.cause else UNKNOWN


def loss_cells(loss: Loss, sign: Style) -> tuple[Text | str, ...]:
    """The cells of a loss, in the order of `COLUMNS`; `sign` is the style of its sign."""
    verdict, idle = loss.verdict, loss.idle
    over = idle is not None and idle.seconds >= idle.may_expire_s
    waited = Text(duration(round(idle.seconds * 1e9)) if idle else UNKNOWN, style="bold" if over else "")
    return (
        f"{loss.call.place:,}",
        Text.assemble((f"{LOSS_SIGNS[verdict.status]} ", sign), cause_of(loss)),
        plain(where(verdict.first_diff)) if verdict.first_diff else Text(UNKNOWN, style="dim"),
        tokens(verdict.lost, estimated=verdict.estimated),
        dollars(verdict.wasted),
        waited,
        lives(idle) if idle else UNKNOWN,
        plain(verdict.provider_reason) if verdict.provider_reason else Text(UNKNOWN, style="dim"),
    )


def loss_exact(loss: Loss, key: str) -> str | None:
    """What a cell says under the mouse, by its column's key."""
    verdict, idle = loss.verdict, loss.idle
    mark = "≈" if verdict.estimated else ""
    match key:
        case "cause" | "where":
            return plain(in_words(verdict))
        case "lost":
            return (
                f"{mark}{verdict.lost:,} of {verdict.expected:,} tokens were paid for anew, {verdict.read:,} were read"
            )
        case "wasted" if verdict.wasted is None:
            return "no price is known for this call"
        case "idle" | "kept" if idle is not None:
            return f"unused for {idle.seconds:,.0f} s; kept for {lives(idle)}"
        case "said" if verdict.provider_reason is None:
            return "the provider said nothing of it"
    return None


def sums(found: RunCache) -> Iterator[Fact]:
    """A run's cache in facts, the most important first."""
    tally = found.tally
    breaks = sum(LOSS_SIGNS[loss.verdict.status] == "✂" for loss in found.losses)
    expiries = len(found.losses) - breaks
    ratio = UNKNOWN if tally.hit_ratio is None else f"{100 * tally.hit_ratio:.1f}%"
    yield (("read from cache ", "dim"), (ratio, "good"))
    if not found.losses:
        yield (("nothing lost", "good"),)
    if breaks:
        yield ((f"✂ {counted(breaks, 'break')}", "warn"),)
    if expiries:
        yield ((f"⏱ {counted(expiries, 'expiry', 'expiries')}", "accent"),)
    estimated = any(loss.verdict.estimated for loss in found.losses)
    if found.losses:
        yield (("lost ", "dim"), (tokens(tally.lost, estimated=estimated), "strong"))
        yield (("wasted ", "dim"), (dollars(tally.wasted), "strong"))
    factor = UNKNOWN if tally.rewrite_factor is None else f"{tally.rewrite_factor:.2f}"
    yield (("re-write factor ", "dim"), (factor, ""))
    bounded = tally.unpriced > 0
    cost, perfect = (dollars(amount, at_least=bounded) for amount in (tally.cost, tally.perfect_cost))
    yield ((cost, ""), (", with a perfect cache ", "dim"), (perfect, ""))
    if tally.unpriced:
        yield ((f"{counted(tally.unpriced, 'call')} unpriced", "warn"),)
    if found.judged < found.calls:
        yield ((f"{counted(found.calls - found.judged, 'call')} without a verdict", "dim"),)


def by_cause(found: RunCache) -> Iterator[Fact]:
    """What each cause did, the dearest first."""
    for cause, losses in found.tally.by_cause.items():
        said = f" {losses.calls:,}×  {tokens(losses.lost)}  {dollars(losses.wasted)}"
        yield ((CAUSES[cause], ""), (said, "dim"))


def heading(loss: Loss) -> list[Fact]:
    """What is said above the texts of a loss."""
    verdict = loss.verdict
    facts: list[Fact] = [
        ((f"{LOSS_SIGNS[verdict.status]} call {loss.call.place:,}", "strong"), (f"  {cause_of(loss)}", ""))
    ]
    if verdict.first_diff is not None:
        facts.append(((plain(where(verdict.first_diff)), "accent"),))
    if loss.idle is not None:
        waited = duration(round(loss.idle.seconds * 1e9))
        over = loss.idle.seconds >= loss.idle.may_expire_s
        facts.append((("unused for ", "dim"), (waited, "warn" if over else ""), (f", kept {lives(loss.idle)}", "dim")))
    if verdict.provider_reason:
        facts.append((("the provider says ", "dim"), (plain(verdict.provider_reason), "strong")))
    return facts
