"""What became of each call's cached prefix, and what its next call is compared with; runs sum it."""

from typing import Any

import peewee as pw


def up(migrator: Any, db: pw.Database) -> None:
    """Add the columns. Calls that are stored already have no verdict."""
    for name in ("cache_keys", "cache_status", "cache_cause", "cache_more"):
        db.execute_sql(f"ALTER TABLE call ADD COLUMN {name} TEXT")
    for name in ("cache_expected", "cache_lost", "cache_wasted"):
        db.execute_sql(f"ALTER TABLE call ADD COLUMN {name} BIGINT")
    for name in ("cache_breaks", "cache_expiries"):
        db.execute_sql(f"ALTER TABLE run ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0")
    db.execute_sql("ALTER TABLE run ADD COLUMN cache_lost BIGINT")
    db.execute_sql("ALTER TABLE run ADD COLUMN cache_wasted TEXT")
