import itertools

from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.flame_layout import Chart, Frame, View

type Tree = tuple[int, tuple["Tree", ...]]


def _summed(children: list[Tree]) -> Tree:
    return sum(weight for weight, _ in children), tuple(children)


trees = st.recursive(
    st.integers(0, 400).map(lambda weight: (weight, ())),
    lambda inner: st.lists(inner, min_size=1, max_size=8).map(_summed),
    max_leaves=60,
)
widths = st.integers(1, 220)


def chart_of(tree: Tree, *, by_size: bool = False) -> Chart[Tree]:
    return Chart(tree, lambda node: node[1], lambda node: node[0], by_size=by_size)


@st.composite
def views(draw: st.DrawFn) -> tuple[Chart[Tree], View, int]:
    chart = chart_of(draw(trees), by_size=draw(st.booleans()))
    start = draw(st.integers(0, chart.whole.end - 1))
    return chart, View(start, draw(st.integers(start + 1, chart.whole.end))), draw(widths)


@given(views())
def test_runs_tile_every_line_and_the_hit_test_is_the_inverse_of_drawing(given_view):
    chart, view, width = given_view
    for depth, layer in enumerate(chart.layers):
        x = 0
        for run in chart.runs(depth, view, width):
            assert run.start == x < run.end
            for cell in range(run.start, run.end):
                hit = chart.at(cell, depth, view, width)
                if run.frame < 0:
                    assert hit is None
                elif run.narrow:
                    assert hit is not None
                    start, end = chart.cells(hit, view, width)
                    assert start == cell
                    assert end <= cell + 1
                else:
                    assert hit == Frame(depth, run.frame)
            if run.frame >= 0 and not run.narrow:
                start, end = chart.cells(Frame(depth, run.frame), view, width)
                assert run.end == min(width, end)
                assert run.start >= max(0, start)
                assert layer.starts[run.frame] < view.end
                assert layer.ends[run.frame] > view.start
            x = run.end
        assert x == width


@given(views())
def test_children_stay_inside_their_parents_cells(given_view):
    chart, view, width = given_view
    for frame in chart.frames():
        parent = chart.parent(frame)
        if parent is None:
            continue
        start, end = chart.cells(frame, view, width)
        outer_start, outer_end = chart.cells(parent, view, width)
        assert outer_start <= start <= end <= outer_end


@given(trees)
def test_every_weighty_node_has_one_frame_of_its_weight(tree):
    chart = chart_of(tree)
    assert chart.total == tree[0]
    stack, expected = [tree], 0
    while stack:
        node = stack.pop()
        if node[0] or node is tree:
            expected += 1
            stack += node[1]
    frames = list(chart.frames())
    assert len(frames) == expected
    for frame in frames:
        assert chart.view(frame).span == max(1, chart.node(frame)[0])
        assert chart.trail(frame)[0] == Frame(0, 0)
        assert chart.trail(frame)[-1] == frame
    for layer in chart.layers:
        edges = list(zip(layer.starts, layer.ends, strict=True))
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(edges))


@given(trees)
def test_size_order_puts_the_heaviest_first_under_each_parent(tree):
    chart = chart_of(tree, by_size=True)
    for layer in chart.layers[1:]:
        for left in range(len(layer.nodes) - 1):
            if layer.parents[left] == layer.parents[left + 1]:
                assert layer.nodes[left][0] >= layer.nodes[left + 1][0]


@given(views(), st.data())
def test_a_frame_can_always_be_brought_into_view(given_view, data):
    chart, view, _ = given_view
    frame = data.draw(st.sampled_from(list(chart.frames())))
    shown = chart.showing(frame, view)
    start, end = chart.view(frame)
    assert 0 <= shown.start < shown.end <= chart.whole.end
    assert shown.span == view.span
    assert start < shown.end
    assert end > shown.start
    if view.start < end and start < view.end:
        assert shown == view


@given(views(), st.data())
def test_steps_lead_up_down_and_sideways(given_view, data):
    chart, _, _ = given_view
    frame = data.draw(st.sampled_from(list(chart.frames())))
    child = chart.heaviest_child(frame)
    assert (child is None) == (not any(weight for weight, _ in chart.node(frame)[1]))
    if child is not None:
        assert chart.parent(child) == frame
        assert chart.node(child)[0] == max(weight for weight, _ in chart.node(frame)[1])
    right = chart.neighbour(frame, 1)
    if right is not None:
        assert chart.neighbour(right, -1) == frame
