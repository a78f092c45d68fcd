"""Filters of a query -> conditions on calls, answered by the index `call_searched` and small tables alone."""

from collections.abc import Iterator

import peewee as pw

from llmprof_addon.store import trend_fill
from llmprof_addon.store.facets import Facet
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Run, ToolDay, ToolUse, TrendDay
from llmprof_addon.store.search_query import Filter
from llmprof_addon.store.text import dumps

FEW = 50_000
"""Calls of a tool that are looked up by the tool; those of a more frequent one by the call."""

_MOST = 2**63 - 1
_HAS = {"error": Facet.FAILED, "break": Facet.BREAK, "image": Facet.IMAGE}

_COST = Call.input_cost + Call.cache_read_cost + Call.cache_write_cost + Call.output_cost + Call.other_cost
_TOKENS = pw.fn.COALESCE(Call.input_tokens, 0) + pw.fn.COALESCE(Call.output_tokens, 0)


def conditions(store: Store, filters: tuple[Filter, ...]) -> Iterator[pw.Expression]:
    """One condition on `Call` for each filter. What is not known fits no bound, and none that is negated."""
    for one in filters:
        condition = _condition(store, one)
        yield ~condition if one.negated else condition


def _condition(store: Store, one: Filter) -> pw.Expression:
    match one.key:
        case "model" | "provider" | "app":
            return _named(store, one.key, one.value)
        case "status":
            return _status(one.value)
        case "has":
            return _facet(_HAS[one.value])
        case "tag":
            found: pw.Expression = Call.run.in_(Run.select(Run.id).where(of_tags(one)))
            return found
        case "tool":
            return _tool(store, one.value)
        case "started_ns":
            return _between(Call.started_ns, one)
        case "cost":
            return _between(_COST, one)
        case "tokens":
            return _between(_TOKENS, one)


_NAMED = {
    "model": pw.fn.COALESCE(Call.response_model, Call.request_model, ""),
    "provider": Call.provider,
    "app": pw.fn.COALESCE(Call.app, ""),
}


def _named(store: Store, key: str, value: str) -> pw.Expression:
    """By the few names that there are; by each call's own where calls are not counted yet."""
    names = names_of(store, key, value)
    if names is None:
        return _has(_NAMED[key], value)
    found: pw.Expression = _NAMED[key].in_(names) if names else NOTHING
    return found


def names_of(store: Store, key: str, value: str) -> list[str] | None:
    """Models, providers or apps with this in their names, by the sums of days; `None` where these lack calls."""
    if trend_fill.waiting(store):
        return None
    days = TrendDay.select(TrendDay.name).where((TrendDay.dimension == key) & _has(TrendDay.name, value))
    return [row[0] for row in store.db.execute(days.distinct()).fetchall()]


def of_tags(one: Filter) -> pw.Expression:
    """The condition on `Run` of a filter by tag."""
    key, valued, value = one.value.partition(":")
    return _has(Run.tags, f"{dumps(key)}:{dumps(value) if valued else ''}")


NOTHING = pw.Expression(pw.SQL("0"), "=", pw.SQL("1"))
"""What no row fits."""


def _has(column: pw.ColumnBase, value: str) -> pw.Expression:
    """Whether this stands in it, in any case."""
    found: pw.Expression = column.contains(value)
    return found


def _facet(facet: Facet) -> pw.Expression:
    bits: pw.Expression = Call.facets.bin_and(int(facet)) != 0
    return bits


def _status(value: str) -> pw.Expression:
    if value in ("ok", "error"):
        failed = _facet(Facet.FAILED)
        return failed if value == "error" else ~failed
    status = pw.fn.COALESCE(Call.status, 0)
    if value.endswith("xx"):
        least = int(value[0]) * 100
        found: pw.Expression = (status >= least) & (status < least + 100)
        return found
    same: pw.Expression = status == int(value)
    return same


def _tools(store: Store, value: str) -> dict[str, int]:
    """Names of the tools with this in them or in those of their servers, with the numbers of calls that use them."""
    days = ToolDay.select(ToolDay.name, pw.fn.SUM(ToolDay.calls))
    days = days.where(_has(ToolDay.name, value) | _has(ToolDay.server, value))
    return dict(store.db.execute(days.group_by(ToolDay.name)).fetchall())


def is_by_call(store: Store, filters: tuple[Filter, ...]) -> bool:
    """Whether a filter is looked up call by call, which few calls should be asked for."""
    return any(one.key == "tool" and sum(_tools(store, one.value).values()) > FEW for one in filters)


def _tool(store: Store, value: str) -> pw.Expression:
    """Calls whose answers call a tool with this in its name, or in that of its MCP server."""
    names = _tools(store, value)
    if not names:
        return NOTHING
    used = ToolUse.uses > 0
    if any(value not in name.lower() for name in names):  # other servers may have tools of the same names
        used &= _has(ToolUse.name, value) | _has(ToolUse.server, value)
    if sum(names.values()) <= FEW:
        few: pw.Expression = Call.id.in_(ToolUse.select(ToolUse.call).where(used, ToolUse.name.in_(sorted(names))))
        return few
    # Not by the index of names, which has as many rows.
    by_call = (ToolUse.call == Call.id) & pw.fn.COALESCE(ToolUse.name, "").in_(sorted(names)) & used
    return pw.Expression(pw.fn.EXISTS(ToolUse.select(pw.SQL("1")).where(by_call)), "=", True)


def _between(column: pw.ColumnBase, one: Filter) -> pw.Expression:
    if one.least is not None:
        least: pw.Expression = column >= min(one.least, _MOST)
        return least
    most: pw.Expression = column <= max(-_MOST, min(one.most or 0, _MOST))
    return most
