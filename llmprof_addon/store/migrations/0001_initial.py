"""The first schema. A frozen copy: what changes later has a file of its own."""

from typing import Any

import peewee as pw


def up(migrator: Any, db: pw.Database) -> None:
    """Create all tables."""

    class Table(pw.Model):
        class Meta:
            legacy_table_names = False

    class Fact(Table):
        name = pw.CharField(primary_key=True)
        value = pw.TextField()

    class Content(Table):
        digest = pw.BlobField(primary_key=True)
        size = pw.IntegerField()
        data = pw.BlobField()

    class Node(Table):
        id = pw.AutoField()
        key = pw.BlobField(unique=True)
        parent = pw.ForeignKeyField("self", null=True)
        content = pw.ForeignKeyField(Content)
        wrapper = pw.ForeignKeyField(Content, null=True)
        depth = pw.IntegerField()
        place = pw.TextField()
        form = pw.TextField()
        kind = pw.TextField()
        role = pw.TextField()
        name = pw.TextField(null=True)

    class NodeCount(Table):
        node = pw.ForeignKeyField(Node, index=False)
        encoding = pw.TextField()
        own = pw.BlobField()
        totals = pw.BlobField()

        class Meta:
            primary_key = pw.CompositeKey("node", "encoding")

    class Price(Table):
        id = pw.AutoField()
        snapshot = pw.TextField(unique=True)

    class Run(Table):
        id = pw.AutoField()
        uid = pw.TextField(unique=True)
        key = pw.TextField(unique=True)
        label = pw.TextField(null=True)
        name = pw.TextField(null=True)
        app = pw.TextField(null=True)
        models = pw.TextField()
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
        input_cost = pw.TextField(null=True)
        cache_read_cost = pw.TextField(null=True)
        cache_write_cost = pw.TextField(null=True)
        output_cost = pw.TextField(null=True)
        other_cost = pw.TextField(null=True)

        class Meta:
            indexes = ((("started_ns", "id"), False),)

    class Call(Table):
        id = pw.AutoField()
        uid = pw.TextField(unique=True)
        run = pw.ForeignKeyField(Run, index=False)
        started_ns = pw.BigIntegerField()
        first_chunk_ns = pw.BigIntegerField(null=True)
        ended_ns = pw.BigIntegerField()
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
        base = pw.ForeignKeyField(Node, null=True)
        depth = pw.IntegerField()
        answer_digest = pw.BlobField(null=True)
        params = pw.ForeignKeyField(Content)
        redactions = pw.IntegerField()
        request_truncated = pw.BigIntegerField()
        response_truncated = pw.BigIntegerField()

        class Meta:
            indexes = (
                (("run", "started_ns"), False),
                (("started_ns", "id"), False),
                (("message_head", "ended_ns"), False),
                (("message_head", "answer_digest"), False),
            )

    class Envelope(Table):
        call = pw.ForeignKeyField(Call, primary_key=True)
        data = pw.BlobField()

    class Attachment(Table):
        call = pw.ForeignKeyField(Call, index=False)
        content = pw.ForeignKeyField(Content)

        class Meta:
            primary_key = pw.CompositeKey("call", "content")

    db.bind([Fact, Content, Node, NodeCount, Price, Run, Call, Envelope, Attachment])
    db.create_tables([Fact, Content, Node, NodeCount, Price, Run, Call, Envelope, Attachment])
