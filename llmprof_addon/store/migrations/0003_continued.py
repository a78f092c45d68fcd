"""Who called, as JSON; calls are found by what they continue; and prompts that are no calls can be continued."""

from typing import Any

import peewee as pw


def up(migrator: Any, db: pw.Database) -> None:
    """Add a column, an index and a table."""

    class Table(pw.Model):
        class Meta:
            legacy_table_names = False

    class Node(Table):
        id = pw.AutoField()

    class Warmup(Table):
        id = pw.AutoField()
        uid = pw.TextField(unique=True)
        response_id = pw.TextField(index=True)
        started_ns = pw.BigIntegerField()
        encoding = pw.TextField()
        system_head = pw.ForeignKeyField(Node, null=True)
        message_head = pw.ForeignKeyField(Node, null=True)
        elided = pw.BooleanField()

    db.execute_sql("ALTER TABLE call ADD COLUMN identity TEXT")
    db.execute_sql("CREATE INDEX call_continues ON call (continues)")
    db.bind([Node, Warmup])
    db.create_tables([Warmup])
