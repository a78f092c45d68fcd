"""Single rules on small runs, in numbers that can be followed by hand."""

from dataclasses import replace

import pytest

from llmprof_addon.errors import ConfigError
from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.model.call import Call
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.run_tree import RunCall, RunNode, RunTree
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import cost
from llmprof_addon.whatif.ground import ground
from llmprof_addon.whatif.outcome import Replayed
from llmprof_addon.whatif.replay import replay
from llmprof_addon.whatif.rules import Rules
from tests.factories import STARTED_NS

BOOK = PriceBook()
MINUTE = 60 * 10**9
TOOLS, SYSTEM, FIRST, SAID, RESULT = 1000, 2000, 500, 100, 900


def node(at: int, section: str, parent: int, kind: Kind, tokens: int, tool: tuple[str, str] | None = None) -> RunNode:
    part = {Kind.TOOL_SCHEMAS: "tool_schema", Kind.TOOL_RESULTS: "tool_result", Kind.ASSISTANT: "text"}
    return RunNode(
        key=at.to_bytes(16),
        parent=parent,
        section=section,
        depth=1,
        kind=kind,
        part_kind=part.get(kind, "text"),
        role="assistant" if kind is Kind.ASSISTANT else "user",
        name=None,
        tools=((tool, 1.0),) if tool else (),
        content=at.to_bytes(8),
        size=1,
        tokens={"o200k_base": tokens},
    )


