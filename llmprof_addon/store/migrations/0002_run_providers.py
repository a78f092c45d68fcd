"""A run knows the providers of its calls, so that lists filter by provider without looking at calls."""

import json
from typing import Any

import peewee as pw


def up(migrator: Any, db: pw.Database) -> None:
    """Add the column and fill it, in the order in which the providers were first called."""
    db.execute_sql("ALTER TABLE run ADD COLUMN providers TEXT NOT NULL DEFAULT '[]'")
    query = "SELECT run_id, provider FROM call GROUP BY run_id, provider ORDER BY run_id, MIN(started_ns), MIN(id)"
    providers: dict[int, list[str]] = {}
    for run, provider in db.execute_sql(query).fetchall():
        providers.setdefault(run, []).append(provider)
    for run, names in providers.items():
        text = json.dumps(names, separators=(",", ":"))
        db.execute_sql(f"UPDATE run SET providers = {db.param} WHERE id = {db.param}", (text, run))
