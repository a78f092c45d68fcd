"""Grouping by content alone: however conversations interleave, each is one run; digests do not depend on blocks."""

import random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.grouping.said import answer_digest
from llmprof_addon.model.part import Part
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.store.building import exchange, record, text, tool_call, tool_result

SYSTEM = [text("system", "You help.")]


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    same_start=st.booleans(),
    chance=st.randoms(use_true_random=False),
)
def test_each_conversation_is_one_run(lengths: list[int], same_start: bool, chance: random.Random) -> None:
    """Any interleaving, the same system prompt, the same first prompt or not, tool calls or text."""
    talks: list[list[Part]] = [[text("user", "Begin" if same_start else f"Begin {n}")] for n in range(len(lengths))]
    order = [who for who, length in enumerate(lengths) for _ in range(length)]
    chance.shuffle(order)
    runs: dict[int, set[str]] = {}
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        for turn, who in enumerate(order):
            call_id = f"call_{turn}"
            if chance.random() < 0.5:
                answer = [tool_call("work", f'{{"for": {who}, "turn": {turn}}}', call_id)]
                then = [tool_result("Done", call_id)]
            else:
                answer, then = [text("assistant", f"Word {turn} to {who}")], [text("user", "Go on")]
            lasts = chance.choice((0.5, 1.2))  # who reads a stream may ask on before it has ended
            made = exchange(f"{turn:032x}", at=turn, lasts=lasts)
            store.write(record(store, made, talks[who], answer, system=SYSTEM))
            row = queries.call(store, f"{turn:032x}")
            assert row is not None
            runs.setdefault(who, set()).add(row.run_id)
            talks[who] = [*talks[who], *answer, *then]
        assert all(len(found) == 1 for found in runs.values())
        assert len(set().union(*runs.values())) == len(runs)
        assert sum(run.calls for run in queries.runs(store)) == len(order)


@settings(max_examples=12, deadline=None)
@given(turns=st.integers(2, 6), chance=st.randoms(use_true_random=False))
def test_no_order_of_arrival_loses_or_doubles_a_call(turns: int, chance: random.Random) -> None:
    """Files that arrive in another order may be spread over more runs, but each call is in exactly one."""
    talk: list[Part] = [text("user", "Begin")]
    calls: list[tuple[list[Part], list[Part]]] = []
    for turn in range(turns):
        answer = [text("assistant", f"Answer {turn}")]
        calls.append((list(talk), answer))
        talk += [*answer, text("user", f"Question {turn}")]
    order = list(range(turns))
    chance.shuffle(order)
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        for turn in order:
            messages, answer = calls[turn]
            store.write(record(store, exchange(f"{turn:032x}", at=turn), messages, answer))
        found = [row.id for run in queries.runs(store) for row in queries.calls(store, run=run.id)]
        assert sorted(found) == [f"{turn:032x}" for turn in range(turns)]
        if order == sorted(order):
            assert queries.count(store) == (1, turns)


@given(st.lists(st.text(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_digests_do_not_depend_on_where_text_is_cut(texts: list[str], chance: random.Random) -> None:
    whole = "".join(texts)
    pieces = [text("assistant", piece) for piece in texts]
    assert answer_digest(pieces) == answer_digest([text("assistant", f" {whole}\n")])
    other = [text("assistant", whole + "x")]
    assert answer_digest(other) != answer_digest(pieces)
