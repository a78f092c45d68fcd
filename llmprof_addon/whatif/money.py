"""What a call would have cost with other tokens: at the rates that were applied to it, or at those of another model."""

from dataclasses import dataclass, field, replace

from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.run_tree import RunCall
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import BUCKETS, charges
from llmprof_addon.whatif.target import Target, stub_of


@dataclass(slots=True)
class Prices:
    """Rates of the calls of a run."""

    book: PriceBook
    _found: dict[tuple[object, ...], dict[str, int] | None] = field(default_factory=dict)

    def cost(self, call: RunCall, usage: Usage, goal: Target | None) -> Cost | None:
        """What a call costs with this usage; `None` where it had no price."""
        if call.cost is None:
            return None
        if goal is None and usage == call.usage:
            return call.cost
        rates = self._rates(call, usage, goal)
        if rates is None:
            return None
        sums = dict.fromkeys(BUCKETS, 0)
        for charge in charges(usage, rates, cache_ttl=stub_of(call).cache_ttl):
            sums[charge.bucket] += charge.amount or 0
        model = goal.name if goal else call.cost.price.model
        price = replace(call.cost.price, model=model) if goal is None else Price(source="what-if", model=model)
        return Cost(**sums, price=replace(price, rates=tuple(rates.items())))

    def _rates(self, call: RunCall, usage: Usage, goal: Target | None) -> dict[str, int] | None:
        """The rates of the other model; or those that were applied, changed as the catalogue's change with the usage:
        a prompt that falls below a long-context tier pays the standard rate."""
        if goal is not None:
            return self._listed(call, usage, goal)
        applied = dict(call.cost.price.rates) if call.cost else {}
        then = self._listed(call, usage, None)
        if not applied:
            return then
        now = self._listed(call, call.usage, None)
        if then is None or now is None:
            return applied
        return {
            name: rate * then[name] // now[name] if now.get(name) and name in then else rate
            for name, rate in applied.items()
        }

    def _listed(self, call: RunCall, usage: Usage, goal: Target | None) -> dict[str, int] | None:
        """What the catalogue lists. It is asked once for a day, a model and a size of prompt."""
        stub = goal.stub if goal else stub_of(call)
        tier = (usage.input_tokens or 0) // _STEP
        hour = bool(usage.cache_creation_1h_input_tokens)
        day = call.started_ns // _DAY
        key = (stub.provider, stub.api, stub.request_model, stub.answer, stub.cache_ttl, tier, hour, day)
        exact = (usage.input_tokens or 0) % _STEP == 0
        if exact or key not in self._found:
            rates = self.book.rates(stub, usage, call.started_ns)
            found = dict(rates.named) if rates else None
            if exact:
                return found
            self._found[key] = found
        return self._found[key]


_STEP = 1000
"""Long-context tiers begin above whole thousands of tokens."""
_DAY = 86_400 * 10**9
