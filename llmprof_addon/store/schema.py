"""The tables, for SQLite and PostgreSQL alike.

Three ideas: a content is stored once under its digest; a node is a step of a prompt's path and knows its parent; a call
points at the last nodes of its chains. `uid` is what people and other programs call a row by, `id` joins rows.
Models are bound to no database: a `Store` executes their queries on its own.
"""

from typing import Any

import peewee as pw


class BigNumber(pw.TextField):
    """A whole number of any size: sums of pico-dollars leave 64 bits behind at nine million dollars."""

    def db_value(self, value: int | None) -> str | None:
        """Digits."""
        return None if value is None else str(value)

    def python_value(self, value: Any) -> int | None:
        """The number."""
        return None if value is None else int(value)


class Table(pw.Model):
    """Base of all tables."""

    class Meta:
        legacy_table_names = False


class Fact(Table):
    """Facts about the store itself, by name."""

    name = pw.CharField(primary_key=True)
    value = pw.TextField()


class Content(Table):
    """Canonical JSON of a part, a message wrapper, request fields: compressed where `data` is shorter than `size`."""

    digest = pw.BlobField(primary_key=True)
    size = pw.IntegerField()
    data = pw.BlobField()
    dropped = pw.IntegerField(null=True)
    """Size of the value whose texts were dropped, and in whose place `data` stands; null: it is whole."""


class Node(Table):
    """One step of a chain. `place`, `form` and what follows are those of the call that brought it first."""

    id = pw.AutoField()
    key = pw.BlobField(unique=True)
    parent = pw.ForeignKeyField("self", null=True)
    content = pw.ForeignKeyField(Content)
    wrapper = pw.ForeignKeyField(Content, null=True, index=False)
    depth = pw.IntegerField()
    place = pw.TextField()
    form = pw.TextField()
    kind = pw.TextField()
    role = pw.TextField()
    name = pw.TextField(null=True)
    dropped = pw.BooleanField(null=True)
    """Whether no call runs through it whose texts are kept; null: one may."""


Node.add_index(Node.wrapper, where=Node.wrapper.is_null(False), name="node_wrapper_id")


class NodeCount(Table):
    """Tokens of a node in one encoding: its own, and the running totals from the root by component kind."""

    node = pw.ForeignKeyField(Node, index=False)
    encoding = pw.TextField()
    own = pw.BlobField()
    totals = pw.BlobField()

    class Meta:
        primary_key = pw.CompositeKey("node", "encoding")


class Price(Table):
    """A price as it was when calls were priced with it: JSON. Never rewritten."""

    id = pw.AutoField()
    snapshot = pw.TextField(unique=True)


class Template(Table):
    """What a prompt is made from, by the first line of its system text without what changes from call to call."""

    id = pw.AutoField()
    name = pw.TextField(unique=True)


class Run(Table):
    """One agent session, or calls that continue each other, with the sums of its calls."""

    id = pw.AutoField()
    uid = pw.TextField(unique=True)
    key = pw.TextField(unique=True)
    label = pw.TextField(null=True)
    name = pw.TextField(null=True)
    app = pw.TextField(null=True)
    models = pw.TextField()
    providers = pw.TextField()
    tags = pw.TextField()
    started_ns = pw.BigIntegerField()
    ended_ns = pw.BigIntegerField()
    calls = pw.IntegerField()
    error_calls = pw.IntegerField()
    unpriced_calls = pw.IntegerField()
    estimated_calls = pw.IntegerField()
    input_tokens = pw.BigIntegerField(null=True)
    cache_read_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_5m_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_1h_input_tokens = pw.BigIntegerField(null=True)
    output_tokens = pw.BigIntegerField(null=True)
    reasoning_output_tokens = pw.BigIntegerField(null=True)
    peak_context_tokens = pw.BigIntegerField(null=True)
    input_cost = BigNumber(null=True)
    cache_read_cost = BigNumber(null=True)
    cache_write_cost = BigNumber(null=True)
    output_cost = BigNumber(null=True)
    other_cost = BigNumber(null=True)
    cache_breaks = pw.IntegerField()
    cache_expiries = pw.IntegerField()
    cache_lost = pw.BigIntegerField(null=True)
    cache_wasted = BigNumber(null=True)
    model_ns = pw.BigIntegerField(null=True)
    tool_ns = pw.BigIntegerField(null=True)
    idle_ns = pw.BigIntegerField(null=True)
    streamed_ns = pw.BigIntegerField(null=True)
    streamed_tokens = pw.BigIntegerField(null=True)
    label_rank = pw.IntegerField(null=True)
    labelled_ns = pw.BigIntegerField(null=True)
    findings = pw.IntegerField(null=True)
    reclaimable_tokens = pw.BigIntegerField(null=True)
    reclaimable_cost = BigNumber(null=True)
    findings_due = pw.IntegerField(index=True)

    class Meta:
        indexes = ((("started_ns", "id"), False),)


