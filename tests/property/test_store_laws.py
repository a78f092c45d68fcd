"""The store's laws: a request comes back as it was received, runs are the sums of their calls, twice is once."""

import itertools
import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.call import Prompt
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.part import Marker, Part, PartKind
from llmprof_addon.model.record import CallRecord
from llmprof_addon.model.tree import assemble, canonical
from llmprof_addon.model.usage import Usage
from llmprof_addon.store import edits, queries
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.rows import RunRow
from tests.store.building import exchange, raw_count, record
from tests.store.building import text as message
from tests.store.test_writer import sizes

WORDS = st.text(st.characters(), max_size=12) | st.sampled_from(["x" * 1500, "\ud800", "\0", "a", "b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
MARKER = st.fixed_dictionaries({"type": st.just("ephemeral")}, optional={"ttl": st.sampled_from(["5m", "1h"])})
ROLES = st.sampled_from(["user", "assistant", "tool", "odd \ud800"])


@st.composite
def messages(draw: st.DrawFn) -> list[Part]:
    """The parts of one message: a string, or blocks with markers and volatile ones among them, or nothing at all."""
    wrapper = {"role": draw(ROLES)} | draw(st.dictionaries(st.sampled_from(["id", "name"]), VALUES, max_size=2))
    role = wrapper["role"]
    shape = draw(st.sampled_from(["string", "item", "item", "absent", "whole"]))
    place = "messages/content"
    if shape == "string":
        said = draw(WORDS)
        value: Any = {"type": "text", "text": said}
        return [
            Part(kind=PartKind.TEXT, role=role, text=said, value=value, place=place, form="string", wrapper=wrapper)
        ]
    if shape in ("absent", "whole"):
        value = draw(VALUES) if shape == "whole" else None
        form: Any = shape
        return [Part(kind=PartKind.GENERIC, role=role, value=value, place=place, form=form, wrapper=wrapper)]
    parts: list[Part] = []
    for index in range(draw(st.integers(1, 4))):
        value = {"type": "text", "text": draw(WORDS)} | draw(st.dictionaries(st.sampled_from(["x", "y"]), VALUES))
        markers = [Marker(value=draw(MARKER))] if draw(st.booleans()) else []
        if index == 0 and draw(st.booleans()):
            markers.append(Marker(on_wrapper=True, value=draw(MARKER)))
        part = Part(kind=PartKind.TEXT, role=role, text=value["text"], value=value, place=place, markers=tuple(markers))
        volatile = draw(st.sampled_from([False, False, True]))
        parts.append(replace(part, wrapper=None if index else wrapper, volatile=volatile))
    return parts


@st.composite
def tools(draw: st.DrawFn) -> list[Part]:
    return [
        Part(kind=PartKind.TOOL_SCHEMA, name=draw(WORDS), value={"name": draw(VALUES)}, place="tools")
        for _ in range(draw(st.integers(0, 3)))
    ]


PARAMS = st.dictionaries(WORDS.filter(lambda key: key not in ("messages", "tools")), VALUES, max_size=4)


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    """Prompts that share beginnings, some with the same text in another form."""
    said = draw(st.lists(messages(), max_size=5))
    return Prompt(tools=tuple(draw(tools())), messages=tuple(itertools.chain(*said)), params=draw(PARAMS))


def analysed(store: Store, uid: str, prompt: Prompt, answer: tuple[Part, ...] = (), at: int = 0) -> CallRecord:
    made = record(store, exchange(uid, at=at), prompt.messages, answer, tools=prompt.tools, params=prompt.params)
    return replace(made, counts={link.key: raw_count(link.part) for link in _links(made)})


def _links(made: CallRecord) -> Any:
    return (*made.chains.tools, *made.chains.system, *made.chains.messages, *made.chains.answer)


@settings(max_examples=15, deadline=None)
@given(st.lists(prompts(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_requests_come_back_as_received(received: list[Prompt], chance: random.Random) -> None:
    """Law 10, also where prompts share nodes and differ in form only."""
    received += [_in_other_forms(prompt, chance) for prompt in received]
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        for index, prompt in enumerate(received):
            answer = chance.choice(received).messages[:2]
            store.write(analysed(store, f"{index:032x}", prompt, answer, index))
        for index, prompt in enumerate(received):
            row = queries.call(store, f"{index:032x}")
            assert row is not None
            kept = detail(store, row)
            body = assemble(prompt.params, prompt.parts)
            assert kept.body == body
            assert canonical(kept.params) == canonical(prompt.params)
            assert [part.value for part in kept.parts] == [part.value for part in prompt.parts]


def _in_other_forms(prompt: Prompt, chance: random.Random) -> Prompt:
    """The same prompt; a text that was a message's only block may be sent as a string, or the other way round."""
    out: list[Part] = []
    for index, part in enumerate(prompt.messages):
        opens = part.wrapper is not None
        alone = opens and (index + 1 == len(prompt.messages) or prompt.messages[index + 1].wrapper is not None)
        plain = isinstance(part.value, dict) and set(part.value) == {"type", "text"}
        if alone and plain and not part.volatile and not part.markers and part.form in ("item", "string"):
            part = replace(part, form=chance.choice(["item", "string"]))
        out.append(part)
    return replace(prompt, messages=tuple(out))


NUMBERS = st.none() | st.integers(0, 2**62)
USAGES = st.builds(
    Usage,
    input_tokens=NUMBERS,
    cache_read_input_tokens=NUMBERS,
    output_tokens=NUMBERS,
    reasoning_output_tokens=st.none() | st.integers(0, 2**50),
)
COSTS = st.none() | st.builds(
    Cost,
    input=st.integers(0, 2**63 - 1),
    cache_read=st.integers(0, 2**63 - 1),
    cache_write=st.integers(0, 9),
    output=st.integers(0, 2**63 - 1),
    other=st.integers(0, 9),
    price=st.just(Price(source="tests", model="m")),
)
TURNS = st.lists(st.tuples(st.integers(0, 2), USAGES, COSTS), min_size=1, max_size=8)


@settings(max_examples=15, deadline=None)
@given(
    TURNS.map(
        lambda turns: [
            (
                run,
                replace(
                    usage,
                    input_tokens=_smaller(usage.input_tokens),
                    output_tokens=_smaller(usage.output_tokens),
                    cache_read_input_tokens=_smaller(usage.cache_read_input_tokens),
                ),
                cost,
            )
            for run, usage, cost in turns
        ]
    ),
    st.randoms(use_true_random=False),
)
def test_runs_are_the_sums_of_their_calls(turns: list[tuple[int, Usage, Cost | None]], chance: random.Random) -> None:
    """Law 3 for calls in any order of arrival, also after some were deleted; law 5: twice is once."""
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        numbered = list(enumerate(turns))
        chance.shuffle(numbered)
        for index, (run, usage, cost) in numbered:
            made = exchange(f"{index:032x}", at=index, session=f"run {run}")
            written = record(store, made, [message("user", f"Turn {index}")], usage=usage, cost=cost)
            assert store.write(written)
            if chance.random() < 0.3:
                before, runs = sizes(store), list(queries.runs(store))
                assert not store.write(written)
                assert (sizes(store), list(queries.runs(store))) == (before, runs)
        _check_sums(store)
        edits.delete_call(store, f"{chance.randrange(len(turns)):032x}")
        _check_sums(store)


def _smaller(tokens: int | None) -> int | None:
    return None if tokens is None else tokens >> 4


def _check_sums(store: Store) -> None:
    for run in queries.runs(store):
        calls = list(queries.calls(store, run=run.id))
        assert run.calls == len(calls)
        for name in ("input_tokens", "cache_read_input_tokens", "output_tokens", "reasoning_output_tokens"):
            known = [number for call in calls if (number := getattr(call.usage, name)) is not None]
            assert getattr(run.usage, name) == (sum(known) if known else None)
        costs = [call.cost for call in calls if call.cost is not None]
        assert run.unpriced_calls == len(calls) - len(costs)
        for name in ("input", "cache_read", "cache_write", "output", "other", "total"):
            assert (getattr(run.cost, name) if run.cost else None) == (
                sum(getattr(cost, name) for cost in costs) if costs else None
            )
        assert (run.started_ns, run.ended_ns) == (min(c.started_ns for c in calls), max(c.ended_ns for c in calls))
        peak = max((tokens for call in calls if (tokens := call.usage.input_tokens) is not None), default=None)
        assert run.peak_context_tokens == peak


@settings(max_examples=12, deadline=None)
@given(st.lists(prompts(), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_deleting_leaves_the_others_whole_and_nothing_else(received: list[Prompt], chance: random.Random) -> None:
    """What is left after a deletion is what writing the others alone would have made."""
    gone = set(chance.sample(range(len(received)), chance.randrange(1, len(received))))
    with TemporaryDirectory() as home:
        path = Path(home)
        with open_store(f"sqlite:///{path}/all.db") as store, open_store(f"sqlite:///{path}/rest.db") as rest:
            for index, prompt in enumerate(received):
                store.write(_alone(analysed(store, f"{index:032x}", prompt, received[index - 1].messages[:1], index)))
                if index not in gone:
                    rest.write(_alone(analysed(rest, f"{index:032x}", prompt, received[index - 1].messages[:1], index)))
            for index in gone:
                assert edits.delete_call(store, f"{index:032x}")
            tables = ("content", "node", "node_count", "run", "call", "envelope", "attachment")
            assert {name: sizes(store)[name] for name in tables} == {name: sizes(rest)[name] for name in tables}
            for row in queries.calls(rest):
                assert detail(store, row).body == detail(rest, row).body
            for row in queries.runs(rest):
                assert queries.run(store, row.id) == replace(row, number=_number(store, row))


def _alone(made: CallRecord) -> CallRecord:
    """In a run of its own, whatever the store holds."""
    return replace(made, run=replace(made.run, run_id=None))


def _number(store: Store, row: RunRow) -> int:
    found = queries.run(store, row.id)
    assert found is not None
    return found.number
