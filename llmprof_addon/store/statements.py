"""SQL texts of the queries that every call runs, each put together once.

Peewee takes six times as long to write these queries as SQLite takes to run them.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import peewee as pw


class Statements:
    """Queries of one database by their shape: what they ask, and how many values they take."""

    def __init__(self, db: pw.Database) -> None:
        self._db = db
        self._texts: dict[Hashable, str] = {}

    def run(self, shape: Hashable, build: Callable[[pw.SQL], pw.Query], values: Sequence[object]) -> Any:
        """Execute the query that `build` makes with a placeholder for every value, and return its cursor.

        `values` stand in the order of the placeholders in the text. A query of the same shape is built once.
        """
        text = self._texts.get(shape)
        if text is None:
            text, own = self._db.get_sql_context().sql(build(pw.SQL(self._db.param))).query()
            if own:
                raise ValueError(f"the query {shape!r} holds values of its own: {own!r}")
            self._texts[shape] = text
        return self._db.execute_sql(text, values)