class Lane(Table):
    """One agent inside a run, with the sums of its calls. `parent` is a key: a call of that lane may never come."""

    id = pw.AutoField()
    run = pw.ForeignKeyField(Run, index=False)
    key = pw.TextField()
    kind = pw.TextField()
    agent_type = pw.TextField(null=True)
    parent = pw.TextField(null=True)
    spawned_by = pw.TextField(null=True, index=True)
    tool_call_id = pw.TextField(null=True)
    label = pw.TextField(null=True)
    labelled_ns = pw.BigIntegerField(null=True)
    started_ns = pw.BigIntegerField()
    ended_ns = pw.BigIntegerField()
    calls = pw.IntegerField()
    error_calls = pw.IntegerField()
    unpriced_calls = pw.IntegerField()
    estimated_calls = pw.IntegerField()
    input_tokens = pw.BigIntegerField(null=True)
    cache_read_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_5m_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_1h_input_tokens = pw.BigIntegerField(null=True)
    output_tokens = pw.BigIntegerField(null=True)
    reasoning_output_tokens = pw.BigIntegerField(null=True)
    peak_context_tokens = pw.BigIntegerField(null=True)
    input_cost = BigNumber(null=True)
    cache_read_cost = BigNumber(null=True)
    cache_write_cost = BigNumber(null=True)
    output_cost = BigNumber(null=True)
    other_cost = BigNumber(null=True)
    cache_breaks = pw.IntegerField()
    cache_expiries = pw.IntegerField()
    cache_lost = pw.BigIntegerField(null=True)
    cache_wasted = BigNumber(null=True)
    model_ns = pw.BigIntegerField(null=True)
    tool_ns = pw.BigIntegerField(null=True)
    idle_ns = pw.BigIntegerField(null=True)
    streamed_ns = pw.BigIntegerField(null=True)
    streamed_tokens = pw.BigIntegerField(null=True)

    class Meta:
        indexes = ((("run", "key"), True),)


