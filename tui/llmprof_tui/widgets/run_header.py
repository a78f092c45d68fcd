"""What a person wants to know of a run before its calls: what it was, how large it grew, what it cost."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from llmprof_addon.export.text import counted, dollars, duration, plain, share, tokens, when
from llmprof_addon.model.usage import Source
from llmprof_addon.store.rows import RunRow
from llmprof_tui.widgets.facts import Fact, Told


class RunHeader(Told):
    """`show` gives it a run."""

    DEFAULT_CSS = """
    RunHeader {
        max-height: 4;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._run: RunRow | None = None
        self._window: int | None = None
        self._first_byte: int | None = None
        self._state = ""

    def show(self, run: RunRow, window: int | None, first_byte_ns: int | None = None) -> None:
        """Show a run; `window` is the context window that its largest prompt had to fit into, `first_byte_ns` the
        median time from a request to the first byte of its answer."""
        self._run, self._window, self._first_byte, self._state = run, window, first_byte_ns, ""
        self.tell()

    def say(self, state: str) -> None:
        """Say something of the run below all the rest."""
        self._state = state
        self.tell()

    def told(self, width: int) -> Sequence[Text]:
        """The run's name, and what there is to say of it."""
        run = self._run
        if run is None:
            return ()
        said = self.flow(facts(run, self._window, self._first_byte), width)
        state = self.flow([((f"✗ {self._state}", "bad"),)] if self._state else [], width)
        return [self._title(run, width), *said, *state]

    def _title(self, run: RunRow, width: int) -> Text:
        """Label and app on the left, models on the right; the app gives way, then the label."""
        right = Text(", ".join(map(plain, run.models)) or "no model")
        right.truncate(width // 2, overflow="ellipsis")
        left = Text(plain(run.label or "a run without a name"), self.look("strong"))
        app = Text(f" · {plain(run.app or '–')}", self.look("dim"))
        room = max(10, width - right.cell_len - 2)
        left.truncate(room, overflow="ellipsis")
        if left.cell_len + app.cell_len <= room:
            left = Text.assemble(left, app)
        return Text.assemble(left, " " * max(2, width - left.cell_len - right.cell_len), right)


def facts(run: RunRow, window: int | None, first_byte_ns: int | None = None) -> Iterator[Fact]:
    """What there is to say of a run, most important first."""
    usage = run.usage
    estimated = usage.source is not Source.REPORTED
    yield ((counted(run.calls, "call"), "strong"), *_errors(run))
    yield ((dollars(None if run.cost is None else run.cost.total, at_least=run.unpriced_calls > 0), "strong"),)
    yield (("in ", "dim"), (tokens(usage.input_tokens, estimated=estimated), "strong"))
    yield (("cached ", "dim"), (share(usage.cache_read_input_tokens, usage.input_tokens), "good"))
    yield (("out ", "dim"), (tokens(usage.output_tokens, estimated=estimated), "strong"))
    peak: list[tuple[str, str]] = [("peak ", "dim"), (tokens(run.peak_context_tokens), "strong")]
    if window and run.peak_context_tokens is not None:
        full = run.peak_context_tokens / window
        look = "bad" if full >= 0.9 else "warn" if full >= 0.7 else "dim"
        peak.append((f" {share(run.peak_context_tokens, window)} of {tokens(window)}", look))
    yield tuple(peak)
    yield ((f"{when(run.started_ns)}, took ", "dim"), (duration(run.ended_ns - run.started_ns), ""))
    if run.unpriced_calls and run.cost is not None:
        yield ((f"{counted(run.unpriced_calls, 'call')} unpriced", "warn"),)
    yield from _times(run, first_byte_ns)


def _times(run: RunRow, first_byte_ns: int | None) -> Iterator[Fact]:
    """Where the time went; lanes that run side by side are added up."""
    times = run.times
    for name, spent in (("model ", times.model_ns), ("tools ", times.tool_ns), ("idle ", times.idle_ns)):
        if spent:
            yield ((name, "dim"), (duration(spent), ""))
    if first_byte_ns is not None:
        speed = times.output_tokens_per_second
        then = () if speed is None else ((", then ", "dim"), (f"{speed:.0f}", ""), (" tokens/s", "dim"))
        yield (("first byte ", "dim"), (duration(first_byte_ns), ""), *then)


def _errors(run: RunRow) -> Iterator[tuple[str, str]]:
    if run.error_calls:
        yield f", {run.error_calls:,} failed", "bad"
