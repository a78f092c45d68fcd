"""`whatif`: scenarios side by side, and one line for whatever cannot be replayed."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.simulator.ruled import going_to, play_ruled
from tests.unit.cli.conftest import Cli


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the run of an agent that paused for longer than its cache lived."""
    home = tmp_path_factory.mktemp("agent")
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        for exchange, _, _ in play_ruled("anthropic", 0, turns=8, gaps=(20, 700)):
            process(exchange, store, PriceBook())
    return home


def test_without_rules_it_prints_the_real_cost_exactly(llmprof: Cli, agent: Path) -> None:
    (run,) = [json.loads(line) for line in llmprof("runs", "--home", agent, "--json").lines]
    ran = llmprof("whatif", "--home", agent)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[1] == f"8 calls cost ${run['cost']['total_usd']}"
    assert ran.lines[4].startswith("as it was")
    real = json.loads(llmprof("whatif", "--home", agent, "--json").out)["real"]
    assert (real["cost_usd"], real["cache_hit_ratio"]) == (run["cost"]["total_usd"], run["cache_hit_ratio"])
    assert (real["peak_context_tokens"], real["calls"]) == (run["peak_context_tokens"], run["calls"])


def test_scenarios_stand_side_by_side(llmprof: Cli, agent: Path) -> None:
    words = ("--ttl", "1h", "--scenario", "cap-results=100,ttl=5m", "--scenario", "model=gpt-5-mini")
    ran = llmprof("whatif", "--home", agent, *words)
    assert [line.split("  ")[0] for line in ran.lines[4:8]] == [
        "as it was",
        "ttl=1h",
        "cap-results=100,ttl=5m",
        "model=gpt-5-mini",
    ]
    assert any(line.startswith("the answers are held constant") for line in ran.lines[8:])
    found = json.loads(llmprof("whatif", "--home", agent, *words, "--json").out)
    for each in found["scenarios"]:
        parts = ("input_usd", "cache_read_usd", "cache_write_usd", "output_usd", "other_usd")
        assert sum(Decimal(each[part]) for part in parts) == Decimal(each["cost_usd"])
        assert Decimal(each["cost_usd"]) - Decimal(found["real"]["cost_usd"]) == Decimal(each["difference_usd"])
        assert each["notes"]


def test_models_are_compared_under_the_same_flags(llmprof: Cli, agent: Path) -> None:
    words = ("--model", "gpt-4.1", "--model", "claude-haiku-4-5", "--cap-results", "50")
    found = json.loads(llmprof("whatif", "--home", agent, *words, "--json").out)
    assert [each["scenario"] for each in found["scenarios"]] == [
        "model=gpt-4.1,cap-results=50",
        "model=claude-haiku-4-5,cap-results=50",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "nobody-1"), "no price is known for model 'nobody-1'"),
        (("--drop-tool", "nothing*"), "no tool 'nothing*' in the run; it has "),
        (("--drop-server", "github"), "no tool server 'github' in the run; it has none"),
        (("--cap-results", "many"), "'many' is no whole number above 0"),
        (("--clear-results", "-1"), "'-1' is no whole number above 0"),
        (("--compact", "120%"), "'120%' is no share of the context window"),
        (("--ttl", "2h"), "argument --ttl: invalid choice: '2h'"),
        (("--with-results",), "with-results goes with drop-tool or drop-server"),
        (("--scenario", "faster=yes"), "'faster=yes' is no rule"),
        (("--scenario", ","), "a scenario has no rule"),
        (("--scenario", "ttl=1h,ttl=5m"), "'ttl' stands twice in one scenario"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_replayed_is_one_line(llmprof: Cli, agent: Path, words: tuple[str, ...], said: str) -> None:
    ran = llmprof("whatif", "--home", agent, *(f"{words[0]}={words[1]}",) if len(words) == 2 else words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"llmprof: {said}")
    assert ran.err.count("\n") == 1


def test_an_unknown_run_is_one_line(llmprof: Cli, agent: Path) -> None:
    ran = llmprof("whatif", "--home", agent, "zzz")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "llmprof: there is no run whose id starts with 'zzz'; `llmprof runs` lists them\n"


def test_a_run_without_prices_is_one_line(llmprof: Cli, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        for exchange, _, _ in play_ruled("chat", 0, going_to("house-model-1"), turns=2):
            process(exchange, store, PriceBook())
    ran = llmprof("whatif", "--home", tmp_path)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("llmprof: no call of this run has a price")
