"""Sums by day, tools that calls use, prompt templates. Stored calls are counted by the worker, some at a time."""

from typing import Any

import peewee as pw


def up(migrator: Any, db: pw.Database) -> None:
    """Add tables and a column, and note that there are calls to count."""

    class Table(pw.Model):
        class Meta:
            legacy_table_names = False

    class Call(Table):
        id = pw.AutoField()

    class Template(Table):
        id = pw.AutoField()
        name = pw.TextField(unique=True)

    class ToolUse(Table):
        call = pw.ForeignKeyField(Call, index=False)
        server = pw.TextField()
        name = pw.TextField(index=True)
        uses = pw.IntegerField()
        call_tokens = pw.BigIntegerField()
        result_tokens = pw.BigIntegerField()

        class Meta:
            primary_key = pw.CompositeKey("call", "server", "name")

    class TrendDay(Table):
        day = pw.IntegerField()
        dimension = pw.TextField()
        name = pw.TextField()
        calls = pw.IntegerField()
        error_calls = pw.IntegerField()
        estimated_calls = pw.IntegerField()
        input_tokens = pw.TextField()
        input_tokens_calls = pw.IntegerField()
        cache_read_input_tokens = pw.TextField()
        cache_read_input_tokens_calls = pw.IntegerField()
        cache_creation_input_tokens = pw.TextField()
        cache_creation_input_tokens_calls = pw.IntegerField()
        output_tokens = pw.TextField()
        output_tokens_calls = pw.IntegerField()
        reasoning_output_tokens = pw.TextField()
        reasoning_output_tokens_calls = pw.IntegerField()
        cost = pw.TextField()
        cost_calls = pw.IntegerField()
        wasted = pw.TextField()
        wasted_calls = pw.IntegerField()

        class Meta:
            primary_key = pw.CompositeKey("day", "dimension", "name")

    class ToolDay(Table):
        day = pw.IntegerField()
        server = pw.TextField()
        name = pw.TextField()
        calls = pw.IntegerField()
        uses = pw.IntegerField()
        call_tokens = pw.BigIntegerField()
        result_tokens = pw.BigIntegerField()

        class Meta:
            primary_key = pw.CompositeKey("day", "server", "name")

    tables = [Template, ToolUse, TrendDay, ToolDay]
    db.bind([Call, *tables])
    db.create_tables(tables)
    db.execute_sql("ALTER TABLE call ADD COLUMN template_id INTEGER REFERENCES template (id)")
    if db.execute_sql("SELECT id FROM call LIMIT 1").fetchone():
        db.execute_sql("INSERT INTO fact (name, value) VALUES ('trends', '0 0')")
