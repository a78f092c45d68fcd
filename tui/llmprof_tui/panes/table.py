"""The tabs of a run in the order of their keys, which are 1, 2, 3 and so on."""

from dataclasses import dataclass

from llmprof_tui.panes.cache import CachePane
from llmprof_tui.panes.calls import CallsPane
from llmprof_tui.panes.findings import FindingsPane
from llmprof_tui.panes.lanes import LanesPane
from llmprof_tui.panes.pane import RunPane
from llmprof_tui.panes.rent import RentPane
from llmprof_tui.panes.tools import ToolsPane


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab: what it is called, what it is for, and its pane."""

    name: str
    """In ids."""
    title: str
    about: str
    """In the help and in the palette."""
    pane: type[RunPane]

    @property
    def pane_id(self) -> str:
        """The id of its pane."""
        return f"{self.name}-pane"


TABS = (
    Tab(name="calls", title="Calls", about="All calls of the run", pane=CallsPane),
    Tab(name="tools", title="Tools", about="What each tool and server has cost", pane=ToolsPane),
    Tab(name="rent", title="Rent", about="What carrying each part has cost", pane=RentPane),
    Tab(name="cache", title="Cache", about="Which calls lost their cached prefix, and why", pane=CachePane),
    Tab(name="findings", title="Findings", about="What could be saved, and how", pane=FindingsPane),
    Tab(name="agents", title="Sub-agents", about="What each agent of the run did and cost", pane=LanesPane),
)
