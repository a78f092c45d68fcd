"""How long the calls of a lane left its cached prefix unused."""

from collections.abc import Sequence

from llmprof_addon.findings.view import RunView

FIVE_MINUTES_NS = 300 * 10**9
HOUR_NS = 3600 * 10**9


def gaps(run: RunView, lane: Sequence[int]) -> dict[int, int]:
    """Nanoseconds from the start of the call before to that of each call, without the first and those that failed."""
    found: dict[int, int] = {}
    before: int | None = None
    for at in lane:
        call = run.calls[at]
        if call.failed:
            continue
        if before is not None:
            found[at] = max(0, call.started_ns - before)
        before = call.started_ns
    return found
