"""Sums by day as they are stored, and as the calls give them: both have to be the same."""

from collections import defaultdict

from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import COSTS, is_error
from llmprof_addon.store.schema import Call, Template, ToolDay, ToolUse, TrendDay
from llmprof_addon.store.trend_rows import DAY_NS, TOKENS, keys_of, numbers_of

type Sums = dict[tuple[object, ...], dict[str, int]]
"""By day, dimension (or server) and name."""

_READ = (
    *("id", "started_ns", "response_model", "request_model", "app", "provider", "error", "outcome", "status"),
    *("usage_source", "cache_wasted", *TOKENS, *COSTS),
)


def stored(store: Store) -> Sums:
    """The rows of both tables."""
    found: Sums = {}
    with errors_of(store.url):
        for table in (TrendDay, ToolDay):
            for row in table.select().dicts().execute(store.db):
                key = row.pop("day"), row.pop("dimension", None) or row.pop("server"), row.pop("name")
                found[table.__name__, *key] = row
    return found


def recomputed(store: Store) -> Sums:
    """The same, summed over the calls that are counted, one by one."""
    found: defaultdict[tuple[object, ...], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    query = Call.select(*(getattr(Call, name) for name in _READ), Template.name.alias("template_name"))
    with errors_of(store.url), store.snapshot():
        days = {}
        counted = query.join(Template, on=(Call.template == Template.id))
        for call in counted.dicts().execute(store.db).iterator():
            days[call["id"]] = call["started_ns"] // DAY_NS
            for key in keys_of(call, call["template_name"]):
                row = found["TrendDay", *key]
                row["calls"] += 1
                row["error_calls"] += is_error(call)
                row["estimated_calls"] += call["usage_source"] != "reported"
                for name, number in numbers_of(call).items():
                    row[name] += number or 0
                    row[f"{name}_calls"] += number is not None
        for use in ToolUse.select().dicts().execute(store.db).iterator():
            row = found["ToolDay", days[use["call"]], use["server"], use["name"]]
            row["calls"] += 1
            for name in ("uses", "call_tokens", "result_tokens"):
                row[name] += use[name]
    return {key: dict(row) for key, row in found.items()}
