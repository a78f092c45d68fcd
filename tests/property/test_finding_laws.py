"""What findings reclaim: never more than was paid, nothing twice, whatever the run looks like."""

import random
from dataclasses import replace
from itertools import groupby
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.attribution.rent import rents
from llmprof_addon.findings.find import find_waste
from llmprof_addon.findings.of_call import of_call
from llmprof_addon.findings.reclaimable import reclaimable
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Evidence, Finding, Severity
from llmprof_addon.model.run_tree import Rent
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.model.usage import Usage
from tests.unit.findings.trees import RATES, Builder, Said, last_call, result, schema, system, tool_call, user, words

SENSITIVE = Thresholds(
    saving_share=0.0,
    saving_tokens=1,
    unused_tool_calls=1,
    oversized_result_tokens=20,
    duplicate_tokens=1,
    stale_tokens=1,
    stale_calls=1,
    uncached_prefix_tokens=1,
    base64_tokens=1,
    json_tokens=1,
)
"""With these nearly everything is found."""


def some_run(chance: random.Random) -> Builder:
    """A run of a few lanes with everything in it that rules look for, often at once."""
    builder = Builder()
    tools = [schema(f"tool{at}", chance.randint(1, 90), chance.choice(["", "wiki"])) for at in range(4)]
    texts = [words(chance.randint(1, 80), f"t{at}_") for at in range(3)] + ['{\n    "a": [1, 2, 3]\n}' * 1]
    branches: list[list[Said]] = [[user(chance.choice(texts))]]
    at = 0.0
    for turn in range(chance.randint(1, 14)):
        messages = list(chance.choice(branches))
        asked = tool_call(f"tool{chance.randint(0, 1)}", f"id{turn}", path=chance.choice("ab"))
        offered = chance.sample(tools, chance.randint(0, 4))
        size = sum(part.tokens for part in (*offered, *messages)) + 200
        read = chance.choice([0, 0, chance.randint(0, size)])
        write = chance.choice([0, chance.randint(0, size)])
        long = chance.choice([None, 0, write])
        at += chance.choice([1, 60, 400, 5_000])
        total = sum(part.tokens + part.pictures for part in (*offered, *messages))
        written = min(write, max(0, total - min(read, total)))
        builder.call(
            messages,
            [asked],
            tools=offered,
            system=[system(chance.choice(texts))] if chance.random() < 0.8 else [],
            read=read,
            write=written,
            write_1h=long if long is None else min(long, written),
            output=chance.randint(0, 90),
            overhead=chance.choice([0, 7]),
            at=at,
            lane=chance.choice(["main", "helper"]),
            failed=chance.random() < 0.15,
            priced=chance.random() < 0.9,
            cache_ttls=chance.choice([(), ("5m",)]),
            finish_reasons=(chance.choice(["end_turn", "max_tokens"]),),
            context_window=chance.choice([None, 300]),
        )
        if chance.random() < 0.4:
            last_call(builder, cache=_verdict(chance, builder))
        given = result(asked.name or "", f"id{turn}", chance.choice(texts), pictures=chance.choice([0, 0, 40]))
        branches.append([*messages, asked, given] + ([user(chance.choice(texts))] if chance.random() < 0.3 else []))
    return builder


def _verdict(chance: random.Random, builder: Builder) -> CacheVerdict:
    usage = builder.calls[-1].usage
    lost = chance.randint(0, (usage.input_tokens or 0) - (usage.cache_read_input_tokens or 0))
    return CacheVerdict(
        status=chance.choice([CacheStatus.BREAK, CacheStatus.PARTIAL, CacheStatus.EXPIRED]),
        cause=chance.choice([CacheCause.SYSTEM_CHANGED, CacheCause.TOOLS_ADDED, CacheCause.EXPIRED]),
        lost=lost,
        wasted=chance.choice([None, lost * (RATES["cache_write_5m"] - RATES["cache_read"])]),
    )


