"""Where a hit of a search stands in a call's pages."""

from dataclasses import replace
from typing import cast

from llmprof_tui.widgets.entry import Entry
from llmprof_tui.widgets.sought import Sought, Spot, sought_of, spot_of

from llmprof_addon.model.component import Kind
from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.search import Hit
from llmprof_addon.store.search_words import Snippet

PROMPT = (
    Entry(title="user", kind=Kind.USER, text="keel first"),
    Entry(title="tool", kind=Kind.TOOL_RESULTS, text="a long\n  text with a Keel-Bolt in it"),
    Entry(title="user", kind=Kind.USER, text="another keel"),
)
ANSWER = (Entry(title="assistant", kind=Kind.ASSISTANT, text="no boats but a keel"),)


def test_the_entry_with_the_text_around_comes_first() -> None:
    sought = Sought(near="text with a Keel-Bolt in", words=("Keel-Bolt",))
    assert spot_of(sought, PROMPT, ANSWER) == Spot(answer=False, entry=1, word="Keel-Bolt")
    assert spot_of(replace(sought, near="but a keel", words=("keel",)), PROMPT, ANSWER) == (True, 0, "keel")


def test_else_one_of_its_kind_else_any() -> None:
    sought = Sought(near="not there", words=("keel",), kind="tool_results")
    assert spot_of(sought, PROMPT, ANSWER) == (False, 1, "keel")
    assert spot_of(replace(sought, kind="images"), PROMPT, ANSWER) == (False, 0, "keel")
    assert spot_of(replace(sought, words=("zebra",)), PROMPT, ANSWER) is None


def test_words_over_lines_are_looked_for_one_by_one() -> None:
    hit = Hit(call=cast(CallRow, None), kind="tool_results", snippet=Snippet("…long text with…", ((1, 10),)))
    sought = sought_of(hit)
    assert sought == Sought(near="long text with", words=("long text", "long", "text"), kind="tool_results")
    assert spot_of(sought, PROMPT, ANSWER) == (False, 1, "long")
    assert sought_of(Hit(call=cast(CallRow, None))) is None
