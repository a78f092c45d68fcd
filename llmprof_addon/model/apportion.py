"""A whole number split in proportion to weights, without losing or inventing a unit: the largest remainder method.

Tokens and pico-dollars are integers, so every split of them goes through here; that is why sums hold at every level.
"""

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of `total`, one per weight, that sum to it exactly and differ from the true quotient by less than 1.

    A weight of 0 gets 0, unless all are 0: then the shares are equal. Units left over go to the largest remainders,
    among equals to the first. Scaling all weights alike changes nothing.

    Raises:
        ValueError: a negative number, or something to share and nobody to take it.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("only non-negative amounts can be apportioned")
    if not weights:
        if total:
            raise ValueError(f"{total} to apportion over no weights")
        return []
    whole = sum(weights)
    if not whole:
        weights = [1] * len(weights)
        whole = len(weights)
    if total == whole:
        return list(weights)
    rate, remainder = divmod(total, whole)
    if not remainder:
        return [rate * weight for weight in weights]
    shares: list[int] = []
    remainders: list[int] = []
    for weight in weights:
        share, remainder = divmod(total * weight, whole)
        shares.append(share)
        remainders.append(remainder)
    left = total - sum(shares)
    if left:
        order = sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)
        for index in order[:left]:
            shares[index] += 1
    return shares
