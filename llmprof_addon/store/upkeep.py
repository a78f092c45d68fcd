"""What the store owes to what was written: texts to index, calls of an older llmprof to count, old ones to drop.

Some at a time.
"""

from llmprof_addon.store import search_index, trend_fill
from llmprof_addon.store.open import Store
from llmprof_addon.store.retention import Keeper


def upkeep(store: Store, *, search: bool = True, keeper: Keeper | None = None) -> bool:
    """Do some of it, in short transactions; whether there is more. Without `search` no text is indexed."""
    more = trend_fill.catch_up(store)
    if keeper is not None:
        more = keeper.keep(store) or more
    return (search and search_index.catch_up(store)) or more
