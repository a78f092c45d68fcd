"""What is not kept of calls: contents and nodes whose texts were dropped, and of calls whether their texts are kept."""

from typing import Any

import peewee as pw


def up(migrator: Any, db: pw.Database) -> None:
    """Add the columns, and the index by which the oldest call with texts is found."""
    boolean = "INTEGER" if isinstance(db, pw.SqliteDatabase) else "BOOLEAN"
    db.execute_sql("ALTER TABLE content ADD COLUMN dropped INTEGER")
    db.execute_sql(f"ALTER TABLE node ADD COLUMN dropped {boolean}")
    db.execute_sql("ALTER TABLE call ADD COLUMN bodies TEXT")
    db.execute_sql("CREATE INDEX call_bodies_started_ns ON call (bodies, started_ns)")
