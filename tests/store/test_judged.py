"""The cache of a run's calls, as light rows."""

from pathlib import Path

from llmprof_addon.export.cache import is_loss
from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.store import edits, queries
from llmprof_addon.store.judged import idle, judged
from llmprof_addon.store.open import open_store
from tests.tui.crew import RUN, crew
from tests.tui.recording import call_id, record


def test_rows_say_what_the_full_rows_say(tmp_path: Path) -> None:
    with open_store(record(tmp_path, crew())) as store:
        (run,) = queries.runs(store)
        rows = judged(store, run.id)
        full = list(queries.calls(store, run=run.id))[::-1]
        assert [row.place for row in rows] == list(range(1, run.calls + 1))
        assert [(row.id, row.verdict, row.model) for row in rows] == [(row.id, row.cache, row.model) for row in full]
        assert [row.cost for row in rows] == [row.cost.total if row.cost else None for row in full]
        lost = [row for row in rows if row.verdict and is_loss(row.verdict)]
        assert [row.verdict.status for row in lost if row.verdict] == [
            CacheStatus.BREAK, CacheStatus.EXPIRED, CacheStatus.BREAK,
        ]  # fmt: skip
        gaps = idle(store, lost)
        assert [gaps[row.id].may_expire_s for row in lost] == [300, 300, 300]
        # What was refused in between used no prefix.
        assert [round(gaps[row.id].seconds) for row in lost] == [6, 47 * 60 + 13, 6]
        # Of a call that is gone nothing is known.
        edits.delete_call(store, call_id(RUN, 0x12))
        assert lost[0].id not in idle(store, lost)
        assert judged(store, "nobody") == ()
