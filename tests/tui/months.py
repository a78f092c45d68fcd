"""Ten weeks of calls: an agent on most working days, more of them by and by; another model and app now and then."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.store.open import open_store
from llmprof_addon.store.upkeep import upkeep
from tests.factories import STARTED_NS
from tests.tui.recording import MINUTE, SECOND, agent, codex, local, record

DAY = 86_400 * SECOND
DAYS = 70
NOW_NS = STARTED_NS + 60 * MINUTE
"""An hour after the first call of the last day."""


def record_months(home: Path) -> str:
    """Fill the home's store, with texts indexed; returns its URL."""
    url = record(home, months())
    with open_store(url) as store:
        while upkeep(store):
            pass
    return url


def months() -> Iterator[Exchange]:
    """The calls, the last on the day of `STARTED_NS`."""
    for day in range(DAYS):
        began_ns = STARTED_NS - (DAYS - 1 - day) * DAY
        if day % 7 in (1, 2) and day != DAYS - 1:
            continue
        yield from agent(1 + day * 7 % 3 + day // 24, began_ns, run=100 + day)
        if day % 3 == 0:
            for each in codex(1 + day % 2, run=200 + day):
                yield _on(each, began_ns)
        if day % 10 == 4:
            yield _on(local(number=300 + day), began_ns)


def _on(exchange: Exchange, began_ns: int) -> Exchange:
    """The same on another day."""
    shift = began_ns - STARTED_NS
    moved = {name: getattr(exchange, name) + shift for name in ("started_ns", "first_chunk_ns", "ended_ns")}
    return replace(exchange, **moved)
