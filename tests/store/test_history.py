"""Grouping with a real past: what `history` finds and where the calls end up."""

from typing import Any

import pytest

from llmprof_addon.model.call import Identity
from llmprof_addon.model.exchange import Client
from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import root
from llmprof_addon.store import kin, queries
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store
from tests.store.building import conversation, exchange, record, text, tool_call, tool_result


class Recorder:
    """Writes calls one after the other and tells the run of each."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls = 0

    def __call__(self, messages: list[Part], answer: list[Part], **more: Any) -> tuple[str, str]:
        of_exchange = {key: more.pop(key) for key in ("client", "status", "outcome", "session", "lasts") if key in more}
        at = more.pop("at", self.calls)
        made = record(self.store, exchange(f"{self.calls:032x}", at=at, **of_exchange), messages, answer, **more)
        self.calls += 1
        self.store.write(made)
        row = queries.call(self.store, made.exchange.id)
        assert row is not None
        return row.run_id, made.run.reason


@pytest.fixture
def written(store: Store) -> Recorder:
    return Recorder(store)


def test_a_conversation_is_one_run(written: Recorder) -> None:
    found = [written(messages, answer) for messages, answer in conversation(50)]
    assert found[0][1] == "new"
    assert {reason for _, reason in found[1:]} == {"ancestry"}
    assert len({run for run, _ in found}) == 1


def test_interleaved_conversations_stay_apart(written: Recorder) -> None:
    system = [text("system", "The same for both.")]
    pairs = zip(conversation(20, said_by="a"), conversation(20, said_by="b"), strict=True)
    runs = [[written(messages, answer, system=system)[0] for messages, answer in pair] for pair in pairs]
    assert {a for a, _ in runs} != {b for _, b in runs}
    assert len({a for a, _ in runs}) == len({b for _, b in runs}) == 1


def test_equal_first_prompts_part_by_their_answers(written: Recorder) -> None:
    asked = text("user", "Tell me a story.")
    first, second = text("assistant", "Once upon a time"), text("assistant", "In a land far away")
    run_a, run_b = written([asked], [first])[0], written([asked], [second])[0]
    assert run_a != run_b
    more = text("user", "Go on")
    assert written([asked, first, more], [text("assistant", "…")])[0] == run_a
    assert written([asked, second, more], [text("assistant", "…")])[0] == run_b


def test_a_fork_stays_in_its_run(written: Recorder) -> None:
    turns = list(conversation(4))
    runs = {written(messages, answer)[0] for messages, answer in turns}
    messages, answer = turns[1]
    forked = [*messages, *answer, tool_result("Another result", "call_1"), text("user", "Stop")]
    assert {written(forked, [text("assistant", "As you like.")])[0]} == runs


def test_an_answer_that_comes_back_in_another_form(written: Recorder) -> None:
    asked = text("user", "Go")
    run = written([asked], [text("assistant", "One.", form="item"), tool_call("read", '{"a": 1, "b": 2}', "call_1")])[0]
    joined = [text("assistant", " One."), tool_call("read", '{"b":2,"a":1}', "rewritten")]
    assert written([asked, *joined, tool_result("x", "rewritten")], [])[0] == run


def test_a_retry_joins_and_a_repeat_does_not(written: Recorder) -> None:
    asked = [text("user", "Ping")]
    failed = written(asked, [], status=529)
    assert written(asked, [text("assistant", "Pong")]) == (failed[0], "retry")
    # The one that answered stands between: its prompt is asked again by somebody else.
    assert written([text("user", "Other")], [text("assistant", "Pong")])[1] == "new"
    assert written([text("user", "Other")], [text("assistant", "Pong")])[1] == "new"


def test_aborted_and_tried_again(written: Recorder) -> None:
    asked = [text("user", "Write much")]
    run = written(asked, [text("assistant", "Chap")], outcome="aborted")[0]
    assert written(asked, [text("assistant", "Chapter 1 …")]) == (run, "retry")


def test_calls_at_once_are_no_ancestors(written: Recorder) -> None:
    asked, said = text("user", "Go"), text("assistant", "Gone")
    first = written([asked], [said], at=0, lasts=10)[0]
    assert written([asked, said, text("user", "More")], [], at=5)[0] != first
    assert written([asked, said, text("user", "More")], [], at=10)[0] == first


def test_sessions(written: Recorder) -> None:
    by_id = Identity(session="s1", session_source="x-session")
    first = written([text("user", "A")], [], identity=by_id)
    assert written([text("user", "B")], [], identity=by_id) == (first[0], "session")
    forced = written([text("user", "C")], [], identity=by_id, session="forced")
    assert forced[1] == "header"
    assert forced[0] != first[0]
    run = queries.run(written.store, first[0])
    assert run is not None
    assert (run.key, run.calls, run.label) == ("x-session:s1", 2, "A")


def test_weak_sessions_only_narrow(written: Recorder) -> None:
    asked, said = text("user", "Hi"), text("assistant", "Hello")
    runs = [
        written([asked], [said], identity=Identity(weak_session=name), client=Client(peer=peer))[0]
        for name, peer in (("one", "10.0.0.1"), ("two", "10.0.0.2"), ("three", "10.0.0.3"))
    ]
    more = [asked, said, text("user", "And?")]
    assert written(more, [], identity=Identity(weak_session="one"))[0] == runs[0]
    assert written(more, [], client=Client(peer="10.0.0.2"))[0] == runs[1]
    assert written(more, [])[0] == runs[2]


def test_a_response_continued_by_id(written: Recorder) -> None:
    store = written.store
    first = written([text("user", "One")], [text("assistant", "Two")], response_id="resp_1")
    before = store.continued("resp_1")
    assert before is not None
    assert before.system == root("system")
    assert store.continued("resp_x") is None
    assert written([text("user", "Three")], [text("assistant", "Four")], continues="resp_1", response_id="resp_2") == (
        first[0],
        "continues",
    )
    row = next(queries.calls(store))
    assert (row.depth, row.continues) == (3, "resp_1")
    kept = detail(store, row)
    assert kept.base == before.messages
    assert kept.body["messages"] == [{"role": "user", "content": "Three"}]
    assert written([], [text("assistant", "Five")], continues="resp_2")[0] == first[0]
    assert detail(store, next(queries.calls(store))).body == {"model": "gpt-test", "stream": True}


def test_a_predecessor_that_is_not_there_yet(written: Recorder) -> None:
    run, reason = written([text("user", "Three")], [], continues="resp_late")
    assert reason == "new"
    row = next(queries.calls(written.store))
    assert row.continues == "resp_late"
    assert detail(written.store, row).base == root("messages")
    assert written([text("user", "One")], [text("assistant", "Two")], response_id="resp_late")[0] != run


def test_the_search_is_bounded(written: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a prompt was asked before, few candidates come back, the right one among them."""
    monkeypatch.setattr(kin, "CANDIDATES", 3)
    asked = text("user", "Hi")
    runs = [written([asked], [text("assistant", f"Hello {n}")])[0] for n in range(10)]
    messages = [asked, text("assistant", "Hello 2"), text("user", "More")]
    made = record(written.store, exchange("new", at=100), messages)
    history = written.store.history(made.call, made.chains, made.exchange)
    assert [one.run_id for one in history.ancestors] == [runs[2]]
    made = record(written.store, exchange("new", at=100), [asked])
    history = written.store.history(made.call, made.chains, made.exchange)
    assert [one.run_id for one in history.ancestors] == [runs[9], runs[8], runs[7]]


def test_a_conversation_joined_far_from_its_end(written: Recorder) -> None:
    """Turns that were never seen may lie between a call and its ancestor."""
    turns = list(conversation(200))
    run = written(*turns[0])[0]
    assert written(*turns[199]) == (run, "ancestry")
