"""Laws of the layouts of the tabs of a run: texts that part, lanes as a tree."""

from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.lane_lines import lane_lines, lane_titles
from llmprof_tui.widgets.lane_tree import lane_tree, walk
from llmprof_tui.widgets.parted_layout import Piece, lines
from rich.cells import cell_len

from llmprof_addon.export.text import plain
from tests.tui.unit.test_lane_lines import lane

TEXT = st.text(st.sampled_from("ab \n你🎉\x1b\u0301\t"), max_size=40)


@given(st.lists(st.tuples(TEXT, st.sampled_from(["same", "own"])), max_size=4), st.integers(2, 30))
def test_lines_fit_and_lose_nothing(pieces: list[tuple[str, str]], width: int) -> None:
    found = lines([Piece(*piece) for piece in pieces], width)
    assert all(cell_len("".join(piece.text for piece in line)) <= width for line in found)
    for look in ("same", "own"):
        shown = "".join(piece.text for line in found for piece in line if piece.look == look)
        kept = "".join(plain(part.expandtabs(4)) for text, of in pieces if of == look for part in text.split("\n"))
        assert shown == kept


KEYS = st.sampled_from("abcdef")


@given(
    st.dictionaries(KEYS, st.tuples(st.none() | KEYS | st.just("gone"), st.sampled_from(["main", "subagent"]))),
    st.sampled_from(["started", "cost", "calls", "speed"]),
    st.booleans(),
    st.sets(KEYS),
)
def test_each_lane_is_in_the_tree_once(
    parents: dict[str, tuple[str | None, str]], key: str, descending: bool, folded: set[str]
) -> None:
    rows = [lane(name, parent=parent, kind=kind) for name, (parent, kind) in parents.items()]
    nodes = list(walk(lane_tree(rows)))
    assert sorted(node.lane.id for node in nodes) == sorted(parents)
    for node in nodes:
        assert all(below.depth == node.depth + 1 and below.lane.parent == node.lane.id for below in node.below)
    shown = lane_lines(rows, key, descending=descending, folded=folded)
    # What is folded away is in the sums of the line that stands for it.
    assert sum(line.calls for line in shown) == sum(row.calls for row in rows)
    assert {title.key for title in lane_titles(rows)} == ({*parents} if len(parents) > 1 else {"main"})
