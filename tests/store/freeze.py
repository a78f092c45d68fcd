"""Writes a small store of the present schema to `fixtures/databases`: run once when a schema is released.

    python -m tests.store.freeze

The tests then open every file there with the program of the day.
"""

from pathlib import Path

from llmprof_addon.store import migrate
from llmprof_addon.store.open import open_store
from tests.store.building import conversation, exchange, money, record, schema, text

FOLDER = Path(__file__).parents[2] / "fixtures" / "databases"


def main() -> None:
    """Two runs of two calls each, as this program writes them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{max(migrate.DIRECTORY.glob('[0-9]*.py')).stem}.sqlite"
    path.unlink(missing_ok=True)
    with open_store(f"sqlite:///{path}") as store:
        for turn, talks in enumerate(zip(conversation(2, said_by="a"), conversation(2, said_by="b"), strict=True)):
            for who, (messages, answer) in zip("ab", talks, strict=True):
                made = exchange(f"{who}{turn}".ljust(32, "0"), at=turn * 10 + (who == "b"), tags=(("team", "blue"),))
                rest = {"id": f"answer {turn}", "echo": "tools " * 300}
                system, tools = [text("system", "Be brief.")], [schema("read")]
                store.write(record(store, made, messages, answer, system=system, tools=tools, cost=money(), rest=rest))
        store.db.execute_sql("PRAGMA journal_mode = DELETE")
    print(path)


if __name__ == "__main__":
    main()