class Call(Table):
    """One exchange, analysed."""

    id = pw.AutoField()
    uid = pw.TextField(unique=True)
    run = pw.ForeignKeyField(Run, index=False)
    started_ns = pw.BigIntegerField()
    first_chunk_ns = pw.BigIntegerField(null=True)
    ended_ns = pw.BigIntegerField(index=True)
    mode = pw.TextField()
    transport = pw.TextField()
    outcome = pw.TextField()
    status = pw.IntegerField(null=True)
    error = pw.TextField(null=True)
    method = pw.TextField()
    url = pw.TextField()
    provider = pw.TextField()
    api = pw.TextField()
    operation = pw.TextField()
    request_model = pw.TextField(null=True)
    response_model = pw.TextField(null=True)
    stream = pw.BooleanField()
    finish_reasons = pw.TextField()
    service_tier = pw.TextField(null=True)
    app = pw.TextField(null=True)
    user_agent = pw.TextField(null=True)
    peer = pw.TextField(null=True)
    weak_session = pw.TextField(null=True)
    identity = pw.TextField(null=True)
    tags = pw.TextField()
    warnings = pw.TextField()
    response_id = pw.TextField(null=True, index=True)
    continues = pw.TextField(null=True)
    encoding = pw.TextField()
    version = pw.TextField()
    input_tokens = pw.BigIntegerField(null=True)
    cache_read_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_5m_input_tokens = pw.BigIntegerField(null=True)
    cache_creation_1h_input_tokens = pw.BigIntegerField(null=True)
    output_tokens = pw.BigIntegerField(null=True)
    reasoning_output_tokens = pw.BigIntegerField(null=True)
    usage_more = pw.TextField(null=True)
    usage_source = pw.TextField()
    estimated_input_tokens = pw.BigIntegerField(null=True)
    context_window = pw.BigIntegerField(null=True)
    input_cost = pw.BigIntegerField(null=True)
    cache_read_cost = pw.BigIntegerField(null=True)
    cache_write_cost = pw.BigIntegerField(null=True)
    output_cost = pw.BigIntegerField(null=True)
    other_cost = pw.BigIntegerField(null=True)
    price = pw.ForeignKeyField(Price, null=True, index=False)
    composition = pw.BlobField()
    tools_head = pw.ForeignKeyField(Node, null=True)
    system_head = pw.ForeignKeyField(Node, null=True)
    message_head = pw.ForeignKeyField(Node, null=True, index=False)
    answer_head = pw.ForeignKeyField(Node, null=True)
    base = pw.ForeignKeyField(Node, null=True, index=False)
    depth = pw.IntegerField()
    answer_digest = pw.BlobField(null=True)
    params = pw.ForeignKeyField(Content)
    redactions = pw.IntegerField()
    request_truncated = pw.BigIntegerField()
    response_truncated = pw.BigIntegerField()
    cache_keys = pw.TextField(null=True)
    cache_status = pw.TextField(null=True)
    cache_cause = pw.TextField(null=True)
    cache_expected = pw.BigIntegerField(null=True)
    cache_lost = pw.BigIntegerField(null=True)
    cache_wasted = pw.BigIntegerField(null=True)
    cache_more = pw.TextField(null=True)
    lane = pw.ForeignKeyField(Lane, null=True, index=False)
    turn = pw.IntegerField(null=True)
    request_class = pw.TextField(null=True)
    predecessor = pw.IntegerField(null=True, index=True)
    link = pw.TextField(null=True)
    inherits = pw.TextField(null=True)
    label = pw.TextField(null=True)
    opening = pw.BlobField(null=True)
    awaits = pw.BlobField(null=True, index=True)
    previous = pw.TextField(null=True)
    request_id = pw.TextField(null=True, index=True)
    tool_calls = pw.IntegerField(null=True)
    tool_call_id = pw.TextField(null=True)
    tool_ns = pw.BigIntegerField(null=True)
    idle_ns = pw.BigIntegerField(null=True)
    facets = pw.IntegerField(null=True)
    template = pw.ForeignKeyField(Template, null=True, index=False)
    bodies = pw.TextField(null=True)
    """`off`: stored without its texts; `dropped`: they were dropped for their age; null: they are kept."""

    class Meta:
        indexes = (
            (("bodies", "started_ns"), False),
            (("run", "started_ns"), False),
            (("started_ns", "id"), False),
            (("message_head", "ended_ns"), False),
            (("message_head", "answer_digest"), False),
            (("lane", "started_ns", "uid"), False),
        )


Call.add_index(
    *(Call.started_ns, Call.id, Call.run, Call.provider, Call.app, Call.request_model, Call.response_model),
    *(Call.status, Call.facets, Call.input_tokens, Call.output_tokens),
    *(Call.input_cost, Call.cache_read_cost, Call.cache_write_cost, Call.output_cost, Call.other_cost),
    name="call_searched",
)
"""Holds all that a search asks of calls, so that none is read for it."""

for _seldom in (Call.base, Call.continues, Call.opening, Call.previous):
    Call.add_index(_seldom, where=_seldom.is_null(False), name=f"call_{_seldom.column_name}")


class Finding(Table):
    """Something that could be saved in a run; all of a run's are replaced together. `evidence` is compressed JSON."""

    id = pw.AutoField()
    run = pw.ForeignKeyField(Run)
    code = pw.TextField()
    severity = pw.TextField()
    title = pw.TextField()
    advice = pw.TextField()
    tokens = pw.BigIntegerField()
    cost = BigNumber(null=True)
    calls = pw.IntegerField()
    estimated = pw.BooleanField()
    evidence = pw.BlobField()


