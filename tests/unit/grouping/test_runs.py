"""Which run a call joins."""

from typing import Any

import pytest

from llmprof_addon.grouping.opening import label
from llmprof_addon.grouping.runs import choose, session_key
from llmprof_addon.grouping.said import answer_digest
from llmprof_addon.model.call import Call, Identity, Prompt
from llmprof_addon.model.exchange import Client
from llmprof_addon.model.history import Ancestor, History, RunChoice
from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import chains
from tests.store.building import SECOND, START_NS, exchange, text, tool_call, tool_result

ASKED, SAID, THANKED = text("user", "What is it?"), text("assistant", "A test."), text("user", "Thanks")


def chosen(
    messages: list[Part], history: History, *, at: float = 100, identity: Identity | None = None, **more: Any
) -> RunChoice:
    prompt = Prompt(messages=tuple(messages))
    call = Call(provider="p", api="openai.chat", prompt=prompt, identity=identity or Identity())
    return choose(exchange("new", at=at, **more), call, chains(prompt), history)


def went_on(choice: RunChoice) -> tuple[str | None, str, str]:
    """Run, key and reason."""
    return choice.run_id, choice.key, choice.reason


def ancestor(run: str, depth: int = 1, *, ended: float = 50, **more: Any) -> Ancestor:
    given: dict[str, Any] = {"answer": answer_digest([SAID]), "peer": "127.0.0.1", "user_agent": "tests/1"}
    return Ancestor(
        call_id=f"call of {run}", run_id=run, ended_ns=START_NS + round(ended * SECOND), depth=depth, **(given | more)
    )


def among(*ancestors: Ancestor) -> History:
    return History(ancestors=ancestors)


def test_the_header_decides_before_all() -> None:
    identity = Identity(session="own", session_source="x")
    history = History(session_run="forced", named=ancestor("other"), ancestors=(ancestor("a"),))
    choice = chosen([ASKED, SAID, THANKED], history, identity=identity, session="mine")
    assert went_on(choice) == ("forced", "header:mine", "header")


def test_a_new_session_is_a_new_run_even_with_ancestors() -> None:
    identity = Identity(session="fork", session_source="x-session")
    choice = chosen([ASKED, SAID, THANKED], among(ancestor("a")), identity=identity)
    assert went_on(choice) == (None, "x-session:fork", "session")


def test_session_keys() -> None:
    assert session_key(exchange("a"), Identity(weak_session="w")) is None
    assert session_key(exchange("a"), Identity(session="s")) == "session:s"
    assert session_key(exchange("a", session="h"), Identity(session="s")) == "header:h"


def test_a_continued_response_decides_before_ancestry() -> None:
    choice = chosen([THANKED], History(named=ancestor("a"), ancestors=(ancestor("b"),)))
    assert went_on(choice) == ("a", "call:new", "continues")


def test_prompt_and_answer_continued() -> None:
    choice = chosen([ASKED, SAID, THANKED], among(ancestor("a")))
    assert went_on(choice) == ("a", "call:new", "ancestry")


def test_tool_calls_are_answers_too() -> None:
    called = tool_call("read", '{"path": "x"}')
    history = among(ancestor("a", answer=answer_digest([called])))
    assert chosen([ASKED, called, tool_result("y")], history).run_id == "a"


@pytest.mark.parametrize(
    "messages",
    [
        [ASKED, text("assistant", "Something else."), THANKED],
        [ASKED, THANKED],
        [ASKED],
    ],
)
def test_another_answer_or_none_is_another_run(messages: list[Part]) -> None:
    assert went_on(chosen(messages, among(ancestor("a")))) == (None, "call:new", "new")


def test_what_ends_later_is_no_ancestor() -> None:
    assert chosen([ASKED, SAID, THANKED], among(ancestor("a", ended=101))).run_id is None
    assert chosen([ASKED, SAID, THANKED], among(ancestor("a", ended=100))).run_id == "a"


def test_who_reads_a_stream_goes_on_before_it_has_ended() -> None:
    """The new call lasts from 100 to 100.5."""
    late = ancestor("a", ended=100.003)
    assert chosen([ASKED, SAID, THANKED], among(late)).run_id == "a"
    assert chosen([ASKED, SAID, THANKED], among(late, ancestor("b", ended=1))).run_id == "b"
    for other in (ancestor("a", ended=100.003, complete=False), ancestor("a", ended=100.003, depth=3)):
        assert chosen([ASKED, SAID, THANKED] if other.depth == 3 else [ASKED], among(other)).run_id is None
    failed = ancestor("a", ended=100.003, complete=False, answer=None)
    assert chosen([ASKED, text("user", "Hello?")], among(failed)).run_id is None


def test_the_latest_among_equals() -> None:
    history = among(ancestor("old", ended=40), ancestor("late", ended=60), ancestor("mid", ended=50))
    assert chosen([ASKED, SAID, THANKED], history).run_id == "late"


