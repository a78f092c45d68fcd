"""What a person wants to know of a call before its texts: what it was, how large, what it cost, how it ended."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from llmprof_addon.export.text import UNKNOWN, dollars, duration, exact, plain, share, tokens, when
from llmprof_addon.model.usage import Source
from llmprof_tui.widgets.facts import Fact, Told

if TYPE_CHECKING:
    from llmprof_addon.store.rows import CallRow

MOST_WARNINGS = 2
WIDE = 100
"""Cells from which on there is room for what nobody looks at first."""


class CallHeader(Told):
    """`show` gives it a call."""

    DEFAULT_CSS = """
    CallHeader {
        max-height: 9;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._row: CallRow | None = None
        self._state = ""

    def show(self, row: "CallRow") -> None:
        """Show a call."""
        self._row, self._state = row, ""
        self.tell()

    def say(self, state: str) -> None:
        """Say something of the call below all the rest."""
        self._state = state
        self.tell()

    def told(self, width: int) -> Sequence[Text]:
        """What there is to say of the call."""
        if self._row is None:
            return ()
        groups: list[list[Fact]] = list(facts(self._row, wide=width >= WIDE))
        if self._state:
            groups.append([((f"✗ {self._state}", "bad"),)])
        return [line for group in groups for line in self.flow(group, width)]


def facts(row: "CallRow", *, wide: bool = True) -> Iterator[list[Fact]]:
    """What there is to say of a call, group by group; each starts on a line of its own."""
    usage = row.usage
    estimated = usage.source is not Source.REPORTED
    model: list[tuple[str, str]] = [(plain(row.model or "no model"), "strong")]
    if row.request_model and row.response_model and row.request_model != row.response_model:
        model.append((f" asked for {plain(row.request_model)}", "dim"))
    status = "bad" if row.failed else "good"
    ended = f"{row.status or 'no status'}" + ("" if row.outcome == "complete" else f" {row.outcome}")
    yield [
        tuple(model),
        ((f"{plain(row.provider)} · {row.api}{f' · {row.mode}' if wide else ''}", "dim"),),
        ((ended, status), *((f" · {plain(reason)}", "") for reason in row.finish_reasons)),
    ]
    yield [
        (("in ", "dim"), (exact(usage.input_tokens, estimated=estimated), "strong"), *_window(row)),
        _cached(row),
        _output(row, estimated),
        (("cost ", "dim"), (dollars(None if row.cost is None else row.cost.total), "strong")),
    ]
    timing: list[Fact] = [(("total ", "dim"), (duration(row.ended_ns - row.started_ns), ""))]
    if row.first_chunk_ns is not None:
        timing.insert(0, (("first byte ", "dim"), (duration(row.first_chunk_ns - row.started_ns), "")))
    timing += [_calibration(row, estimated), ((when(row.started_ns), "dim"),)]
    yield [*timing, ((f"id {row.id}", "dim"),)] if wide else timing
    if row.error:
        yield [((f"✗ {plain(row.error)}", "bad"),)]
    for warning in row.warnings[:MOST_WARNINGS]:
        yield [((f"! {plain(warning)}", "warn"),)]
    if len(row.warnings) > MOST_WARNINGS:
        yield [((f"! {len(row.warnings) - MOST_WARNINGS} more warnings", "warn"),)]


def _window(row: "CallRow") -> Iterator[tuple[str, str]]:
    of_window = share(row.usage.input_tokens, row.context_window)
    if of_window != UNKNOWN:
        yield f" {of_window} of {tokens(row.context_window)}", "dim"


def _cached(row: "CallRow") -> Fact:
    usage = row.usage
    read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    if read is None and written is None:
        return (("cache –", "dim"),)
    kept = [("cache ", "dim"), (exact(read), "good"), (f" {share(read, usage.input_tokens)}", "dim")]
    if written is not None:
        kept += [(" + ", "dim"), (exact(written), "warn" if written else "dim"), (" written", "dim")]
    return tuple(kept)


def _output(row: "CallRow", estimated: bool) -> Fact:
    out = (("out ", "dim"), (exact(row.usage.output_tokens, estimated=estimated), "strong"))
    if not row.usage.reasoning_output_tokens:
        return out
    return (*out, (f" of it {exact(row.usage.reasoning_output_tokens)} reasoning", "dim"))


def _calibration(row: "CallRow", estimated: bool) -> Fact:
    """What counting made of the prompt, against what was reported."""
    if row.estimated_input_tokens is None:
        return (("counted –", "dim"),)
    if estimated or not row.usage.input_tokens:
        return (("input not reported, counted", "warn"),)
    ratio = row.estimated_input_tokens / row.usage.input_tokens
    return (("counted/reported ", "dim"), (f"{ratio:.3f}", "" if 0.9 <= ratio <= 1.1 else "warn"))
