import threading
from pathlib import Path

import peewee as pw
from llmprof_tui.source import Source

from llmprof_addon.store.open import open_store


def test_closing_closes_the_stores_of_all_threads_and_those_in_use_with_their_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/llmprof.db"
    open_store(url).close()
    source = Source(url, tmp_path)
    opened: dict[str, pw.Database] = {}
    asked, closed, ended = threading.Event(), threading.Event(), threading.Event()

    def idle() -> None:
        opened["idle"] = source.store.db
        asked.set()
        ended.wait(10)

    def busy() -> None:
        store = source.store
        opened["busy"] = store.db
        asked.wait(10)
        closed.wait(10)
        assert store.db.execute_sql("SELECT 1").fetchone() == (1,)

    threads = [threading.Thread(target=target) for target in (idle, busy)]
    for thread in threads:
        thread.start()
    asked.wait(10)
    opened["own"] = source.store.db
    while len(opened) < 3:
        ended.wait(0.01)
    source.close()
    assert {name: db.is_closed() for name, db in opened.items()} == {"idle": True, "busy": False, "own": True}
    closed.set()
    threads[1].join()
    assert opened["busy"].is_closed()
    ended.set()
    threads[0].join()


def test_a_closed_source_that_is_asked_opens_its_store_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/llmprof.db"
    open_store(url).close()
    source = Source(url, tmp_path)
    source.close()
    assert source.version()
    source.close()
