"""What could be saved in a run. Runs that are stored already are looked at when a call changes them."""

from typing import Any

import peewee as pw


def up(migrator: Any, db: pw.Database) -> None:
    """Add the table and the columns."""

    class Table(pw.Model):
        class Meta:
            legacy_table_names = False

    class Run(Table):
        id = pw.AutoField()

    class Finding(Table):
        id = pw.AutoField()
        run = pw.ForeignKeyField(Run)
        code = pw.TextField()
        severity = pw.TextField()
        title = pw.TextField()
        advice = pw.TextField()
        tokens = pw.BigIntegerField()
        cost = pw.TextField(null=True)
        calls = pw.IntegerField()
        estimated = pw.BooleanField()
        evidence = pw.BlobField()

    db.bind([Run, Finding])
    db.create_tables([Finding])
    db.execute_sql("ALTER TABLE run ADD COLUMN findings INTEGER")
    db.execute_sql("ALTER TABLE run ADD COLUMN reclaimable_tokens BIGINT")
    db.execute_sql("ALTER TABLE run ADD COLUMN reclaimable_cost TEXT")
    db.execute_sql("ALTER TABLE run ADD COLUMN findings_due INTEGER NOT NULL DEFAULT 0")
    db.execute_sql("CREATE INDEX run_findings_due ON run (findings_due)")
