"""A run's calls and the part of the prompt tree that they run through -> a `RunTree`, in one snapshot."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import peewee as pw

from llmprof_addon.model.call import SECTIONS
from llmprof_addon.model.component import MEDIA, Kind
from llmprof_addon.model.run_tree import RunCall, RunNode, RunTree
from llmprof_addon.providers import dialects
from llmprof_addon.store.cacherows import cache_verdict
from llmprof_addon.store.contents import Contents
from llmprof_addon.store.counts import unpack_composition
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.inner_media import inner_media
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import TOKENS, is_error
from llmprof_addon.store.rows import cost_of, usage_of
from llmprof_addon.store.run_nodes import Columns, read_columns, set_kinds
from llmprof_addon.store.run_paths import first_calls, paths
from llmprof_addon.store.schema import Call, Lane, Price, Run
from llmprof_addon.store.text import loads
from llmprof_addon.store.tool_names import tool_names

_READ = (
    *(Call.id, Call.uid, Call.turn, Call.predecessor, Call.link, Call.started_ns, Call.first_chunk_ns, Call.ended_ns),
    *(Call.tool_ns, Call.idle_ns, Call.provider, Call.api, Call.request_model, Call.response_model, Call.service_tier),
    *(Call.error, Call.outcome, Call.status, Call.finish_reasons, Call.encoding, Call.context_window, Call.composition),
    *(getattr(Call, name) for name in TOKENS),
    *(Call.usage_more, Call.usage_source),
    *(Call.input_cost, Call.cache_read_cost, Call.cache_write_cost, Call.output_cost, Call.other_cost),
    *(Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.base),
    *(Call.cache_keys, Call.cache_status, Call.cache_cause, Call.cache_expected, Call.cache_lost, Call.cache_wasted),
    Call.cache_more,
)
_COLUMNS = (*(field.name for field in _READ), "lane_key", "lane_kind", "snapshot")


def run_tree(store: Store, run_id: str) -> RunTree | None:
    """The run with this id; `None` if there is none."""
    with errors_of(store.url), store.snapshot():
        run = store.db.execute(Run.select(Run.id).where(Run.uid == run_id)).fetchone()
        if run is None:
            return None
        rows = _call_rows(store, run[0])
        columns = read_columns(store, run[0])
        digests = dict.fromkeys(columns.contents)
        digests |= dict.fromkeys(wrapper for wrapper in columns.wrappers if wrapper is not None)
        contents = Contents(store, digests.keys())
        nodes = _nodes(store, columns, contents, rows)
    places = {row["id"]: at for at, row in enumerate(rows)}
    calls = tuple(_call(row, columns.index, places) for row in rows)
    return RunTree(run_id=run_id, nodes=nodes, calls=calls, contents=contents)


def _call_rows(store: Store, run: int) -> list[dict[str, Any]]:
    query = (
        Call.select(*_READ, Lane.key, Lane.kind, Price.snapshot)
        .join(Lane, pw.JOIN.LEFT_OUTER, on=(Call.lane == Lane.id))
        .join_from(Call, Price, pw.JOIN.LEFT_OUTER, on=(Call.price == Price.id))
        .where(Call.run == run)
        .order_by(Call.started_ns, Call.uid)
    )
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in store.db.execute(query).fetchall()]
    for row in rows:
        row["composition"], row["output_composition"] = unpack_composition(bytes(row["composition"]))
        if row["input_tokens"] is None:  # refused: what was estimated of its prompt was never billed
            row["composition"] = ()
    return rows


def _nodes(store: Store, columns: Columns, contents: Contents, rows: list[dict[str, Any]]) -> tuple[RunNode, ...]:
    set_kinds(columns, contents)
    first = first_calls(columns, rows)
    places = paths(store, columns, rows, first)
    has_media = any(total.kind in MEDIA for row in rows for total in row["composition"])
    media = inner_media(columns, contents, rows, first) if has_media else {}
    named = tool_names(columns, contents)
    for at, share in named.loaded.items():
        columns.tokens[at] = {encoding: round(tokens * share) for encoding, tokens in columns.tokens[at].items()}
    return tuple(
        RunNode(
            key=columns.keys[at],
            parent=columns.parents[at],
            section=columns.sections[at],
            depth=columns.depths[at],
            kind=columns.kinds[at],
            part_kind=columns.part_kinds[at],
            role=columns.roles[at],
            name=columns.names[at],
            tools=named.tools.get(at, ()),
            content=columns.contents[at],
            wrapper=columns.wrappers[at],
            size=columns.sizes[at],
            tokens=columns.tokens[at],
            media=media.get(at, _NO_MEDIA),
            path=places[at],
        )
        for at in range(len(columns.keys))
    )


def _call(row: Mapping[str, Any], index: Mapping[int, int], places: Mapping[int, int]) -> RunCall:
    heads = {name: -1 if row[name] is None else index[row[name]] for name in _HEADS}
    keys = loads(row["cache_keys"]) if row["cache_keys"] else {}
    return RunCall(
        id=row["uid"],
        number=row["id"],
        lane=row["lane_key"] or "main",
        lane_kind=row["lane_kind"] or "main",
        predecessor=places.get(row["predecessor"]),
        model=row["request_model"],
        failed=is_error(row),
        finish_reasons=tuple(loads(row["finish_reasons"])),
        section_order=_section_order(row["api"]),
        tools=heads["tools_head"],
        system=heads["system_head"],
        messages=heads["message_head"],
        answer=heads["answer_head"],
        usage=usage_of(row),
        cost=cost_of(row),
        cache=cache_verdict(row),
        cache_ttls=tuple(ttl for _, ttl in keys.get("marks", ())),
        **{name: row[name] for name in _COPIED},
    )


_NO_MEDIA: Mapping[Kind, int] = {}
_HEADS = ("tools_head", "system_head", "message_head", "answer_head")
_COPIED = (
    *("turn", "link", "started_ns", "first_chunk_ns", "ended_ns", "tool_ns", "idle_ns", "provider", "api"),
    *("response_model", "service_tier", "outcome", "status", "encoding", "context_window"),
    *("composition", "output_composition"),
)


@cache
def _section_order(api: str) -> tuple[str, ...]:
    dialect = dialects.by_api(api)
    return dialect.section_order if dialect else SECTIONS