def test_the_deepest_comes_before_the_latest() -> None:
    deep = ancestor("deep", depth=3, ended=10)
    assert chosen([ASKED, SAID, THANKED, SAID, THANKED], among(ancestor("late", ended=90), deep)).run_id == "deep"


@pytest.mark.parametrize("sign", ["peer", "user_agent", "weak_session"])
def test_weak_signs_narrow(sign: str) -> None:
    own = {"peer": "10.0.0.7", "user_agent": "agent/2", "weak_session": "w"}[sign]
    client = Client(peer=own if sign == "peer" else "1.1.1.1", user_agent=own if sign == "user_agent" else "other")
    identity = Identity(weak_session="w" if sign == "weak_session" else None)
    history = among(ancestor("mine", ended=10, **{sign: own}), ancestor("late", ended=90))
    assert chosen([ASKED, SAID, THANKED], history, client=client, identity=identity).run_id == "mine"


def test_weak_signs_alone_decide_nothing() -> None:
    client, identity = Client(peer="10.0.0.7", user_agent="agent/2"), Identity(weak_session="w")
    assert chosen([ASKED, SAID, THANKED], among(ancestor("a")), client=client, identity=identity).run_id == "a"
    history = among(ancestor("a", weak_session="w", answer=answer_digest([text("assistant", "No.")])))
    assert chosen([ASKED, SAID, THANKED], history, identity=identity).run_id is None


def test_a_call_that_failed_is_tried_again() -> None:
    for failed in (ancestor("a", complete=False, answer=None), ancestor("a", complete=False)):
        assert went_on(chosen([ASKED], among(failed))) == ("a", "call:new", "retry")
    assert chosen([ASKED], among(ancestor("a", complete=False, peer="elsewhere"))).run_id is None


def test_equal_first_prompts_stay_apart() -> None:
    assert chosen([ASKED], among(ancestor("a"), ancestor("b"))).run_id is None


def test_a_second_answer_to_a_conversation_under_way() -> None:
    """Only where something else joins the two: few-shot prompts are asked again and again by what has no session."""
    again = [ASKED, SAID, THANKED]
    assert went_on(chosen(again, among(ancestor("a", depth=3)))) == (None, "call:new", "new")
    weak = Identity(weak_session="w")
    choice = chosen(again, among(ancestor("a", depth=3, weak_session="w")), identity=weak)
    assert (choice.run_id, choice.reason, choice.link) == ("a", "retry", "retry")
    history = History(session_run="a", ancestors=(ancestor("a", depth=3),))
    choice = chosen(again, history, identity=Identity(session="s"))
    assert (choice.run_id, choice.reason, choice.link) == ("a", "session", "retry")


def test_a_failed_call_is_not_tried_again_for_ever() -> None:
    failed = among(ancestor("a", complete=False, answer=None))
    assert chosen([ASKED], failed, at=600).run_id == "a"
    assert chosen([ASKED], failed, at=700).run_id is None


def test_two_runs_in_step_stay_apart() -> None:
    """The other run's equal call is no retry: this call's own last turn is its ancestor."""
    history = among(ancestor("other", depth=3, ended=90, peer="10.0.0.2"), ancestor("mine", ended=50))
    assert chosen([ASKED, SAID, THANKED], history).run_id == "mine"


def test_a_prompt_that_grew_after_a_failure() -> None:
    failed = ancestor("a", complete=False, answer=None)
    assert chosen([ASKED, text("user", "Hello?")], among(failed)).run_id == "a"
    assert chosen([ASKED, SAID, THANKED], among(failed)).run_id is None
    assert chosen([ASKED, text("user", "Hello?")], among(ancestor("a", answer=None))).run_id is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Fix the\nbuild"], "Fix the"),
        (["  \n\t Fix   the build  "], "Fix the build"),
        (["x" * 100], "x" * 79 + "…"),
        (["<system-reminder>Be good.</system-reminder>", "Fix it"], "Fix it"),
        (["<system-reminder>Be good.</system-reminder>\n<env os='x'>y</env>\nFix it"], "Fix it"),
        (["# AGENTS.md instructions for /src\n\n<INSTRUCTIONS>…</INSTRUCTIONS>", "Fix it"], "Fix it"),
        (["<environment_context>\n<cwd>/src</cwd>\n</environment_context>", "Fix it"], "Fix it"),
        (["<task>Fix it</task>"], "Fix it"),
        (["<b> is a tag"], "<b> is a tag"),
        (["System design for a shop"], "System design for a shop"),
        (["<system-reminder>Be good.</system-reminder>"], None),
        ([" "], None),
        ([], None),
    ],
)
def test_labels(texts: list[str], expected: str | None) -> None:
    assert label(Prompt(messages=tuple(text("user", said) for said in texts))) == expected


def test_labels_come_from_users() -> None:
    messages = (text("assistant", "Welcome!"), tool_result("data"), ASKED)
    assert label(Prompt(messages=messages)) == "What is it?"
