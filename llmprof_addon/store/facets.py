"""What a call is, as bits of one column: what searches ask for and no column of its own says."""

from collections.abc import Iterable, Mapping
from enum import IntFlag
from typing import Any

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.store.cacherows import LOSSES
from llmprof_addon.store.counts import unpack_composition
from llmprof_addon.store.rollup import is_error


class Facet(IntFlag):
    """The bits. They are stored: none changes its meaning."""

    FAILED = 1
    BREAK = 2
    IMAGE = 4


def facets_of(call: Mapping[str, Any], composition: Iterable[KindTotal]) -> int:
    """The bits of a call, of its columns and the composition of its prompt."""
    found = Facet.FAILED if is_error(call) else Facet(0)
    if call["cache_status"] in LOSSES:
        found |= Facet.BREAK
    if any(total.kind is Kind.IMAGES for total in composition):
        found |= Facet.IMAGE
    return int(found)


def facets_again(call: Mapping[str, Any]) -> int:
    """The same, of a call's row."""
    return facets_of(call, unpack_composition(bytes(call["composition"]))[0])
