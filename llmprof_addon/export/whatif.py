"""A stored run and scenarios -> what it cost and would have cost, side by side: frozen rows, and their JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmprof_addon.errors import LlmprofError
from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import RunRow
from llmprof_addon.store.run_tree import run_tree
from llmprof_addon.whatif.ground import ground
from llmprof_addon.whatif.outcome import Outcome, Sums
from llmprof_addon.whatif.replay import real, replay
from llmprof_addon.whatif.rules import Rules

__all__ = ["Comparison", "Outcome", "Rules", "Sums", "what_if", "whatif_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run as it was, and under each scenario."""

    run_id: str
    label: str | None
    real: Outcome
    scenarios: tuple[Outcome, ...]

    def difference(self, outcome: Outcome) -> int | None:
        """Pico-dollars more than it really cost; `None` where either is unpriced."""
        if outcome.total.cost is None or self.real.total.cost is None:
            return None
        return outcome.total.cost - self.real.total.cost

    def percent(self, outcome: Outcome) -> float | None:
        """The same in per cent of what it really cost."""
        difference = self.difference(outcome)
        if difference is None or not self.real.total.cost:
            return None
        return 100 * difference / self.real.total.cost


def what_if(store: Store, run: RunRow, scenarios: Sequence[Rules], book: PriceBook) -> Comparison:
    """Replay a run under each scenario.

    Raises:
        ConfigError: a tool that is not in the run, or a model without a price.
        LlmprofError: no call of the run has a price.
    """
    tree = run_tree(store, run.id)
    if tree is None:
        raise LlmprofError(f"run {run.id} is no longer there", hint="`llmprof runs` lists what is")
    base = ground(tree)
    was = real(base)
    if was.total.cost is None:
        raise LlmprofError(
            "no call of this run has a price, so that there is nothing to compare",
            hint="set the price of its model in LLMPROF_PRICING and import it again",
        )
    outcomes = tuple(replay(base, rules, book) for rules in scenarios)
    return Comparison(run_id=run.id, label=run.label, real=was, scenarios=outcomes)


def whatif_json(compared: Comparison) -> dict[str, Json]:
    """The comparison as one JSON object; money as decimal strings."""
    return {
        "run_id": compared.run_id,
        "real": {**_sums_json(compared.real.total), "lanes": _lanes_json(compared.real)},
        "scenarios": [
            {
                "scenario": outcome.rules.label,
                "rules": _rules_json(outcome.rules),
                "estimated": outcome.estimated,
                "difference_usd": usd(compared.difference(outcome)),
                "difference_percent": _rounded(compared.percent(outcome)),
                **_sums_json(outcome.total),
                "lanes": _lanes_json(outcome),
                "notes": list(outcome.notes),
            }
            for outcome in compared.scenarios
        ],
    }


def _rules_json(rules: Rules) -> dict[str, Json]:
    return {
        "model": rules.model,
        "drop_tools": list(rules.drop_tools),
        "drop_servers": list(rules.drop_servers),
        "with_results": rules.with_results,
        "cap_results": rules.cap_results,
        "clear_results": rules.clear_results,
        "ttl": rules.ttl,
        "perfect_cache": rules.perfect_cache,
        "compact_percent": rules.compact,
        "summary_tokens": rules.summary if rules.compact is not None else None,
    }


def _lanes_json(outcome: Outcome) -> list[Json]:
    return [{"lane": lane, **_sums_json(sums)} for lane, sums in outcome.lanes]


def _sums_json(sums: Sums) -> dict[str, Json]:
    return {
        "calls": sums.calls,
        "added_calls": sums.added,
        "unpriced_calls": sums.unpriced,
        "cost_usd": usd(sums.cost),
        "input_usd": usd(sums.input_cost),
        "cache_read_usd": usd(sums.read_cost),
        "cache_write_usd": usd(sums.write_cost),
        "output_usd": usd(sums.output_cost),
        "other_usd": usd(sums.other_cost),
        "input_tokens": sums.input,
        "fresh_tokens": sums.fresh,
        "read_tokens": sums.read,
        "write_tokens": sums.write,
        "output_tokens": sums.output,
        "peak_context_tokens": sums.peak,
        "cache_hit_ratio": _rounded(sums.hit_ratio),
        "breaks": sums.breaks,
        "expiries": sums.expiries,
        "overflows": sums.overflows,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
