from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.cli.flame import bar, bar_cells, lines
from llmprof_addon.model.component import Component, Kind
from llmprof_addon.model.usage import Source


def node(name: str, tokens: int, *children: Component, **fields: Any) -> Component:
    given_: dict[str, Any] = {"kind": Kind.TOOL_SCHEMAS, "token_source": Source.COUNTED, "cost": tokens}
    given_ |= {"read_tokens": 0, "write_tokens": 0, "fresh_tokens": tokens}
    return Component(name=name, tokens=tokens, children=children, **(given_ | fields))


TREE = node("tool_schemas", 100, *(node(f"t{n}", n, node("description", n - 1), node("x", 1)) for n in range(10, 20)))


def names(**options: Any) -> list[tuple[int, str]]:
    return [(line.depth, line.name) for line in lines([TREE], **options)]


def test_depth_and_kind_names() -> None:
    assert names(depth=1, most=None) == [(0, "tool schemas")]
    assert len(names(depth=2, most=None)) == 11
    assert len(names(depth=3, most=None)) == 31


def test_the_smaller_ones_are_folded_in_the_order_of_the_prompt() -> None:
    assert names(depth=2, most=3) == [(0, "tool schemas"), (1, "t17"), (1, "t18"), (1, "t19"), (1, "… 7 smaller ones")]
    *_, folded = lines([TREE], depth=2, most=3)
    assert (folded.tokens, folded.cost, folded.fresh) == (sum(range(10, 17)), sum(range(10, 17)), sum(range(10, 17)))
    assert len(names(depth=2, most=9)) == 11


def test_an_unpriced_rest_has_no_cost_and_an_estimate_in_it_shows() -> None:
    tree = node("x", 6, *(node(str(n), 1, cost=None, token_source=Source.ESTIMATED) for n in range(6)), cost=None)
    *_, folded = lines([tree], depth=2, most=2)
    assert folded.cost is None
    assert folded.estimated


def test_a_tree_of_any_depth() -> None:
    tree = node("leaf", 1)
    for number in range(5000):
        tree = node(str(number), 2, tree, node("y", 1))
    assert len(list(lines([tree], depth=10_000, most=None))) == 10_001


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(8, 32))
def test_bars_are_as_long_as_the_share(part: int, rest: int, cells: int) -> None:
    drawn = bar(part, part + rest, cells)
    eighths = sum(8 if cell == "█" else " ▏▎▍▌▋▊▉".index(cell) for cell in drawn)
    assert abs(eighths / 8 - part * cells / (part + rest)) <= (1 / 8 if part else 0)
    assert bool(drawn) == bool(part)


def test_bars_follow_the_terminal() -> None:
    assert [bar_cells(width) for width in (20, 80, 120, 1000)] == [8, 10, 15, 32]
    assert bar(0, 0, 10) == ""
    assert bar(7, 7, 10) == "█" * 10
