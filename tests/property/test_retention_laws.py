"""Laws of dropping: no call loses what it keeps, sums stay sums, what is sent again is whole, foresight is right."""

from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.retention import Retention
from llmprof_addon.model.tree import assemble
from llmprof_addon.store import edits, foresee, queries, retention
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.schema import Content, Node
from tests.property.test_store_laws import analysed, prompts
from tests.store.building import SECOND, START_NS
from tests.store.test_postgresql import wrong_sums

NOW_NS = START_NS + 1000 * SECOND

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["send", "send", "send", "again", "drop", "delete", "remove"]), st.integers(0, 9)),
    min_size=3,
    max_size=14,
)


def body_of(store: Store, id: str) -> Any:
    row = queries.call(store, id)
    assert row is not None
    return detail(store, row).body


@settings(max_examples=10, deadline=None)
@given(st.lists(prompts(), min_size=2, max_size=4), ACTIONS, st.randoms(use_true_random=False))
def test_calls_keep_what_is_theirs(told: list[Any], actions: list[tuple[str, int]], chance: Any) -> None:
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        sent: dict[str, tuple[int, Any]] = {}
        for number, (action, choice) in enumerate(actions):
            if action in ("send", "again"):
                prompt = told[choice % len(told)]
                at = choice * 10 if action == "send" else 200 + number  # also calls that are old when they come
                id = f"{number:032x}"
                store.write(analysed(store, id, prompt, chance.choice(told).messages[:2], at))
                sent[id] = START_NS + at * SECOND, prompt
            elif action == "remove" and sent:
                id = sorted(sent)[choice % len(sent)]
                edits.delete_call(store, id)
                del sent[id]
            else:
                age = NOW_NS - START_NS - choice * 10 * SECOND
                limits = Retention(bodies_ns=age) if action == "drop" else Retention(calls_ns=age, bodies_ns=age // 2)
                foreseen = foresee.foresee(store, limits, NOW_NS)
                assert retention.prune(store, limits, NOW_NS) == foreseen
                before = limits.calls_before(NOW_NS) or 0
                sent = {id: held for id, held in sent.items() if held[0] >= before}
        assert {row.id for row in queries.calls(store)} == set(sent)
        kept = {row.id for row in queries.calls(store) if row.bodies is None}
        for id in sent:
            body = body_of(store, id)
            if id in kept:
                assert body == assemble(sent[id][1].params, sent[id][1].parts)
        assert wrong_sums(store) == []
        retention.prune(store, Retention(bodies_ns=0), NOW_NS * 2)
        warm = store.db.execute(Node.select(Node.id).where(Node.dropped.is_null())).fetchall()
        assert warm == []
        for number, prompt in enumerate(told):
            id = f"{900 + number:032x}"
            store.write(analysed(store, id, prompt, (), 900 + number))
            assert body_of(store, id) == assemble(prompt.params, prompt.parts)
        edits.prune(store, NOW_NS * 2)
        assert store.db.execute(Content.select(Content.digest)).fetchall() == []
