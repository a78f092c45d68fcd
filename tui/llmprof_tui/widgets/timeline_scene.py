"""What a timeline shows, and the viewport through which it is seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.widgets.lane_title import ALONE, LaneTitle
from llmprof_tui.widgets.timeline_layout import View
from llmprof_tui.widgets.timeline_signs import Sign
from llmprof_tui.widgets.timeline_stacks import Metric, total_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is drawn, but for the viewport."""

    calls: Sequence[TimelineCall]
    metric: Metric
    to_limit: bool
    signs: Sequence[Sequence[Sign]]
    """Of each call, the most important first."""
    lanes: Sequence[LaneTitle] = ALONE
    lane_of: Sequence[int] = ()
    """Lane of each call; empty where there is but one."""
    totals: Sequence[int | None] = field(init=False)
    """The height of each call; it outlives a change of colours."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "totals", [total_of(call, self.metric) for call in self.calls])


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A viewport: how far it is scrolled, how large it is, and what is pointed at in it."""

    view: View
    scroll: int
    width: int
    """Cells of the chart, without the gutter."""
    rows: int
    """Of the chart."""
    selected: int | None
    """Columns."""
    hovered: int | None