class Warmup(Table):
    """A prompt that a client had its provider cache ahead of its calls: none of them, but they continue it."""

    id = pw.AutoField()
    uid = pw.TextField(unique=True)
    response_id = pw.TextField(index=True)
    started_ns = pw.BigIntegerField()
    encoding = pw.TextField()
    system_head = pw.ForeignKeyField(Node, null=True)
    message_head = pw.ForeignKeyField(Node, null=True)
    elided = pw.BooleanField()


class Envelope(Table):
    """What a call's chains do not hold of its bodies, with its headers: compressed JSON."""

    call = pw.ForeignKeyField(Call, primary_key=True)
    data = pw.BlobField()


class Attachment(Table):
    """A large value of a call's request fields or of its envelope, kept among the contents."""

    call = pw.ForeignKeyField(Call, index=False)
    content = pw.ForeignKeyField(Content)

    class Meta:
        primary_key = pw.CompositeKey("call", "content")


class Spawn(Table):
    """A text that a call's answer gives to a tool, and that may open the chain of an agent."""

    digest = pw.BlobField(index=True)
    call = pw.ForeignKeyField(Call, index=False)
    tool_call_id = pw.TextField()

    class Meta:
        primary_key = pw.CompositeKey("call", "tool_call_id", "digest")


class Manual(Table):
    """A run that a person started; its `Run` is made by its first call."""

    id = pw.AutoField()
    key = pw.TextField(unique=True)
    name = pw.TextField()
    note = pw.TextField(null=True)
    tags = pw.TextField()
    ended = pw.BooleanField()


class Interval(Table):
    """When a run that a person started took the calls; open as long as `ended_ns` is null. None overlap."""

    started_ns = pw.BigIntegerField(primary_key=True)
    ended_ns = pw.BigIntegerField(null=True)
    manual = pw.ForeignKeyField(Manual)


class SearchEntry(Table):
    """A content whose words are in the full-text index, which knows it by this id."""

    id = pw.AutoField()
    content = pw.ForeignKeyField(Content, unique=True)


class ToolUse(Table):
    """A tool that a call's answer calls, or whose results the call brought into a prompt. Tokens are counted."""

    call = pw.ForeignKeyField(Call, index=False)
    server = pw.TextField()
    name = pw.TextField(index=True)
    uses = pw.IntegerField()
    call_tokens = pw.BigIntegerField()
    result_tokens = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("call", "server", "name")


class TrendDay(Table):
    """Sums over the calls of a day (UTC, in days since the epoch) with one model, app, provider or template."""

    day = pw.IntegerField()
    dimension = pw.TextField()
    name = pw.TextField()
    calls = pw.IntegerField()
    error_calls = pw.IntegerField()
    estimated_calls = pw.IntegerField()
    input_tokens = BigNumber()
    input_tokens_calls = pw.IntegerField()
    cache_read_input_tokens = BigNumber()
    cache_read_input_tokens_calls = pw.IntegerField()
    cache_creation_input_tokens = BigNumber()
    cache_creation_input_tokens_calls = pw.IntegerField()
    output_tokens = BigNumber()
    output_tokens_calls = pw.IntegerField()
    reasoning_output_tokens = BigNumber()
    reasoning_output_tokens_calls = pw.IntegerField()
    cost = BigNumber()
    cost_calls = pw.IntegerField()
    wasted = BigNumber()
    wasted_calls = pw.IntegerField()

    class Meta:
        primary_key = pw.CompositeKey("day", "dimension", "name")


class ToolDay(Table):
    """Sums of `ToolUse` over the calls of a day."""

    day = pw.IntegerField()
    server = pw.TextField()
    name = pw.TextField()
    calls = pw.IntegerField()
    uses = pw.IntegerField()
    call_tokens = pw.BigIntegerField()
    result_tokens = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("day", "server", "name")


TABLES: tuple[type[Table], ...] = (
    *(Fact, Content, Node, NodeCount, Price, Template, Run, Lane, Call, Warmup, Envelope, Attachment, Spawn, Manual),
    *(Interval, SearchEntry, ToolUse, TrendDay, ToolDay, Finding),
)
"""Referred-to tables first."""
