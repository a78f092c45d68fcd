"""Two texts from where they part, and the words of a run's cache."""

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.export.cache import AROUND, Excerpt, lives, parted
from llmprof_addon.store.judged import Idle


def own(found: Excerpt) -> tuple[str, str]:
    """What is only in either text."""
    texts, differ = (found.before or "", found.after or ""), found.differ
    return texts[0][found.same : found.same + differ[0]], texts[1][found.same : found.same + differ[1]]


def test_texts_part_where_they_begin_to_differ() -> None:
    found = parted("a" * 100 + "old" + "z" * 100, "a" * 100 + "new" + "z" * 100)
    assert found.before == "…" + "a" * AROUND + "old" + "z" * 45 + "…"
    assert found.after == "…" + "a" * AROUND + "new" + "z" * 45 + "…"
    assert own(found) == ("old", "new")
    assert found.same == 1 + AROUND


def test_what_is_put_in_is_only_in_one() -> None:
    assert own(parted("Search it.", "Search it. All of it.")) == ("", " All of it.")
    assert own(parted("aab", "aaab")) == ("", "a")
    assert own(parted("", "new")) == ("", "new")


def test_a_text_that_is_not_there_has_no_other_side() -> None:
    assert parted(None, "new") == Excerpt(before=None, after="new", differ=(0, 3))
    assert parted("x" * 99, None, 9) == Excerpt(before="x" * 9 + "…", after=None, differ=(10, 0))
    assert parted(None, None) == Excerpt(before=None, after=None)


@given(st.text("ab", max_size=60), st.text("ab", max_size=60), st.integers(30, 90))
def test_outside_of_what_differs_both_are_the_same(before: str, after: str, shown: int) -> None:
    found = parted(before, after, shown)
    assert found.before is not None
    assert found.after is not None
    assert found.before[: found.same] == found.after[: found.same]
    rest = [
        text[found.same + of :].rstrip("…") for text, of in zip((found.before, found.after), found.differ, strict=True)
    ]
    least = min(map(len, rest))
    assert rest[0][:least] == rest[1][:least]
    assert all(len(text) <= shown + 2 for text in (found.before, found.after))


def test_how_long_a_prefix_lives() -> None:
    assert lives(Idle(seconds=1, may_expire_s=300, expires_s=300)) == "5m"
    assert lives(Idle(seconds=1, may_expire_s=300, expires_s=3600)) == "5m–1h"
    assert lives(Idle(seconds=1, may_expire_s=1800, expires_s=86_400)) == "30m–24h"
