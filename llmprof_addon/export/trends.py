"""Trends as JSON."""

from dataclasses import fields

from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json
from llmprof_addon.store.trends import TrendRow, Trends, TrendSums

_MONEY = {"cost": "cost_usd", "wasted": "wasted_usd"}


def trends_json(found: Trends) -> dict[str, Json]:
    """All of it; `points` are parallel to `starts`, the first days (UTC) of the periods."""
    said = found.projection
    return {
        "by": found.by,
        "period": found.period,
        "starts": [start.isoformat() for start in found.starts],
        "rows": [_row(row) for row in found.rows],
        "whole": _row(found.whole),
        "projection": {"cost_usd": usd(said.cost), "at_least": said.at_least, "days": said.days} if said else None,
        "no_projection": found.no_projection or None,
        "uncounted_calls": found.uncounted_calls,
    }


def _row(row: TrendRow) -> dict[str, Json]:
    return {"name": row.name, "server": row.server, **_sums(row.total), "points": [_sums(one) for one in row.points]}


def _sums(sums: TrendSums) -> dict[str, Json]:
    out: dict[str, Json] = {}
    for field in fields(sums):
        value = getattr(sums, field.name)
        if field.name in _MONEY:
            out[_MONEY[field.name]] = None if value is None else usd(value)
        else:
            out[field.name] = value
    return out | {"cache_hit_ratio": None if sums.hit_ratio is None else round(sums.hit_ratio, 6)}
