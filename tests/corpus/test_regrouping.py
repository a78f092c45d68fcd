"""Recorded runs, taken apart and grouped again by content alone: shuffled, without sessions and times.

A sample of them; `LLMPROF_FULL=1` takes all.
"""

import random
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from llmprof_addon.grouping.said import answer_digest, answer_digests, said_after
from llmprof_addon.model.call import Call
from llmprof_addon.model.part import Json
from llmprof_addon.model.tree import Chains, chains
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.providers.reader import read_call
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.corpus.recorded import FULL, every_row, exchange_of, needs_recordings
from tests.factories import STARTED_NS

pytestmark = needs_recordings

BOOK = PriceBook()
LEAST = 0.97
SAMPLE = 80


@cache
def runs() -> dict[str, list[int]]:
    """Numbers of the rows of each run of two or more, in order: of a sample of the runs, or with `FULL` of all."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number, row in enumerate(every_row()):
        if row.get("run"):
            found.setdefault(row["run"]["id"], []).append((row["run"]["pos"], number))
    whole = {run: [number for _, number in sorted(some)] for run, some in found.items() if len(some) > 1}
    return whole if FULL else {run: whole[run] for run in random.Random(2).sample(sorted(whole), SAMPLE)}


@cache
def recorded() -> dict[int, tuple[Json, Call, Chains]]:
    """The rows of these runs by number, with the call that is read from each."""
    read = {}
    for number in (number for run in runs().values() for number in run):
        row = every_row()[number]
        exchange = exchange_of(row, number)
        call = read_call(exchange, exchange.request_body, exchange.response_body)
        read[number] = row, call, chains(call.prompt, call.answer.parts)
    return read


def same_call(number: int) -> object:
    """What copies of a call have in common: host, model, canonical prompt, and the answer without its ids."""
    row, call, paths = recorded()[number]
    host = row["request"]["url"].split("/")[2]
    said = answer_digest(call.answer.parts)
    sections = (paths.tools, paths.system, paths.messages)
    return host, call.request_model, tuple(links[-1].key if links else b"" for links in sections), said


def goes_on(later: int, earlier: int) -> bool:
    """Whether a prompt begins with another one and what was answered to that."""
    (_, call, paths), (_, before, path) = recorded()[later], recorded()[earlier]
    if call.prompt.continues is not None:
        return call.prompt.continues == before.answer.response_id
    parts, depth = [link.part for link in paths.messages], len(path.messages)
    if depth >= len(parts) or path.message_head != (paths.messages[depth - 1].key if depth else path.base):
        return False
    said, again = answer_digest(before.answer.parts), said_after(parts, depth)
    if said is None:
        return bool(again) and answer_digest(again) is None
    return said in answer_digests(again, call.prompt.tools)


def test_runs_are_recovered_from_shuffled_calls(tmp_path: Path) -> None:
    order = [number for run in runs().values() for number in run]
    random.Random(1).shuffle(order)
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        for number in order:
            exchange = exchange_of(recorded()[number][0], number)
            times = dict.fromkeys(("started_ns", "first_chunk_ns", "ended_ns"), STARTED_NS)
            process(replace(exchange, **times), store, BOOK)
        stored = {int(row.id.removeprefix("recorded")): row for row in queries.calls(store)}
    joins = {number: int(row.predecessor.removeprefix("recorded")) for number, row in stored.items() if row.predecessor}
    # A failed call that is tried again is no link: its prompt is the same.
    turns = {number: before for number, before in joins.items() if not stored[before].failed}
    wrong = [pair for pair in turns.items() if not goes_on(*pair)]
    links = [(later, earlier) for run in runs().values() for earlier, later in pairwise(run)]
    right = sum(later in turns and same_call(turns[later]) == same_call(earlier) for later, earlier in links)
    print(f"{right} of {len(links)} links, {right / len(links):.2%}; {len(wrong)} wrong joins")
    assert wrong == []
    assert right / len(links) >= LEAST


def test_runs_that_say_their_session_are_whole(tmp_path: Path) -> None:
    order = [(number, run) for run, some in runs().items() for number in some]
    random.Random(3).shuffle(order)
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        for number, run in order:
            process(replace(exchange_of(recorded()[number][0], number), session=run), store, BOOK)
        found = {run.key: {row.id for row in queries.calls(store, run=run.id)} for run in queries.runs(store)}
    assert found == {f"header:{run}": {f"recorded{number:06d}" for number in some} for run, some in runs().items()}
