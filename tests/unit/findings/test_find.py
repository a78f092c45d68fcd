"""All rules together: found by their folder, labelled, in order; and what several of them share."""

from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon.export.findings import LABELS
from llmprof_addon.findings import find, rules
from llmprof_addon.findings.find import all_rules, find_waste
from llmprof_addon.findings.of_call import of_call
from llmprof_addon.findings.reclaimable import reclaimable
from llmprof_addon.findings.texts import SKETCH, alike, features, features_of
from llmprof_addon.findings.view import MOST_EVIDENCE, RunView
from llmprof_addon.model.finding import Reclaimable, Severity
from llmprof_addon.model.run_tree import RunTree
from tests.unit.findings.looking import view
from tests.unit.findings.trees import RATES, Builder, grown, result, schema, user, words


def test_each_file_of_the_folder_is_a_rule() -> None:
    files = {path.stem for path in Path(rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(all_rules()) == files
    codes = files - {"duplicates"} | {"duplicate", "near_duplicate"}
    assert set(LABELS) == codes


def test_a_rule_that_fails_does_not_take_the_others_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: RunView) -> None:
        raise ZeroDivisionError("by nothing")

    known = all_rules()
    monkeypatch.setattr(find, "all_rules", lambda: {"aaa": broken, **known})
    waste = find_waste(view(grown(12, tools=[schema("read_file"), schema("paint", 200)])))
    assert waste.errors == ("rule aaa: ZeroDivisionError: by nothing",)
    assert [finding.code for finding in waste.findings] == ["unused_tools"]


def test_a_run_of_nothing_has_no_waste() -> None:
    waste = find_waste(RunView(RunTree(run_id="r", nodes=(), calls=(), contents={})))
    assert (waste.findings, waste.errors, waste.reclaimable) == ((), (), Reclaimable(tokens=0, cost=None))


def test_the_dearest_comes_first_and_its_share_makes_it_critical() -> None:
    builder = grown(12, tools=[schema("read_file"), schema("paint", 900), schema("query", 250, "db")])
    builder.call([user("x")], output=500, finish_reasons=("length",))
    waste = find_waste(view(builder))
    assert [finding.code for finding in waste.findings] == ["unused_tools", "unused_server", "output_cut"]
    assert [finding.severity for finding in waste.findings][1:] == [Severity.WARNING, Severity.WARNING]
    assert find_waste(view(builder, critical_share=0.01)).findings[0].severity is Severity.CRITICAL


def test_unpriced_runs_are_judged_by_tokens() -> None:
    builder = grown(12, tools=[schema("read_file"), schema("paint", 900)])
    builder.calls = [replace(call, cost=None) for call in builder.calls]
    waste = find_waste(view(builder))
    assert [(finding.tokens, finding.cost) for finding in waste.findings] == [(12 * 900, None)]
    assert waste.reclaimable == Reclaimable(tokens=12 * 900, cost=None)


def test_a_part_that_is_unused_and_oversized_counts_once() -> None:
    builder = grown(12, tools=[schema("read_file"), schema("paint", 900)])
    run = view(builder)
    node = next(at for at, part in enumerate(run.nodes) if part.name == "paint")
    whole, half = run.part(node), run.part(node, share=0.5)
    findings = [*run.saving("a", "t", "a", [whole]), *run.saving("b", "t", "a", [half])]
    assert len(findings) == 2
    assert reclaimable(run, findings) == reclaimable(run, findings[:1])
    assert reclaimable(run, findings[1:]).tokens == 12 * 450


def test_what_was_lost_of_a_dropped_part_is_not_lost_twice() -> None:
    builder = Builder()
    builder.call([user(words(1_000)), user(words(1_000, "x"))], write=2_000, output=0)
    run = view(builder)
    premium = 2_000 * (RATES["cache_write_5m"] - RATES["cache_read"])
    lost = list(run.saving("cache_break", "t", "a", [run.rate(0, 2_000, premium)]))
    dropped = list(run.saving("duplicate", "t", "a", [run.part(1)]))
    both = reclaimable(run, lost + dropped)
    assert both.cost == 1_000 * RATES["cache_write_5m"] + premium // 2


def test_many_places_are_cut_to_the_dearest() -> None:
    builder = Builder()
    tools = [schema(f"tool{at}", 10 + at) for at in range(MOST_EVIDENCE + 20)]
    for _ in range(10):
        builder.call([user("x")], tools=tools)
    (finding,) = (each for each in find_waste(view(builder)).findings if each.code == "unused_tools")
    assert len(finding.evidence) == MOST_EVIDENCE
    assert finding.tokens == 10 * sum(sorted(10 + at for at in range(MOST_EVIDENCE + 20))[20:])


def test_findings_of_a_call_are_its_share() -> None:
    builder = grown(12, tools=[schema("read_file"), schema("paint", 900)])
    builder.call([user("x")], output=500, finish_reasons=("length",))
    run = view(builder)
    findings = find_waste(run).findings
    key = next(part.key.hex() for part in run.nodes if part.name == "paint")
    first, last = run.calls[0], run.calls[-1]
    (paint,) = of_call(findings, first.id, first.started_ns, {key: (900, 77), "00": (5, 5)})
    assert (paint.code, paint.tokens, paint.cost, paint.calls) == ("unused_tools", 900, 77, 1)
    assert [each.call for each in paint.evidence] == [first.id]
    (cut,) = of_call(findings, last.id, last.started_ns, {})
    assert (cut.code, cut.tokens, cut.cost) == ("output_cut", 0, 0)
    assert of_call(findings, "other", first.started_ns, {}) == ()


def test_a_call_before_a_part_went_stale_had_reason_to_carry_it() -> None:
    builder = grown(12, tools=[schema("read_file"), schema("paint", 900)])
    run = view(builder)
    node = next(at for at, part in enumerate(run.nodes) if part.name == "paint")
    findings = list(run.saving("stale_rent", "t", "a", [run.part(node, since=5)]))
    key = run.nodes[node].key.hex()
    assert of_call(findings, run.calls[4].id, run.calls[4].started_ns, {key: (900, None)}) == ()
    (late,) = of_call(findings, run.calls[5].id, run.calls[5].started_ns, {key: (900, None)})
    assert (late.tokens, late.cost) == (900, None)


def test_likeness_is_what_two_texts_have_in_common() -> None:
    one, other = features_of(words(900)), features_of(words(450) + " " + words(450, "new"))
    assert alike(one, one) == 1.0
    assert 0.2 < alike(one, other) < 0.5  # a third
    assert len(one.sketch) == SKETCH
    assert alike(features_of("short"), features_of("short")) == 1.0
    assert alike(features_of("short"), features_of("other")) == 0.0


def test_ids_kinds_and_signatures_are_no_text() -> None:
    said = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "same words"}
    again = {"type": "tool_result", "tool_use_id": "toolu_2", "content": "same  words"}
    assert features_of(said).text == features_of(again).text
    assert features_of({"type": "thinking", "signature": "c2ln" * 400}).base64 == 0.0


def test_features_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    class Contents(dict[bytes, object]):
        def __getitem__(self, key: bytes) -> object:
            asked.append(key)
            return super().__getitem__(key)

    contents = Contents({b"once" * 4: "some text of its own"})
    assert features(contents, b"once" * 4) == features(contents, b"once" * 4)
    assert asked == [b"once" * 4]
    assert features(contents, b"gone" * 4) is None


def test_a_torn_surrogate_or_nested_value_is_only_text() -> None:
    assert features_of({"content": [{"text": "\ud800 half"}, ["deep", {"x": 3, "y": None}]]}).words == 3
    assert features_of(None).words == 0
    assert find_waste(view(_one({"content": ["\ud800"] * 400}))).errors == ()


def _one(value: object) -> Builder:
    builder = Builder()
    builder.call([replace(result("x", "toolu_1", "y", tokens=900), value=value)])
    return builder
