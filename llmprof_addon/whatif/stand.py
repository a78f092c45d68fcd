"""What a call left in its provider's cache, and what of that a later call can read: the one model for real prompts and
changed ones.

A marked cache (Anthropic) holds prefixes that end at a marker: the call's last one, and one behind the system prompt
where a request has two or more. An automatic cache holds whole steps of a prompt, or (no steps) prefixes that end where
some call's prompt ended. A prefix is there once the answer to the call that wrote it has begun, and as long as its TTL.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmprof_addon.cachedoctor.expected import noise
from llmprof_addon.cachedoctor.rules import SECONDS, CacheRules
from llmprof_addon.model.run_tree import RunCall
from llmprof_addon.whatif.laid import Laid, common

FAR_BACK = 20
"""So many calls before, at most, an earlier prefix is looked for: a marked cache looks back over 20 blocks."""


@dataclass(slots=True)
class Stand:
    """A call with its prompt and its cache."""

    call: RunCall
    laid: Laid
    rules: CacheRules | None
    """`None` where they are not known, or promise nothing."""
    model: str | None
    before: int | None
    """Position of the call whose prefix it can read."""
    input: int = 0
    read: int = 0
    end: int = 0
    """How many tokens of its prompt are in the cache after it."""
    hour: int = 0
    """How many of them stay for an hour, where the end stays for five minutes."""
    expected: int = 0
    """How many tokens it could read."""
    parted: float | None = None
    """Where its prompt parts from that of the call before; `None` without one."""
    alive: bool = True
    """Whether the end of what the call before left was still there."""
    compacted: int = 0
    """Tokens of the history that is compacted right before it; 0 where none is."""

    @property
    def marks(self) -> int:
        """Cache markers of the request."""
        return len(self.call.cache_ttls)


def expect(stands: Sequence[Stand], stand: Stand, *, perfect: bool = False) -> None:
    """Say how much a call can read, from what the one before left. Nothing is known without rules."""
    if stand.before is None:
        return
    before, rules = stands[stand.before], stand.rules
    mine, its = common(stand.laid, before.laid)
    stand.parted = mine
    if rules is None or before.rules is None:
        return
    if stand.model != before.model:
        stand.parted = 0.0
        return
    left = before.end if perfect else _alive(stand, before, rules)
    if its >= left - 0.5:
        found = left
    elif perfect:
        found = min(int(mine), left)
    else:
        found = _entry(stands, stand, before, rules, mine, left)
    found = min(found, stand.input)
    found -= found % rules.step
    stand.expected = found if found >= rules.minimum else 0


def _alive(stand: Stand, before: Stand, rules: CacheRules) -> int:
    """How much of what the call before left is there at the real gap."""
    start = before.call.first_chunk_ns or before.call.ended_ns
    if stand.call.started_ns < start:
        return before.read  # the rest is being written
    gap = (stand.call.started_ns - start) / 1e9
    if not rules.opt_in:
        stand.alive = gap < rules.expires_s
        return before.end if stand.alive else 0
    if gap < SECONDS["5m"]:
        return before.end
    stand.alive = gap < SECONDS["1h"] and before.hour >= before.end
    return min(before.hour, before.end) if gap < SECONDS["1h"] else 0


def _entry(stands: Sequence[Stand], stand: Stand, before: Stand, rules: CacheRules, parted: float, left: int) -> int:
    """The longest prefix in the cache that ends before two prompts part."""
    if not rules.opt_in and rules.step > 1:
        return min(int(parted), left)
    best = 0
    if rules.opt_in and stand.marks > 1 and before.marks > 1:
        system = stand.laid.begins("messages")
        best = round(system) if system <= parted + 0.5 else 0
    for earlier in _earlier(stands, before, rules):
        if earlier.end <= best:
            break
        if earlier.end > parted + 0.5 or not _is_near(stand, earlier, rules):
            continue
        if common(stand.laid, earlier.laid)[1] >= earlier.end - 0.5:
            best = earlier.end
            break
    return min(best, left)


def _earlier(stands: Sequence[Stand], stand: Stand, rules: CacheRules) -> Iterator[Stand]:
    """The calls before, the latest first, as far as what they left was used in time, and is there."""
    for _ in range(FAR_BACK):
        was_lost = stand.expected - stand.read > noise(rules, stand.expected)
        if stand.before is None or not stand.alive or was_lost:
            return
        stand = stands[stand.before]
        yield stand


def _is_near(stand: Stand, earlier: Stand, rules: CacheRules) -> bool:
    """Whether a prefix ends near enough to the call's last marker to be found."""
    if rules.lookback is None:
        return True
    depth = stand.laid.ground.depth
    return depth[stand.call.messages] - depth[earlier.call.messages] < rules.lookback


def hour_end(stand: Stand, stands: Sequence[Stand], written: int) -> int:
    """How much of what a real call leaves stays for an hour. `written`: tokens that it wrote for so long."""
    ttls = {ttl or "5m" for ttl in stand.call.cache_ttls}
    if ttls == {"1h"}:
        return stand.end
    if "1h" not in ttls:
        return 0
    if written:
        return min(stand.read + written, stand.end)
    held = stands[stand.before].hour if stand.before is not None else 0
    return min(held or round(stand.laid.begins("messages")), stand.end)
