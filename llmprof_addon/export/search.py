"""Hits of a search as JSON."""

from llmprof_addon.export.shapes import call_json
from llmprof_addon.model.part import Json
from llmprof_addon.store.search import Hit


def hit_json(hit: Hit) -> dict[str, Json]:
    """One hit: its call, and where in it which text stands. `marks` are starts and ends in `snippet`."""
    shown = hit.snippet
    return {
        "call": call_json(hit.call),
        "kind": hit.kind,
        "role": hit.role,
        "tool": hit.tool,
        "snippet": shown.text if shown else None,
        "marks": [list(mark) for mark in shown.marks] if shown else [],
        "content": hit.content,
        "carried_calls": hit.carried,
        "carried_at_least": hit.carried_at_least,
        "searched_start_only": hit.cut,
    }
