"""The top line: what records, what waits, and the sums of the runs that are listed."""

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from llmprof_addon.export import text
from llmprof_addon.store.listing import Totals
from llmprof_tui.source import Recorder

type Colours = dict[str, str]
"""Rich styles of `good`, `bad`, `warn`, `dim`."""

SEPARATOR = " · "
MOST_NAME = 24
"""Characters of a run's name."""


def state_of(recorder: Recorder) -> list[tuple[str, str]]:
    """What is said of the recorder, the most important first: text and colour."""
    said = [("● recording", "good") if recorder.proxies else ("○ not recording", "dim")]
    said += _manual(recorder) + _troubles(recorder)
    if recorder.proxies and recorder.in_flight:
        said.append((f"{recorder.in_flight:,} in flight", ""))
    if recorder.backlog.files and (recorder.backlog.files > 1 or recorder.worker is None):
        said.append((f"{recorder.backlog.files:,} waiting", "" if recorder.worker else "warn"))
    ports = [f"{mode} :{port}" for proxy in recorder.proxies for mode, port in proxy.ports.items()]
    return said + ([(" ".join(ports), "dim")] if ports else [])


def _manual(recorder: Recorder) -> list[tuple[str, str]]:
    """The run by hand that is under way."""
    if (found := recorder.manual) is None:
        return []
    name = text.plain(found.name)
    name = f"{name[: MOST_NAME - 1]}…" if len(name) > MOST_NAME else name
    return [(f"▶ {name}", "good") if found.state == "active" else (f"‖ {name} paused", "warn")]


def _troubles(recorder: Recorder) -> list[tuple[str, str]]:
    said = []
    if recorder.worker is not None and recorder.worker.get("store_error"):
        said.append(("the store takes nothing", "bad"))
    if lost := sum(proxy.lost for proxy in recorder.proxies):
        said.append((f"{lost:,} lost", "bad"))
    if recorder.failed.files:
        said.append((f"{recorder.failed.files:,} not processed", "bad"))
    if dropped := sum(proxy.dropped_bodies for proxy in recorder.proxies):
        said.append((f"{text.counted(dropped, 'body', 'bodies')} dropped", "warn"))
    return said


def sums_of(totals: Totals, period: str) -> list[str]:
    """The sums of a period, the most important first."""
    estimated = totals.estimated_calls > 0
    said = [f"{period} {text.dollars(totals.cost, at_least=totals.unpriced_calls > 0)}"]
    said.append(f"{text.tokens(totals.input_tokens, estimated=estimated)} in")
    said.append(f"{text.share(totals.cache_read_input_tokens, totals.input_tokens)} cached")
    if totals.reclaimable_cost:
        said.append(f"{text.dollars(totals.reclaimable_cost)} reclaimable")
    return [*said, text.counted(totals.calls, "call")]


def line(state: Sequence[tuple[str, str]], sums: Sequence[str], width: int, colours: Colours) -> Text:
    """Both sides on one line; where it is narrow, what is least important leaves. The first two states stay."""
    kept, right = list(state), list(sums)

    def fits() -> bool:
        return sum(len(said) + 2 for said, _ in kept) + len(SEPARATOR.join(right)) <= width

    # Ports go first, then all sums but two; what runs and what went wrong is seen to the last.
    while not fits() and len(kept) > 2 and kept[-1][1] == "dim":
        kept.pop()
    while not fits() and len(right) > 2:
        right.pop()
    while not fits() and len(kept) > 2:
        kept.pop()
    left = Text("  ").join([Text(said, style=colours.get(colour, "")) for said, colour in kept])
    shown = Text(SEPARATOR.join(right))
    gap = width - left.cell_len - shown.cell_len
    return Text.assemble(left, " " * max(2, gap), shown, no_wrap=True, overflow="ellipsis", end="")


class StatusBar(Widget):
    """One line; the mouse over it says where to look when something is wrong."""

    DEFAULT_CSS = """
    StatusBar { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said: tuple[list[tuple[str, str]], str] = [("…", "dim")], ""
        """What is said of the recorder, in short and in full."""
        self._sums: list[str] = []

    def show_recorder(self, recorder: Recorder) -> None:
        """Say what records."""
        said = state_of(recorder), _explained(recorder)
        if said != self._said:  # asked every second, and seldom another
            self._said = said
            self.tooltip = Text(said[1])
            self.refresh()

    def show_totals(self, totals: Totals, period: str) -> None:
        """Say the sums."""
        if (sums := sums_of(totals, period)) != self._sums:
            self._sums = sums
            self.refresh()

    def render(self) -> Text:
        """The line for the width that there is."""
        theme = self.app.theme_variables
        colours = {"good": theme["success"], "bad": f"bold {theme['error']}", "warn": theme["warning"], "dim": "dim"}
        return line([("llmprof", "bold"), *self._said[0]], self._sums, self.size.width, {**colours, "bold": "bold"})


def _explained(recorder: Recorder) -> str:
    lines = []
    for proxy in recorder.proxies:
        ports = ", ".join(f"{mode} on port {port}" for mode, port in proxy.ports.items())
        lines.append(f"proxy {proxy.pid}: {ports}; {text.counted(proxy.in_flight, 'call')} in flight")
        if proxy.lost:
            lines.append(f"  {text.counted(proxy.lost, 'call')} could not be written: {proxy.last_error}")
    if not lines:
        lines.append("No proxy runs; `llmprof up` starts one.")
    if (found := recorder.manual) is not None:
        note = f": {found.note}" if found.note else ""
        lines.append(f"Run by hand “{found.name}” is {found.state}, {text.counted(found.calls, 'call')}{note}")
    if recorder.backlog.files:
        size = f"{text.counted(recorder.backlog.files, 'call')}, {text.byte_size(recorder.backlog.bytes)}"
        lines.append(f"{size}, wait for the worker" + ("" if recorder.worker else "; none runs"))
    if recorder.failed.files:
        lines.append(f"{text.counted(recorder.failed.files, 'exchange')} could not be processed: see spool/failed")
    if recorder.worker is not None and recorder.worker.get("store_error"):
        lines.append(f"The store takes nothing: {recorder.worker['store_error']}")
    return "\n".join(map(text.plain, lines))
