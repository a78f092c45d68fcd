"""Where the time of a call went, on one line."""

from rich.text import Text
from textual.widget import Widget

from llmprof_addon.export.text import duration
from llmprof_tui.widgets.looks import blended
from llmprof_tui.widgets.timing_layout import Timing, cells

LEAST_BAR = 10


class TimingBar(Widget):
    """`show` gives it the times of a call."""

    DEFAULT_CSS = """
    TimingBar {
        height: 1;
        & > .timing--wait { color: $foreground 35%; }
        & > .timing--stream { color: $success; }
    }
    """
    COMPONENT_CLASSES = {"timing--wait", "timing--stream"}  # noqa: RUF012  # as Textual declares it

    def __init__(self) -> None:
        super().__init__()
        self._times: Timing | None = None

    def show(self, times: Timing) -> None:
        """Show these times."""
        self._times = times
        self.refresh()

    def render(self) -> Text:
        """The bar and its numbers."""
        times = self._times
        if times is None:
            return Text("")
        said = said_of(times)
        width = min(self.size.width - len(said) - 2, 60)
        if width < LEAST_BAR:
            return Text(said, no_wrap=True, overflow="ellipsis")
        wait, stream = cells(times, width)
        return Text.assemble(
            ("░" * wait, blended(self, "timing--wait")),
            ("█" * stream, blended(self, "timing--stream")),
            f"  {said}",
            no_wrap=True,
        )


def said_of(times: Timing) -> str:
    """The times in words."""
    if times.wait is None:
        return f"no byte came in {duration(times.total)}"
    rate = times.tokens_per_second
    speed = f" · {rate:,.0f} tokens/s" if rate is not None else ""
    return f"wait {duration(times.wait)} · answer {duration(times.stream)} · total {duration(times.total)}{speed}"
