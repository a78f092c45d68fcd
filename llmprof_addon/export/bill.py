"""What a stored call was billed for, line by line, at the rates that are kept with its price."""

from llmprof_addon.model.cost import Cost
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.cost import BUCKETS, Charge, charges

__all__ = ["Charge", "bill"]


def bill(usage: Usage, cost: Cost | None) -> tuple[Charge, ...]:
    """The charges, which sum to the cost in every bucket; nothing where its rates are not known."""
    if cost is None or not cost.price.rates:
        return ()
    found = tuple(charges(usage, dict(cost.price.rates)))
    for bucket in BUCKETS:
        if sum(charge.amount or 0 for charge in found if charge.bucket == bucket) != getattr(cost, bucket):
            return ()
    return found
