import peewee as pw
import pytest

from llmprof_addon.store.schema import Fact
from llmprof_addon.store.statements import Statements


@pytest.fixture
def db() -> pw.Database:
    opened = pw.SqliteDatabase(":memory:")
    opened.bind([Fact])
    opened.create_tables([Fact])
    return opened


def test_a_shape_is_built_once_and_takes_new_values_each_time(db: pw.Database) -> None:
    statements, built = Statements(db), 0

    def insert(value: pw.SQL) -> pw.Insert:
        nonlocal built
        built += 1
        return Fact.insert({Fact.name: value, Fact.value: value})

    for name in "ab":
        statements.run("insert", insert, [name, name.upper()])
    assert built == 1
    rows = statements.run("all", lambda value: Fact.select(Fact.value).where(Fact.name <= value), ["b"]).fetchall()
    assert rows == [("A",), ("B",)]


def test_a_query_that_holds_a_value_of_its_own_is_a_fault(db: pw.Database) -> None:
    with pytest.raises(ValueError, match="values of its own"):
        Statements(db).run("wrong", lambda value: Fact.select().where(Fact.name == "fixed"), [])
