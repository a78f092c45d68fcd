"""Contents have a full-text index, calls what a search asks of them. What is stored is indexed by the worker."""

from typing import Any

import peewee as pw

_SEARCHED = (
    *("started_ns", "id", "run_id", "provider", "app", "request_model", "response_model", "status", "facets"),
    *(
        "input_tokens",
        "output_tokens",
        "input_cost",
        "cache_read_cost",
        "cache_write_cost",
        "output_cost",
        "other_cost",
    ),
)


def up(migrator: Any, db: pw.Database) -> None:
    """Add the index, empty: words are of distinct contents only, without places, so that it stays small."""

    class Table(pw.Model):
        class Meta:
            legacy_table_names = False

    class Content(Table):
        digest = pw.BlobField(primary_key=True)

    class SearchEntry(Table):
        id = pw.AutoField()
        content = pw.ForeignKeyField(Content, unique=True)

    db.bind([Content, SearchEntry])
    db.create_tables([SearchEntry])
    if isinstance(db, pw.SqliteDatabase):
        db.execute_sql(
            "CREATE VIRTUAL TABLE search_index USING "
            "fts5(words, content='', detail=none, columnsize=0, tokenize='ascii')"
        )
    else:
        db.execute_sql("CREATE TABLE search_index (rowid BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        db.execute_sql("CREATE INDEX search_index_words ON search_index USING GIN (words)")
    db.execute_sql("ALTER TABLE call ADD COLUMN facets INTEGER")
    db.execute_sql(f"CREATE INDEX call_searched ON call ({', '.join(_SEARCHED)})")
