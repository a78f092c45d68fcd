"""What the call before left in the cache, by the provider's own numbers, and whether it could still be read."""

from dataclasses import replace

from llmprof_addon.cachedoctor.rules import RETENTION, SECONDS, CacheRules, rules_for
from llmprof_addon.model.cache import CacheView


def as_said(call: CacheView, rules: CacheRules) -> CacheView:
    """The call with what its provider means by leaving a number out."""
    return replace(call, read=0) if call.read is None and call.input is not None and rules.leaves_out_zero else call


def left_behind(previous: CacheView, rules: CacheRules) -> int:
    """Tokens of the prefix that a call read from the cache or wrote to it; of an automatic cache that does not report
    writes, all of its prompt in whole steps."""
    if not rules.promises:
        return previous.read or 0
    if rules.opt_in or previous.write:
        return (previous.read or 0) + (previous.write or 0)
    if previous.input is None or previous.input < rules.minimum:
        return 0
    if previous.read is not None and previous.read >= previous.input:
        return 0  # the last token is never read: such numbers contradict each other
    return previous.input // rules.step * rules.step


def readable(call: CacheView, previous: CacheView, rules: CacheRules) -> int:
    """As much of it as a prompt of the call's size can read."""
    size = call.input or 0
    if rules.explicit is not None and call.params.get(rules.explicit) != previous.params.get(rules.explicit):
        return 0
    return min(left_behind(previous, rules), size // rules.step * rules.step) if size >= rules.minimum else 0


def noise(rules: CacheRules, expected: int) -> int:
    """How many tokens may be missing without anything being wrong."""
    return max(rules.noise, expected // 200)


def is_judged(call: CacheView) -> bool:
    """Whether enough is known of a call for a verdict, whatever stands before it."""
    rules = rules_for(call.api, call.model)
    if rules is None or call.input is None or call.is_summed:
        return False
    return as_said(call, rules).read is not None


def falls_short(call: CacheView, previous: CacheView) -> bool:
    """Whether a call read so much less than the one before left behind that their prompts have to be compared."""
    rules = rules_for(call.api, call.model)
    if rules is None or not is_judged(call) or previous.is_summed:
        return False
    expected = readable(call, as_said(previous, rules), rules)
    return expected - (call.read or 0) > noise(rules, expected)


def is_parallel(call: CacheView, previous: CacheView) -> bool:
    """Whether a call started before the prefix of the other could be read: that is when its answer begins."""
    return call.started_ns < (previous.first_chunk_ns or previous.ended_ns)


def lifetimes(previous: CacheView, rules: CacheRules) -> tuple[int, int]:
    """Seconds after which the end of a call's unused prefix may be gone, and is gone."""
    said = previous.marks[-1].ttl if previous.marks else previous.params.get(RETENTION, "").strip('"')
    if said in SECONDS:
        return SECONDS[said], SECONDS[said]
    return rules.may_expire_s, rules.expires_s


def idle_seconds(call: CacheView, previous: CacheView) -> float:
    """Seconds since the prefix was used last."""
    return (call.started_ns - previous.started_ns) / 1e9
