"""Rules about what stands in texts: copies, base64, JSON."""

import base64
import json
import random

import pytest

from tests.unit.findings.looking import found, only
from tests.unit.findings.trees import Builder, Said, image, result, system, tool_call, user, words


def twice(first: Said, second: Said, *, calls: int = 2) -> Builder:
    builder = Builder()
    for turn in range(calls):
        builder.call([user("Go on."), first, user(words(30, "between")), second, user(words(20, f"t{turn}_"))])
    return builder


def test_the_later_copy_is_the_one_that_counts() -> None:
    builder = twice(user(words(300)), user(words(300) + "\n"))
    finding = only(builder, "duplicates")
    assert (finding.code, finding.tokens, finding.calls) == ("duplicate", 600, 2)
    assert [each.path for each in finding.evidence] == ["messages[3]"]
    assert finding.title.startswith("1 part is word for word")


@pytest.mark.parametrize(("size", "fires"), [(199, False), (300, True)])
def test_short_parts_may_be_repeated(size: int, fires: bool) -> None:
    assert bool(found(twice(user(words(size)), user(words(size) + " ")), "duplicates", saving_tokens=1)) == fires


def test_nearly_the_same_counts_as_far_as_it_is() -> None:
    changed = words(600).replace("w300 ", "another ")
    finding = only(twice(user(words(600)), user(changed)), "duplicates")
    assert finding.code == "near_duplicate"
    assert 0.9 < finding.evidence[0].share < 1
    assert 1_000 < finding.tokens < 1_200


def test_half_the_same_is_another_text() -> None:
    assert found(twice(user(words(600)), user(words(300) + " " + words(300, "new"))), "duplicates") == []


def test_copies_in_other_sections_count_where_both_stand() -> None:
    builder = Builder()
    rules = words(400, "rule")
    for turn in range(3):
        messages = [user(rules), user(f"turn {turn}")]
        builder.call(messages, system=[system(rules)])
    assert only(builder, "duplicates").tokens == 3 * 400
    builder.call([user(rules), user("without")], system=[system("short")])
    assert found(builder, "duplicates") == [], "one call needs it"


def test_copies_in_different_prompts_are_no_copies() -> None:
    builder = Builder()
    builder.call([user("one"), user(words(400))])
    builder.call([user("two"), user(words(400))])
    assert found(builder, "duplicates") == []


def test_the_same_picture_twice() -> None:
    finding = only(twice(image(1200), Said(kind=image(1).kind, value=image(1).value, tokens=1200)), "duplicates")
    assert finding.tokens == 2400
    assert found(twice(image(1200), image(1200, "b")), "duplicates") == []


def test_what_the_model_said_is_sent_back_as_it_is() -> None:
    said = tool_call("write", "toolu_1", text=words(500))
    builder = twice(
        Said(kind=said.kind, value=said.value, tokens=500), Said(kind=said.kind, value=said.value, tokens=500)
    )
    assert found(builder, "duplicates") == []


BLOB = base64.b64encode(random.Random(1).randbytes(3000)).decode()


def test_base64_in_a_result() -> None:
    builder = Builder()
    messages = [user("Look."), result("fetch", "toolu_1", f"{words(100)} {BLOB}", tokens=2600)]
    for _ in range(2):
        builder.call(messages)
    finding = only(builder, "base64_text")
    assert finding.evidence[0].share > 0.85
    assert finding.tokens > 4000


@pytest.mark.parametrize(
    "text", [BLOB[:200], "a" * 5000, "/".join(["usr", "lib"] * 900)], ids=["short", "word", "path"]
)
def test_what_is_no_base64(text: str) -> None:
    builder = Builder()
    builder.call([user("Look."), result("fetch", "toolu_1", text, tokens=2600)])
    assert found(builder, "base64_text") == []


ROWS = [{"id": number, "name": f"row {number}", "tags": ["a", "b"]} for number in range(200)]


def test_json_with_white_space() -> None:
    loose = json.dumps(ROWS, indent=4)
    builder = Builder()
    builder.call([user("Look."), result("query", "toolu_1", loose, tokens=len(loose) // 4)])
    finding = only(builder, "loose_json")
    assert 0.2 < finding.evidence[0].share < 0.8


@pytest.mark.parametrize(
    "text", [json.dumps(ROWS, separators=(",", ":")), "see " + json.dumps(ROWS, indent=4), "{torn"]
)
def test_json_that_is_compact_quoted_or_torn(text: str) -> None:
    builder = Builder()
    builder.call([user("Look."), result("query", "toolu_1", text, tokens=4000)])
    assert found(builder, "loose_json") == []


def test_a_text_that_is_not_stored_any_more_says_nothing() -> None:
    builder = twice(user(words(400)), user(words(400) + " "))
    builder.contents.clear()
    for rule in ("duplicates", "base64_text", "loose_json", "fetched_again", "loop"):
        from llmprof_addon.findings import texts

        texts._recent.clear()
        assert found(builder, rule) == []
