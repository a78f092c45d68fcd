"""Homes whose stores the real pipeline has filled, and the command line run over them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.factories import STARTED_NS, fixture_exchange, make_exchange

SECOND = 1_000_000_000
CASES = (
    ("openai.chat", "agent_turn"),
    ("openai.chat", "cut_stream"),
    ("openai.responses", "function_turn"),
    ("anthropic.messages", "cache_5m"),
    ("anthropic.messages", "error"),
    ("anthropic.messages", "mcp_tools"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def case_id(case: str) -> str:
    """The id of the call that is made of a case."""
    position = next(index for index, (_, name) in enumerate(CASES) if name == case)
    return f"01aa{position:04x}{'0' * 24}"


def at(exchange: Exchange, started_ns: int, **fields: Any) -> Exchange:
    """The exchange at another time."""
    return replace(
        exchange,
        started_ns=started_ns,
        first_chunk_ns=started_ns + SECOND // 2,
        ended_ns=started_ns + 2 * SECOND,
        **fields,
    )


def turn(number: int, said: Iterable[str], answer: str, **fields: Any) -> Exchange:
    """A call of a conversation with Claude: what was `said` so far, alternating, and what it answers."""
    messages: list[Json] = [
        {"role": "assistant" if index % 2 else "user", "content": text} for index, text in enumerate(said)
    ]
    used = {"input_tokens": 40 * number, "cache_read_input_tokens": 100 * number, "output_tokens": 9}
    reply = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
    reply |= {"content": [{"type": "text", "text": answer}], "stop_reason": "end_turn", "usage": used}
    exchange = make_exchange(
        {"model": "claude-sonnet-4-5", "max_tokens": 99, "system": "You mend boats.", "messages": messages}, reply
    )
    fields = {"id": f"01bb{number:04x}{'0' * 24}"} | fields
    return at(exchange, STARTED_NS + (100 + 5 * number) * SECOND, **fields)


def conversation() -> list[Exchange]:
    """Two turns; the second carries the first with its answer."""
    first = ["My boat leaks near the keel."]
    return [turn(1, first, "How fast?"), turn(2, [*first, "How fast?", "A cup an hour."], "Caulk it.")]


def cases() -> list[Exchange]:
    """One exchange of each case, one after the other."""
    return [
        at(fixture_exchange(dialect, case), STARTED_NS + 5 * number * SECOND, id=case_id(case))
        for number, (dialect, case) in enumerate(CASES)
    ]


def record(home: Path, exchanges: Iterable[Exchange]) -> Path:
    """The home with these exchanges in its store."""
    book = PriceBook()
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        for exchange in exchanges:
            assert process(exchange, store, book) is not None
    return home
