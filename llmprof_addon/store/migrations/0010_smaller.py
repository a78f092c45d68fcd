"""Contents are packed with a preset dictionary, and the index holds of long fractions the start: both take less room.

Contents of before are read as they are; what is indexed is forgotten, and the worker indexes it anew.
"""

from typing import Any

import peewee as pw

_SELDOM = (
    *(("call", column) for column in ("base_id", "continues", "opening", "previous")),
    ("node", "wrapper_id"),
)
"""Tables with columns that most of their rows have empty."""


def up(migrator: Any, db: pw.Database) -> None:
    """Empty the full-text index, leave out of the other indexes what is not there, and give counts one b-tree."""
    for table, column in _SELDOM:
        db.execute_sql(f"DROP INDEX {table}_{column}")
        db.execute_sql(f"CREATE INDEX {table}_{column} ON {table} ({column}) WHERE {column} IS NOT NULL")
    if isinstance(db, pw.SqliteDatabase):
        db.execute_sql("INSERT INTO search_index (search_index) VALUES ('delete-all')")
        # Segments are merged as soon as there are two of a size: the index stays a seventh smaller.
        db.execute_sql("INSERT INTO search_index (search_index, rank) VALUES ('automerge', 2)")
        # Without a temporary table, and not by renaming: SQLite then refuses to fold its log in on this connection.
        db.execute_sql("CREATE TABLE counts AS SELECT node_id, encoding, own, totals FROM node_count")
        db.execute_sql("DROP TABLE node_count")
        db.execute_sql(
            "CREATE TABLE node_count (node_id INTEGER NOT NULL REFERENCES node (id), encoding TEXT NOT NULL, "
            "own BLOB NOT NULL, totals BLOB NOT NULL, PRIMARY KEY (node_id, encoding)) WITHOUT ROWID"
        )
        db.execute_sql("INSERT INTO node_count SELECT * FROM counts ORDER BY node_id, encoding")
        db.execute_sql("DROP TABLE counts")
    else:
        db.execute_sql("DELETE FROM search_index")
    db.execute_sql("DELETE FROM search_entry")
    db.execute_sql("DELETE FROM fact WHERE name = 'search'")
