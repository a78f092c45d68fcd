"""What a person wants to know of a run before its calls: what it was, how large it grew, what it cost."""

from collections.abc import Iterator

from rich.text import Text
from textual.widgets import Static

from llmprof_addon.export.text import counted, dollars, duration, plain, share, tokens, when
from llmprof_addon.model.usage import Source
from llmprof_addon.store.rows import RunRow
from llmprof_tui.widgets.call_header import GAP, Fact, flowed
from llmprof_tui.widgets.looks import blended


class RunHeader(Static):
    """`show` gives it a run."""

    DEFAULT_CSS = """
    RunHeader {
        height: auto;
        max-height: 4;
        padding: 0 1;
        & > .header--strong { text-style: bold; }
        & > .header--dim { color: $foreground 60%; }
        & > .header--good { color: $success; }
        & > .header--bad { color: $error; }
        & > .header--warn { color: $warning; }
    }
    """
    COMPONENT_CLASSES = {f"header--{name}" for name in ("strong", "dim", "good", "bad", "warn")}  # noqa: RUF012  # as Textual declares it

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._run: RunRow | None = None
        self._window: int | None = None
        self._first_byte: int | None = None
        self._state = ""

    def show(self, run: RunRow, window: int | None, first_byte_ns: int | None = None) -> None:
        """Show a run; `window` is the context window that its largest prompt had to fit into, `first_byte_ns` the
        median time from a request to the first byte of its answer."""
        self._run, self._window, self._first_byte, self._state = run, window, first_byte_ns, ""
        self._draw()

    def say(self, state: str) -> None:
        """Say something of the run below all the rest."""
        self._state = state
        self._draw()

    def on_resize(self) -> None:
        """Fill the lines anew."""
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        run = self._run
        if run is None:
            return
        width = max(self.size.width or self.app.size.width - 2, 20)
        lines = [self._title(run, width)]
        groups = [list(facts(run, self._window, self._first_byte))]
        if self._state:
            groups.append([((f"✗ {self._state}", "bad"),)])
        lines += [self._line(line) for group in groups for line in flowed(group, width)]
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        self.update(Text("\n").join(lines))

    def _title(self, run: RunRow, width: int) -> Text:
        """Label and app on the left, models on the right; the app gives way, then the label."""
        dim, strong = blended(self, "header--dim"), blended(self, "header--strong")
        right = Text(", ".join(map(plain, run.models)) or "no model")
        right.truncate(width // 2, overflow="ellipsis")
        left, app = Text(plain(run.label or "a run without a name"), strong), Text(f" · {plain(run.app or '–')}", dim)
        room = max(10, width - right.cell_len - 2)
        left.truncate(room, overflow="ellipsis")
        if left.cell_len + app.cell_len <= room:
            left = Text.assemble(left, app)
        return Text.assemble(left, " " * max(2, width - left.cell_len - right.cell_len), right)

    def _line(self, line: list[Fact]) -> Text:
        out = Text(no_wrap=True)
        for index, fact in enumerate(line):
            out.append(GAP if index else "")
            for said, look in fact:
                out.append(said, blended(self, f"header--{look}") if look else "")
        return out


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