def look(builder: Builder, thresholds: Thresholds = SENSITIVE) -> RunView:
    tree = builder.tree()
    rented = tuple(
        replace(rent, referred=rent.first, referable=True) if rent.node is not None else rent for rent in rents(tree)
    )
    return RunView(tree, rented, thresholds)


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_findings_never_reclaim_more_than_was_paid(chance: random.Random) -> None:
    run = look(some_run(chance))
    waste = find_waste(run)
    assert waste.errors == ()
    assert (waste.reclaimable.cost is None) == (run.cost is None)
    assert 0 <= (waste.reclaimable.cost or 0) <= (run.cost or 0)
    assert 0 <= waste.reclaimable.tokens <= run.input_tokens + run.output_tokens
    for finding in waste.findings:
        assert 0 <= (finding.cost or 0) <= (run.cost or 0)
        assert finding.tokens <= run.input_tokens + run.output_tokens
        assert finding.tokens == sum(each.tokens for each in finding.evidence)
        if finding.severity is Severity.INFO:
            assert (finding.tokens, finding.cost) == (0, 0)


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_numbers_that_cannot_be_right_reclaim_no_more(chance: random.Random) -> None:
    """More cached than there is input, calls without usage, clocks that jump, texts that are gone."""
    builder = some_run(chance)
    for at, call in enumerate(builder.calls):
        odd = chance.choice(["usage", "cached", "clock", "empty", "free", "none"])
        if odd == "usage":
            builder.calls[at] = replace(call, usage=Usage(), composition=())
        elif odd == "cached":
            usage = replace(call.usage, cache_read_input_tokens=10**6, cache_creation_1h_input_tokens=10**6)
            kinds = tuple(replace(total, read=10**6, write=10**5, fresh=0) for total in call.composition)
            builder.calls[at] = replace(call, usage=usage, composition=kinds)
        elif odd == "clock":
            builder.calls[at] = replace(call, started_ns=chance.randint(0, 2 * 10**18), ended_ns=5)
        elif odd == "empty":
            builder.calls[at] = replace(call, tools=-1, system=-1, messages=-1, answer=-1, predecessor=None)
        elif odd == "free" and call.cost is not None:
            free = replace(call.cost, input=0, cache_read=0, cache_write=0, output=0)
            kinds = tuple(replace(total, cost=0) for total in call.composition)
            builder.calls[at] = replace(call, cost=free, composition=kinds)
    builder.calls.sort(key=lambda call: (call.started_ns, call.id))
    if chance.random() < 0.5:
        builder.contents.clear()
    run = look(builder)
    waste = find_waste(run)
    assert waste.errors == ()
    assert 0 <= (waste.reclaimable.cost or 0) <= (run.cost or 0)
    for finding in waste.findings:
        assert 0 <= (finding.cost or 0) <= (run.cost or 0)
        assert finding.tokens >= 0


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_what_is_found_twice_counts_once(chance: random.Random) -> None:
    run = look(some_run(chance))
    findings = find_waste(run).findings
    whole = reclaimable(run, findings)
    assert reclaimable(run, [*findings, *findings]) == whole
    assert reclaimable(run, reversed(findings)) == whole
    for finding in findings:
        alone = reclaimable(run, [finding])
        assert (alone.cost or 0) <= (whole.cost or 0)
        assert alone.tokens <= whole.tokens
    alone_cost = sum(reclaimable(run, [finding]).cost or 0 for finding in findings)
    assert (whole.cost or 0) <= alone_cost


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_all_parts_of_all_calls_together_are_at_most_the_input(chance: random.Random) -> None:
    """Even if somebody claims everything, in every way at once."""
    run = look(some_run(chance))
    everything = [each for node in run.first_carriers if (each := run.part(node)) is not None]
    everything += [run.rate(at, 1, 10**15) for at in range(len(run.calls))]
    claimed = reclaimable(run, [_of(everything)])
    paid = sum(call.cost.total - call.cost.output for call in run.calls if call.cost is not None)
    assert (claimed.cost or 0) <= paid
    calls = [run.whole(at) for at in range(len(run.calls))]
    assert reclaimable(run, [_of([*everything, *calls])]).cost == run.cost


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_shares_of_a_kind_sum_to_it_and_those_of_a_part_to_its_rent(chance: random.Random) -> None:
    run = look(some_run(chance))
    for at, call in enumerate(run.calls):
        prompt = run.tree.prompt(call)
        kinds = {total.kind for total in call.composition} - {Kind.PROVIDER_OVERHEAD}
        results = {Kind.TOOL_RESULTS, Kind.IMAGES}  # which hold all pictures
        for group in [{kind} for kind in kinds - results] + [results]:
            found = [run.shares.of(at, node) for node in prompt if run.nodes[node].kind in group]
            totals = [total for total in call.composition if total.kind in group]
            assert sum(share.tokens for share in found) == sum(total.tokens for total in totals)
            assert sum(share.cost for share in found) == sum(total.cost or 0 for total in totals)
            assert all(0 <= share.dear <= share.cost for share in found)
    for node, some in groupby(sorted((rent for rent in run.rents if rent.node is not None), key=_node), key=_node):
        of_kinds = list(some)
        found = [run.shares.of(at, node) for at in run.shares.carriers(node)]
        assert {rent.carried for rent in of_kinds} == {len(found)}
        # All of them round, the shares in each call, the rents over the run.
        slack = (len(found) + 1) * len(of_kinds)
        assert abs(sum(share.tokens for share in found) - sum(rent.tokens for rent in of_kinds)) <= slack


def _node(rent: Rent) -> int:
    return -1 if rent.node is None else rent.node


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_a_finding_is_the_sum_of_what_it_says_of_each_call(chance: random.Random) -> None:
    run = look(some_run(chance))
    findings = find_waste(run).findings
    sums: dict[int, int] = dict.fromkeys(range(len(findings)), 0)
    numbers = {id(finding.title): number for number, finding in enumerate(findings)}
    for at, call in enumerate(run.calls):
        shares = {node: run.shares.of(at, node) for node in run.tree.prompt(call)}
        parts: Any = {run.nodes[node].key.hex(): (share.tokens, share.cost) for node, share in shares.items()}
        for finding in of_call(findings, call.id, call.started_ns, parts):
            assert finding.calls == 1
            sums[numbers[id(finding.title)]] += finding.tokens
    assert sums == {number: finding.tokens for number, finding in enumerate(findings)}


def _of(evidence: list[Evidence]) -> Finding:
    return Finding(code="all", severity=Severity.CRITICAL, title="t", advice="a", calls=1, evidence=tuple(evidence))
