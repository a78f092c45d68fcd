from llmprof_addon.export.alignment import aligned, alike
from tests.factories import make_part


def test_equal_members_are_paired_in_the_order_of_both() -> None:
    assert aligned("abcd", "abxcd") == [(0, 0), (1, 1), (2, 3), (3, 4)]
    assert aligned("abc", "xyz") == []
    assert aligned("", "abc") == []
    assert aligned("abcdef", "adbcef") == [(0, 0), (1, 2), (2, 3), (4, 4), (5, 5)]


def test_repeated_members_are_told_apart_by_their_number() -> None:
    assert aligned("aab", "aaab") == [(0, 0), (1, 1), (2, 3)]
    assert aligned("xaya", "zaaw") == [(1, 1), (3, 2)]


def test_thousands_of_equal_members_cost_nothing_special() -> None:
    old, new = "ab" * 5_000, "b" + "ab" * 5_000 + "a"
    pairs = aligned(old, new)
    assert len(pairs) >= 5_000
    assert all(old[here] == new[there] for here, there in pairs)


def test_texts_with_most_words_in_common_are_versions_of_one_another() -> None:
    old = [make_part("one two three four five"), make_part("alpha beta gamma delta")]
    new = [make_part("something else"), make_part("alpha beta gamma epsilon"), make_part("one two three four six")]
    assert sorted(alike(old, new)) == [(0, 2), (1, 1)]
    assert alike(old, [make_part("one two three four five", role="assistant")]) == []
    assert alike([make_part("")], [make_part("")]) == []
