"""What befell a call -> the signs below its column, and their meanings in words."""

from dataclasses import dataclass

from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.store.timeline import TimelineCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What stands below a column: one cell."""

    glyph: str
    colour: str
    """Name of a colour of the look: `error`, `warning`, …"""
    meaning: str


ERROR_SIGN = Sign(glyph="✗", colour="error", meaning="failed")
BREAK_SIGN = Sign(glyph="✂", colour="warning", meaning="cache break")
EXPIRY_SIGN = Sign(glyph="⏱", colour="accent", meaning="cache expired")
COMPACTION_SIGN = Sign(glyph="⤓", colour="primary", meaning="sums the context up")
SUMMARY_SIGN = Sign(glyph="⤓", colour="primary", meaning="goes on from a summary of the context")
AUXILIARY_SIGN = Sign(glyph="◦", colour="caption", meaning="auxiliary call: a title, a classifier")
CACHE_SIGNS = {
    CacheStatus.BREAK: BREAK_SIGN,
    CacheStatus.PARTIAL: BREAK_SIGN,
    CacheStatus.EXPIRED: EXPIRY_SIGN,
}
"""What is drawn below a call that lost its cached prefix."""
LEGEND = "✗ failed   ✂ cache break   ⏱ cache expired   ⤓ compaction   ◦ auxiliary call"
GRAVE = "✗✂⏱⤓◦"
"""The gravest first."""


def signs_of(call: TimelineCall) -> tuple[Sign, ...]:
    """What is drawn below a call, the gravest first."""
    found = (
        ERROR_SIGN if call.failed else None,
        CACHE_SIGNS.get(call.cache_status) if call.cache_status else None,
        COMPACTION_SIGN if call.request_class == "compaction" else None,
        SUMMARY_SIGN if call.link == "compacted" else None,
        AUXILIARY_SIGN if call.request_class == "auxiliary" else None,
    )
    return tuple(sign for sign in found if sign is not None)
