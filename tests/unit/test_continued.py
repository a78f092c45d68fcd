"""Calls that continue others by their response ids: in which context they stand, whatever came first."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.cli.laws import check_call
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.pipeline import Explanation, explain, process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import edits, queries
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.schema import Call, Content, Node, Warmup
from tests.factories import RESPONSES_URL, STARTED_NS, make_exchange

BOOK = PriceBook()
RULES = {"role": "developer", "content": "Answer in one word. " * 20}
HINT = {"role": "developer", "content": "Mind the gap. " * 5}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as opened:
        yield opened


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "input_text", "text": text}]}


def turn(number: int, *items: Any, after: int | None = None, says: str | None = "Yes.", **params: Any) -> Exchange:
    """Call `number`, which continues call `after`."""
    request = {"model": "gpt-4.1", "input": list(items), **params}
    if after is not None:
        request["previous_response_id"] = f"resp_{after}"
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    message["content"] = [{"type": "output_text", "text": says, "annotations": []}]
    usage = {"input_tokens": 500, "output_tokens": 2, "total_tokens": 502}
    response = {"id": f"resp_{number}", "model": "gpt-4.1", "status": "completed", "usage": usage}
    response["output"] = [] if says is None else [message]
    at = STARTED_NS + number * 10**10
    times = {"started_ns": at, "first_chunk_ns": at + 10**8, "ended_ns": at + 10**9}
    return make_exchange(request, response, url=RESPONSES_URL, id=f"{number:032x}", **times)


CONVERSATION = (
    turn(1, RULES, user("One?"), instructions="Be kind."),
    turn(2, user("Two?"), after=1, instructions="Be kind."),
    turn(3, HINT, user("Three?"), after=2, instructions="Be strict."),
    turn(4, user("Four?"), after=3),
    turn(5, user("Other?"), after=2),
)


def warmup(number: int, *items: Any, **params: Any) -> Exchange:
    return turn(number, *items, says=None, generate=False, **params)


def fed(store: Store, *exchanges: Exchange) -> dict[int, Explanation]:
    """Every call that is stored then, by its number; the laws hold for all of them."""
    for exchange in exchanges:
        process(exchange, store, BOOK)
    rows = list(queries.calls(store))
    assert [line for row in rows for line in check_call(store, row)] == []
    return {int(row.id, 16): explain(store, row) for row in rows}


def texts(explained: Explanation) -> tuple[list[str | None], list[str | None]]:
    prompt = explained.whole.prompt
    return [part.text for part in prompt.system], [part.text for part in prompt.messages]


def split(explained: Explanation) -> dict[str, int]:
    return {total.kind.value: total.tokens for total in explained.row.composition}


def same(one: Explanation, other: Explanation, *ignored: str) -> None:
    aside = ("number", "run_id", "id", *ignored)
    for name in (each.name for each in fields(CallRow) if each.name not in aside):
        assert getattr(one.row, name) == getattr(other.row, name), name
    assert one.components == other.components
    assert one.body == other.body


def test_what_was_sent_before_comes_first(store: Store) -> None:
    calls = fed(store, *CONVERSATION)
    rules, hint = RULES["content"], HINT["content"]
    assert texts(calls[1]) == (["Be kind.", rules], ["One?"])
    assert texts(calls[2]) == (["Be kind.", rules], ["One?", "Yes.", "Two?"])
    assert texts(calls[3]) == (["Be strict.", rules], ["One?", "Yes.", "Two?", "Yes.", hint, "Three?"])
    assert texts(calls[4]) == ([rules], ["One?", "Yes.", "Two?", "Yes.", hint, "Three?", "Yes.", "Four?"])
    assert texts(calls[5]) == ([rules], ["One?", "Yes.", "Two?", "Yes.", "Other?"])
    assert len({call.row.run_id for call in calls.values()}) == 1
    for number, call in calls.items():
        assert sum(split(call).values()) == 500
        assert "elided" not in split(call)
        assert [part.path for part in call.whole.prompt.messages][-1].startswith("input[")
        assert call.body["input"] == sent_input(number)
    assert split(calls[3])["system_injection"] > 10
    assert "system_injection" not in split(calls[2])


def sent_input(number: int) -> Any:
    return json.loads(CONVERSATION[number - 1].request_body)["input"]


def test_system_items_cost_no_nodes_again(store: Store) -> None:
    fed(store, CONVERSATION[0])
    before = store.db.execute(Node.select(Node.id).where(Node.place == "input/content")).fetchall()
    fed(store, CONVERSATION[1])
    after = store.db.execute(Node.select(Node.id).where(Node.place == "input/content")).fetchall()
    assert len(after) - len(before) == 2  # "Two?", "Yes."


@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}], ids=["string", "object"])
def test_a_conversation_that_the_provider_holds(store: Store, conversation: Any) -> None:
    """What is known of it; before its first call anything may have been put into it."""
    calls = fed(
        store,
        turn(1, RULES, user("One?"), conversation=conversation),
        turn(2, user("Elsewhere?"), conversation="conv_2"),
        turn(3, user("Two?"), conversation=conversation),
    )
    assert texts(calls[3]) == ([RULES["content"]], ["One?", "Yes.", "Two?"])
    assert texts(calls[2]) == ([], ["Elsewhere?"])
    assert all("elided" in split(call) for call in calls.values())
    assert calls[3].row.run_id == calls[1].row.run_id != calls[2].row.run_id


def test_bare_strings(store: Store) -> None:
    first = turn(1, input="Just text.")
    calls = fed(store, first, turn(2, after=1, input="More text."), turn(3, after=2, input={"odd": 1}))
    assert texts(calls[2])[1] == ["Just text.", "Yes.", "More text."]
    assert calls[3].body["input"] == {"odd": 1}


def test_what_is_not_known_is_elided(store: Store) -> None:
    calls = fed(store, *CONVERSATION[1:4])
    assert texts(calls[4])[1][-1] == "Four?"
    assert all("elided" in split(call) for call in calls.values())
    assert split(calls[2])["elided"] > split(calls[3])["elided"] > 0


@pytest.mark.parametrize(
    "order", list(itertools.permutations(range(4)))[1::3], ids=lambda order: "".join(map(str, order))
)
def test_a_late_call_makes_the_same_rows(store: Store, tmp_path: Path, order: tuple[int, ...]) -> None:
    with open_store(f"sqlite:///{tmp_path}/other/llmprof.db") as usual:
        expected = fed(usual, *CONVERSATION)
        got = fed(store, *(CONVERSATION[index] for index in order), CONVERSATION[4])
        assert got.keys() == expected.keys()
        for number, call in expected.items():
            same(got[number], call)
        assert len({call.row.run_id for call in got.values()}) == 1
        (run,) = queries.runs(store)
        assert (run.calls, run.usage.input_tokens) == (5, 2500)
        for table in (Node, Content):
            counts = [len(one.db.execute(table.select()).fetchall()) for one in (store, usual)]
            assert counts[0] == counts[1], table
        again = fed(store, *reversed(CONVERSATION))
        assert again.keys() == expected.keys()
        for number, call in expected.items():
            same(again[number], call)


def test_a_warmed_up_prompt_is_continued_but_no_call(store: Store) -> None:
    calls = fed(store, warmup(1, RULES, user("Where we are.")), turn(2, user("Go?"), after=1), turn(3, after=2))
    assert sorted(calls) == [2, 3]
    assert texts(calls[2]) == ([RULES["content"]], ["Where we are.", "Go?"])
    assert texts(calls[3]) == ([RULES["content"]], ["Where we are.", "Go?", "Yes."])
    assert "elided" not in split(calls[3])
    (run,) = queries.runs(store)
    assert (run.calls, run.usage.input_tokens) == (2, 1000)
    assert fed(store, warmup(1, RULES, user("Where we are."))).keys() == {2, 3}
    assert len(store.db.execute(Warmup.select()).fetchall()) == 1


def test_an_empty_warmup_hides_nothing(store: Store) -> None:
    calls = fed(store, warmup(1), turn(2, RULES, user("Go?"), after=1))
    assert texts(calls[2]) == ([RULES["content"]], ["Go?"])
    assert "elided" not in split(calls[2])


@pytest.mark.parametrize("items", [(), (RULES, user("Where we are."))], ids=["empty", "full"])
def test_a_late_warmup(store: Store, tmp_path: Path, items: tuple[Any, ...]) -> None:
    exchanges = (warmup(1, *items), turn(2, user("Go?"), after=1), turn(3, user("On?"), after=2))
    with open_store(f"sqlite:///{tmp_path}/other/llmprof.db") as usual:
        expected = fed(usual, *exchanges)
        got = fed(store, exchanges[1], exchanges[2], exchanges[0])
        for number, call in expected.items():
            same(got[number], call)


def test_a_failed_warmup_leaves_nothing(store: Store) -> None:
    failed = make_exchange(
        {"model": "gpt-4.1", "input": [user("x")], "generate": False}, {"error": {"message": "no"}}, url=RESPONSES_URL
    )
    assert process(failed, store, BOOK) is None
    assert not store.db.execute(Warmup.select()).fetchall()


def test_deleting_takes_the_warmup_along(store: Store) -> None:
    fed(store, warmup(1, RULES, user("Where we are.")), turn(2, user("Go?"), after=1), turn(3, user("Or?"), after=1))
    assert edits.delete_call(store, f"{2:032x}")
    assert len(store.db.execute(Warmup.select()).fetchall()) == 1
    assert fed(store).keys() == {3}
    assert edits.delete_call(store, f"{3:032x}")
    fed(store, warmup(4, user("Nobody continues this.")))
    assert edits.prune(store, STARTED_NS + 10**12) == 0
    for table in (Warmup, Call, Node, Content):
        assert not store.db.execute(table.select()).fetchall(), table


def test_a_deleted_predecessor_leaves_the_context(store: Store) -> None:
    calls = fed(store, *CONVERSATION[:3])
    assert edits.delete_call(store, f"{1:032x}")
    same(fed(store)[3], calls[3], "turn")
