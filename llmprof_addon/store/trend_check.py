"""Sums by day as they are stored, and as the calls give them: both have to be the same, and can be made so."""

from collections import defaultdict

from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import COSTS, is_error
from llmprof_addon.store.schema import Call, Template, ToolDay, ToolUse, TrendDay
from llmprof_addon.store.transaction import transaction
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
    with errors_of(store.url), store.snapshot():
        return _recomputed(store)


def sum_anew(store: Store) -> None:
    """Put what the calls give in the place of what is stored, in one transaction."""

    def replace() -> None:
        rows = _recomputed(store)
        for table in (TrendDay, ToolDay):
            store.db.execute(table.delete())
            columns = [field.column_name for field in table._meta.sorted_fields]
            insert = f"INSERT INTO {table._meta.table_name} ({', '.join(columns)}) VALUES "
            insert += f"({', '.join([store.db.param] * len(columns))})"
            for (name, *key), sums in rows.items():
                if name == table.__name__:
                    fields = table._meta.sorted_fields[3:]
                    store.db.execute_sql(insert, [*key, *(field.db_value(sums[field.name]) for field in fields)])

    with errors_of(store.url):
        transaction(store.db, replace, alone=True)


def _recomputed(store: Store) -> Sums:
    found: defaultdict[tuple[object, ...], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    query = Call.select(*(getattr(Call, name) for name in _READ), Template.name.alias("template_name"))
    counted = query.join(Template, on=(Call.template == Template.id))
    for call in counted.dicts().execute(store.db).iterator():
        for key in keys_of(call, call["template_name"]):
            row = found["TrendDay", *key]
            row["calls"] += 1
            row["error_calls"] += is_error(call)
            row["estimated_calls"] += call["usage_source"] != "reported"
            for name, number in numbers_of(call).items():
                row[name] += number or 0
                row[f"{name}_calls"] += number is not None
    uses = ToolUse.select(ToolUse, Call.started_ns).join(Call, on=(ToolUse.call == Call.id))
    for use in uses.dicts().execute(store.db).iterator():
        row = found["ToolDay", use["started_ns"] // DAY_NS, use["server"], use["name"]]
        row["calls"] += 1
        for name in ("uses", "call_tokens", "result_tokens"):
            row[name] += use[name]
    return {key: dict(row) for key, row in found.items()}
