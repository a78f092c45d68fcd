"""What the store says of a run at this moment, with as little reading as it takes when the run grows."""

from dataclasses import dataclass

from llmprof_addon.store.rows import LaneRow, RunRow
from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What the store says of the run now."""

    run: RunRow
    calls: tuple[TimelineCall, ...]
    """All of them, by start."""
    lanes: tuple[LaneRow, ...] = ()
    """By start."""


def news_of(source: Source, run_id: str, known: tuple[TimelineCall, ...]) -> News:
    """The run with all its calls, of which only those that are new are read."""
    run = source.run(run_id)
    newer = source.timeline(run.id, max((call.number for call in known), default=0))
    calls = tuple(sorted((*known, *newer), key=lambda call: (call.started_ns, call.number))) if newer else known
    if len(calls) != run.calls:
        calls = source.timeline(run.id)
    return News(run=run, calls=calls, lanes=source.lanes(run.id))