def agent(
    turns: int, *, minutes: int = 1, model: str = "claude-sonnet-4-5", ttls: tuple[str | None, ...] = (None, None)
) -> RunTree:
    """Two tools, a system prompt, and a result of 900 tokens each turn; all of each prompt is cached."""
    nodes = [
        node(0, "tools", -1, Kind.TOOL_SCHEMAS, TOOLS // 2, ("", "read")),
        node(1, "tools", 0, Kind.TOOL_SCHEMAS, TOOLS // 2, ("github", "issues")),
        node(2, "system", -1, Kind.SYSTEM, SYSTEM),
        node(3, "messages", -1, Kind.USER, FIRST),
    ]
    calls: list[RunCall] = []
    kinds = {Kind.TOOL_SCHEMAS: TOOLS, Kind.SYSTEM: SYSTEM, Kind.USER: FIRST, Kind.ASSISTANT: 0, Kind.TOOL_RESULTS: 0}
    before = 0
    for turn in range(turns):
        total, started = sum(kinds.values()), STARTED_NS + turn * minutes * MINUTE
        read = before if minutes < 5 else 0
        usage = Usage(
            input_tokens=total,
            cache_read_input_tokens=read,
            cache_creation_input_tokens=total - read,
            cache_creation_5m_input_tokens=total - read,
            cache_creation_1h_input_tokens=0,
            output_tokens=100,
        )
        asked = Call(provider="anthropic", api="", request_model=model, price_provider="anthropic")
        calls.append(
            RunCall(
                id=str(turn),
                number=turn,
                predecessor=turn - 1 if turn else None,
                started_ns=started,
                first_chunk_ns=started,
                ended_ns=started + 1,
                provider="anthropic",
                api="anthropic.messages",
                model=model,
                section_order=("tools", "system", "messages"),
                encoding="o200k_base",
                tools=1,
                system=2,
                messages=len(nodes) - 1,
                usage=usage,
                context_window=200_000,
                cost=cost(usage, BOOK.rates(asked, usage, started)),
                composition=tuple(
                    KindTotal(kind=kind, tokens=tokens, source=Source.COUNTED) for kind, tokens in kinds.items()
                ),
                cache_ttls=ttls,
            )
        )
        nodes.append(node(len(nodes), "messages", len(nodes) - 1, Kind.ASSISTANT, SAID))
        nodes.append(node(len(nodes), "messages", len(nodes) - 1, Kind.TOOL_RESULTS, RESULT, ("github", "issues")))
        kinds[Kind.ASSISTANT] += SAID
        kinds[Kind.TOOL_RESULTS] += RESULT
        before = total
    return RunTree(run_id="r", nodes=tuple(nodes), calls=tuple(calls), contents={})


def numbers(calls: tuple[Replayed, ...]) -> list[tuple[int | None, int, int]]:
    return [(call.input, call.read, call.write) for call in calls]


def test_a_dropped_server_takes_its_schemas_and_with_results_its_results() -> None:
    base = ground(agent(3))
    found = replay(base, Rules(drop_servers=("git*",)), BOOK)
    assert numbers(found.calls) == [(3000, 0, 3000), (4000, 3000, 1000), (5000, 4000, 1000)]
    found = replay(base, Rules(drop_servers=("git*",), with_results=True), BOOK)
    assert numbers(found.calls) == [(3000, 0, 3000), (3100, 3000, 100), (3200, 3100, 100)]


def test_a_capped_result_is_small_in_every_prompt() -> None:
    found = replay(ground(agent(3)), Rules(cap_results=96), BOOK)
    assert numbers(found.calls) == [(3500, 0, 3500), (3700, 3500, 200), (3900, 3700, 200)]


def test_a_cleared_result_breaks_the_cache_at_its_place() -> None:
    found = replay(ground(agent(4)), Rules(clear_results=1), BOOK)
    # In the fourth prompt the first result gives way; what is behind the system prompt's marker is written anew.
    assert numbers(found.calls) == [(3500, 0, 3500), (4500, 3500, 1000), (5500, 4500, 1000), (5612, 3500, 2112)]
    assert found.calls[3].status is CacheStatus.BREAK


def test_an_hour_keeps_what_five_minutes_lost() -> None:
    base = ground(agent(3, minutes=10))
    found = replay(base, Rules(ttl="1h"), BOOK)
    assert numbers(found.calls) == [(3500, 0, 3500), (4500, 3500, 1000), (5500, 4500, 1000)]
    first = found.calls[0].cost
    assert first is not None
    assert first.cache_write == 3500 * 6_000_000  # $6 a million, twice the input rate
    assert numbers(replay(base, Rules(ttl="5m"), BOOK).calls) == [(3500, 0, 3500), (4500, 0, 4500), (5500, 0, 5500)]


def test_five_minutes_lose_what_an_hour_kept() -> None:
    tree = agent(2, minutes=4)
    later = replace(tree.calls[1], started_ns=STARTED_NS + 6 * MINUTE)
    hours = [replace(call, cache_ttls=("1h", "1h")) for call in (tree.calls[0], later)]
    found = replay(ground(replace(tree, calls=tuple(hours))), Rules(ttl="5m"), BOOK)
    assert numbers(found.calls) == [(3500, 0, 3500), (4500, 0, 4500)]
    assert found.calls[1].status is CacheStatus.EXPIRED


def test_a_perfect_cache_never_expires() -> None:
    found = replay(ground(agent(3, minutes=90)), Rules(perfect_cache=True), BOOK)
    assert numbers(found.calls) == [(3500, 0, 3500), (4500, 3500, 1000), (5500, 4500, 1000)]


def test_a_perfect_cache_writes_nothing_that_was_read_without() -> None:
    """A request marks nothing, and what it sent is read by the next one all the same: to write it would cost more."""
    marked = agent(2)
    bare = replace(marked.calls[0].usage, cache_creation_input_tokens=0, cache_creation_5m_input_tokens=0)
    asked = Call(provider="anthropic", api="", request_model="claude-sonnet-4-5", price_provider="anthropic")
    paid = cost(bare, BOOK.rates(asked, bare, STARTED_NS))
    tree = replace(marked, calls=(replace(marked.calls[0], usage=bare, cost=paid, cache_ttls=()), marked.calls[1]))
    found = replay(ground(tree), Rules(perfect_cache=True), BOOK)
    assert numbers(found.calls) == [(3500, 0, 0), (4500, 3500, 1000)]
    lost = replace(marked.calls[1].usage, cache_read_input_tokens=0, cache_creation_input_tokens=4500)
    unread = replace(tree, calls=(tree.calls[0], replace(tree.calls[1], usage=lost)))
    found = replay(ground(unread), Rules(perfect_cache=True), BOOK)
    assert numbers(found.calls) == [(3500, 0, 3500), (4500, 3500, 1000)]


def test_a_cleared_result_takes_its_pictures_along_and_no_cap_cuts_them() -> None:
    tree = agent(4)
    picture = 600
    nodes = tuple(
        replace(each, media={Kind.IMAGES: 1}) if each.kind is Kind.TOOL_RESULTS else each for each in tree.nodes
    )
    calls = []
    for turn, call in enumerate(tree.calls):
        images = KindTotal(kind=Kind.IMAGES, tokens=turn * picture, source=Source.ESTIMATED)
        usage = replace(call.usage, input_tokens=(call.usage.input_tokens or 0) + turn * picture)
        calls.append(replace(call, usage=usage, composition=(*call.composition, images)))
    base = ground(replace(tree, nodes=nodes, calls=tuple(calls)))
    cleared = replay(base, Rules(clear_results=1), BOOK)
    plain = replay(ground(agent(4)), Rules(clear_results=1), BOOK)
    # All but the results of the last two turns are gone, with their pictures.
    assert [call.input for call in cleared.calls] == [
        (call.input or 0) + min(turn, 2) * picture for turn, call in enumerate(plain.calls)
    ]
    capped = replay(base, Rules(cap_results=96), BOOK)
    plain = replay(ground(agent(4)), Rules(cap_results=96), BOOK)
    assert [call.input for call in capped.calls] == [
        (call.input or 0) + turn * picture for turn, call in enumerate(plain.calls)
    ]


def test_a_compaction_is_a_call_of_its_own_and_leaves_its_summary() -> None:
    # 3% of the window are 6,000 tokens: the fourth prompt has 6,500.
    found = replay(ground(agent(5)), Rules(compact=3, summary=300), BOOK)
    assert [call.is_added for call in found.calls] == [False, False, False, True, False, False]
    added = found.calls[3]
    # It reads the history of the third call, and writes nothing that was not cached.
    assert (added.input, added.read, added.output) == (5500, 5500, 300)
    # Tools, system prompt, summary, and what was said since; then it grows again.
    assert numbers(found.calls)[4:] == [(4300, 3000, 1300), (5300, 4300, 1000)]


def test_another_vendor_counts_and_caches_in_its_own_way() -> None:
    found = replay(ground(agent(3)), Rules(model="gpt-4.1"), BOOK)
    for one, call in zip(found.calls, agent(3).calls, strict=True):
        assert 0 < (one.input or 0) < (call.usage.input_tokens or 0)  # Claude makes more tokens of the same text
        assert (one.read % 128, one.write) == (0, 0)
    assert found.calls[2].read > 0
    assert found.total.cost is not None


def test_what_the_provider_evicted_stays_lost() -> None:
    tree = agent(3)
    lost = replace(tree.calls[2].usage, cache_read_input_tokens=0, cache_creation_input_tokens=5500)
    calls = (*tree.calls[:2], replace(tree.calls[2], usage=replace(lost, cache_creation_5m_input_tokens=5500)))
    found = replay(ground(replace(tree, calls=calls)), Rules(drop_tools=("read",)), BOOK)
    assert numbers(found.calls)[2] == (5000, 0, 5000)


def test_a_break_that_a_dropped_tool_caused_is_gone_with_it() -> None:
    tree = agent(2)
    nodes = (*tree.nodes, node(len(tree.nodes), "tools", 1, Kind.TOOL_SCHEMAS, 500, ("jira", "find")))
    usage = Usage(
        input_tokens=5000,
        cache_read_input_tokens=0,
        cache_creation_input_tokens=5000,
        cache_creation_5m_input_tokens=5000,
        cache_creation_1h_input_tokens=0,
        output_tokens=100,
    )
    kinds = {part.kind: part for part in tree.calls[1].composition}
    kinds[Kind.TOOL_SCHEMAS] = replace(kinds[Kind.TOOL_SCHEMAS], tokens=1500)
    second = replace(tree.calls[1], tools=len(nodes) - 1, usage=usage, composition=tuple(kinds.values()))
    found = replay(
        ground(replace(tree, nodes=nodes, calls=(tree.calls[0], second))), Rules(drop_servers=("jira",)), BOOK
    )
    assert numbers(found.calls) == [(3500, 0, 3500), (4500, 3500, 1000)]


def test_a_model_that_nobody_sells_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no price is known for model 'nobody-1'"):
        replay(ground(agent(1)), Rules(model="nobody-1"), BOOK)
