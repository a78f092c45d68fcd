"""A run replayed under rules, against the same agent run with these rules: what would it really have cost?"""

from pathlib import Path

import pytest

from llmprof_addon.model.run_tree import RunTree
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from llmprof_addon.store.run_tree import run_tree
from llmprof_addon.whatif import ground as grounding
from llmprof_addon.whatif.ground import Ground, ground
from llmprof_addon.whatif.replay import real, replay
from llmprof_addon.whatif.rules import Rules
from tests.simulator.agents import Style
from tests.simulator.ruled import (
    Body,
    Change,
    capped,
    cleared,
    going_to,
    living,
    paid,
    play_ruled,
    tool_name,
    true_sizes,
    without,
)

BOOK = PriceBook()
SEEDS = (0, 1)
STYLES: tuple[Style, ...] = ("anthropic", "responses", "exact")

BASE: dict[Style, tuple[Change, ...]] = {"anthropic": (going_to("claude-sonnet-4-5"),)}
"""What the recorded run itself is: the same model for all seeds, since two of one vendor may count otherwise."""

SIZED: list[tuple[str, Rules, tuple[Change, ...]]] = [
    ("cap", Rules(cap_results=200), (capped(200),)),
    ("clear", Rules(clear_results=3), (cleared(3),)),
    ("both", Rules(cap_results=300, clear_results=5), (capped(300), cleared(5))),
]
MARKED: list[tuple[str, Rules, tuple[Change, ...]]] = [
    ("5m", Rules(ttl="5m"), (living("5m"),)),
    ("1h", Rules(ttl="1h"), (living("1h"),)),
    ("1h, capped", Rules(ttl="1h", cap_results=100), (living("1h"), capped(100))),
    ("larger minimum", Rules(model="claude-haiku-4-5"), (going_to("claude-haiku-4-5"),)),
]
MOVED: list[tuple[str, Rules, tuple[Change, ...]]] = [
    ("cheaper model", Rules(model="gpt-4.1-mini"), (going_to("gpt-4.1-mini"),))
]
OF_STYLE = {"anthropic": [*SIZED, *MARKED], "responses": [*SIZED, *MOVED], "exact": SIZED}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Style, int], tuple[RunTree, list[Body]]]:
    """Each agent's run as it was recorded, and the bodies that it sent."""
    path: Path = tmp_path_factory.mktemp("ruled") / "store.db"
    found = {}
    with open_store(f"sqlite:///{path}") as store:
        for style in STYLES:
            for seed in SEEDS:
                bodies = []
                for exchange, _, body in play_ruled(style, seed, *BASE.get(style, ())):
                    process(exchange, store, BOOK)
                    bodies.append(body)
                run = next(run for run in queries.runs(store) if f"{style}-{seed}" in run.key)
                tree = run_tree(store, run.id)
                assert tree is not None
                found[style, seed] = tree, bodies
    return found


type Runs = dict[tuple[Style, int], tuple[RunTree, list[Body]]]


def sized(runs: Runs, style: Style, seed: int, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A run on the true sizes of its parts, so that what is wrong is wrong about the cache."""
    tree, bodies = runs[style, seed]
    sizes = true_sizes(style, tree, bodies), [0.0] * len(tree.nodes)
    monkeypatch.setattr(grounding, "measured", lambda *_: sizes)
    return ground(tree)


def error(base: Ground, style: Style, seed: int, rules: Rules, *changes: Change) -> float:
    """By which share the predicted dollars are off."""
    truth = paid(style, BOOK, play_ruled(style, seed, *BASE.get(style, ()), *changes))
    found = replay(base, rules, BOOK).total.cost
    assert found is not None
    return abs(found - truth) / truth


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("style", STYLES)
def test_the_real_cost_is_what_the_provider_charged(runs: Runs, style: Style, seed: int) -> None:
    tree, _ = runs[style, seed]
    assert real(ground(tree)).total.cost == paid(style, BOOK, play_ruled(style, seed, *BASE.get(style, ())))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("style", "rules", "changes"),
    [pytest.param(style, *case[1:], id=f"{style} {case[0]}") for style in STYLES for case in OF_STYLE[style]],
)
def test_a_replay_costs_what_the_ruled_run_costs(
    runs: Runs, style: Style, seed: int, rules: Rules, changes: tuple[Change, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert error(sized(runs, style, seed, monkeypatch), style, seed, rules, *changes) <= 0.02


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("style", STYLES)
def test_so_it_does_without_half_of_the_tools(
    runs: Runs, style: Style, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = sized(runs, style, seed, monkeypatch)
    names = [tool_name(tool) for tool in runs[style, seed][1][0]["tools"]]
    half = tuple(names[: len(names) // 2])
    assert error(base, style, seed, Rules(drop_tools=half), without(*half)) <= 0.02


@pytest.mark.parametrize("style", STYLES)
def test_sizes_that_are_estimated_keep_it_near(runs: Runs, style: Style) -> None:
    """The simulator counts otherwise than any encoding that the program knows."""
    tree, _ = runs[style, 0]
    for _, rules, changes in SIZED:
        assert error(ground(tree), style, 0, rules, *changes) <= 0.12
