"""A context window that is nearly full, and how many turns are left at the growth of the last ones."""

from collections.abc import Iterable
from itertools import pairwise
from statistics import median

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding, Severity

CODE = "window_full"
LAST = 10
"""Turns whose growth counts."""


def find(run: RunView) -> Iterable[Finding]:
    """One finding a lane."""
    for lane in run.lanes.values():
        turns = [at for at in lane if not run.calls[at].failed and run.calls[at].usage.input_tokens]
        if not turns:
            continue
        last = run.calls[turns[-1]]
        window, size = last.context_window, last.usage.input_tokens or 0
        if not window or size < run.thresholds.window_share * window:
            continue
        sizes = [run.calls[at].usage.input_tokens or 0 for at in turns[-LAST - 1 :]]
        growth = [after - before for before, after in pairwise(sizes) if after > before]
        left = max(0, int((window - size) / median(growth))) if growth else None
        if left is None or left > run.thresholds.window_turns:
            continue
        yield run.note(
            CODE,
            f"the window of {window:,} tokens is {size / window:.0%} full: about {left} turns left at"
            f" {round(median(growth)):,} tokens a turn",
            "compact the history, or clear old tool results, before the provider refuses or cuts the prompt",
            [run.shown(turns[-1], name=last.lane)],
            severity=Severity.WARNING,
        )
