"""Two prompts -> in what they differ, in the order in which the provider caches them; what of one is in the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from llmprof_addon.cachedoctor.rules import EVERYTHING, CacheRules
from llmprof_addon.cachedoctor.sizes import Sizes, known_sizes, raw
from llmprof_addon.model.cache import CacheCause, CacheView, Difference, Step

COMPACTED_PARTS = 3
"""From so many parts on that gave way to less than half as many, the history was compacted."""

FIRST_PARTS = 3
"""What a conversation opens with: where it starts anew from here, its history was compacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between two prompts."""

    cause: CacheCause
    difference: Difference
    start: float
    """Estimated tokens of the later prompt before the changed part,"""
    end: float
    """and through it: where more was read, it did no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All differences of the cached prefix, and what they mean for its size."""

    changes: tuple[Change, ...]
    left: float
    """Tokens of the later prompt that are what became of the earlier one's cached prefix."""
    unsure: float
    """Of these, or of what they were taken from, those whose number is an estimate."""
    shares_messages: bool
    """Whether any message is in both."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch in which a section of two prompts is the same, or differs: the earlier's steps and the later's."""

    section: str
    is_same: bool
    old: tuple[Step, ...]
    new: tuple[Step, ...]
    old_start: int
    """Index of the stretch among all steps of the earlier prompt."""
    new_start: int
    is_tail: bool
    """Whether nothing of the earlier prompt follows in the section."""


def compare(call: CacheView, previous: CacheView, rules: CacheRules) -> Comparison:
    """Compare two calls whose steps are known."""
    deferred = {step.identity for step in call.steps or () if step.deferred}
    old = tuple(step for step in previous.steps or () if step.identity not in deferred)
    new = tuple(step for step in call.steps or () if not step.deferred)
    cached = min(previous.marks[-1].end, len(old)) if rules.opt_in and previous.marks else len(old)
    before, after = Sizes.of(previous, old, known_sizes(call, previous, old, new, rules)), Sizes.of(call, new, {})

    changes = _changes_of_params(call, previous, rules, new, after)
    moved = {step.identity: before.between(at, at + 1) for at, step in enumerate(old)}
    stays = {step.identity for step in new}
    gone = unsure = 0.0
    kept = anew = 0
    shares_messages = False
    runs: list[_Run] = []
    for run in _runs(call.section_order, old, new, previous.answer):
        shares_messages |= run.is_same and run.section == "messages"
        if run.old_start >= cached:
            continue
        lost = run.old[: cached - run.old_start]
        if run.is_same:
            kept = max(kept, run.new_start + len(lost))
            continue
        runs.append(run)
        cause = _cause(run, old, new)
        start, end = run.old_start, run.old_start + len(lost)
        less = before.between(start, end)
        if not run.is_tail:
            kept = max(kept, run.new_start + len(run.new))
        if not run.is_tail and cause is not CacheCause.HISTORY_COMPACTED:
            rate = before.rate(start, end)
            came = sum(moved.get(step.identity, step.tokens * rate) for step in run.new)
            less -= came
            # What only stands elsewhere has the size that it had.
            fresh = sum(step.tokens * rate for step in run.new if step.identity not in moved)
            away = sum(moved[step.identity] for step in lost if step.identity not in stays)
            unsure += abs(away - fresh) if before.unsure(start, end) else fresh
        else:
            anew += 0 if run.is_tail else raw(run.new)  # a summary had to be read once in any case
            unsure += before.unsure(start, end)
        gone += less
        at, through = (after.ends[run.new_start + more] for more in (0, bool(run.new)))
        change = Change(cause=cause, difference=_difference(run), start=at, end=through)
        changes.append((2 * call.section_order.index(run.section) + 1, change))
    changes.sort(key=lambda item: item[0])  # stable: within a section as they stand
    of_changes = tuple(change for _, change in changes)
    if rules.opt_in and runs and all(run.is_tail for run in runs):
        # Taken back, or begun anew: of what both have, only what ended at a breakpoint could have been read.
        mark = max((mark.end for mark in previous.marks if mark.end <= kept), default=0)
        left, unsure = before.ends[mark], before.unsure(0, mark)
        return Comparison(changes=of_changes, left=left, unsure=unsure, shares_messages=shares_messages)
    tail = raw(new[kept:])
    if unsure <= (tail + anew) * after.scale:
        left = before.ends[cached] - gone
    else:
        # Both sides leave out what is not asked for any more; the one of whose size less is an estimate is better.
        left, unsure = (call.input or 0) - (tail + anew) * after.scale, (tail + anew) * after.scale
    return Comparison(changes=of_changes, left=left, unsure=unsure, shares_messages=shares_messages)


def _changes_of_params(
    call: CacheView, previous: CacheView, rules: CacheRules, new: Sequence[Step], after: Sizes
) -> list[tuple[int, Change]]:
    """Changed request fields, each with its rank among the changes."""
    found = []
    ranks = {EVERYTHING: -2} | {section: 2 * rank for rank, section in enumerate(call.section_order)}
    for name in sorted(call.params.keys() | previous.params.keys()):
        was, is_ = previous.params.get(name), call.params.get(name)
        section = _section_of(name, rules)
        if was == is_ or section is None:
            continue
        start = next((at for at, step in enumerate(new) if step.section == section), len(new))
        difference = Difference(section="params", path=name, before=was, after=is_)
        end = 0.0 if section == EVERYTHING else after.ends[start]
        change = Change(cause=CacheCause.PARAMS_CHANGED, difference=difference, start=end, end=end)
        found.append((ranks[section], change))
    return found


def _section_of(name: str, rules: CacheRules) -> str | None:
    return EVERYTHING if name in rules.headers else rules.params.get(name)


def _runs(order: Sequence[str], old: Sequence[Step], new: Sequence[Step], answer: Sequence[Step]) -> Iterator[_Run]:
    for section in order:
        before = [step for step in old if step.section == section]
        after = [step for step in new if step.section == section]
        old_start = next((at for at, step in enumerate(old) if step.section == section), _place(order, section, old))
        new_start = next((at for at, step in enumerate(new) if step.section == section), _place(order, section, new))
        if section == "messages":  # what was answered is sent back: a part of it shows that the conversation goes on
            before += answer
        for is_same, i1, i2, j1, j2 in _stretches(before, after):
            yield _Run(
                section,
                is_same,
                tuple(before[i1:i2]),
                tuple(after[j1:j2]),
                old_start + i1,
                new_start + j1,
                section == "messages" and i2 == len(before),
            )


def _stretches(before: Sequence[Step], after: Sequence[Step]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Whether it is the same in both, and from where to where it is in each; the common beginning first."""
    same = 0
    while same < min(len(before), len(after)) and before[same].identity == after[same].identity:
        same += 1
    if same:
        yield True, 0, same, 0, same
    old, new = ([step.identity for step in steps[same:]] for steps in (before, after))
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield tag == "equal", same + i1, same + i2, same + j1, same + j2


def _place(order: Sequence[str], section: str, steps: Sequence[Step]) -> int:
    """Where a section that has no steps would begin."""
    earlier = order[: order.index(section)]
    return sum(step.section in earlier for step in steps)


def _cause(run: _Run, old: Sequence[Step], new: Sequence[Step]) -> CacheCause:
    if run.section == "tools":
        return _cause_in_tools(run, old, new)
    if run.section == "system":
        return CacheCause.SYSTEM_CHANGED
    first = sum(step.section != "messages" for step in old)
    much_for_little = len(run.old) >= COMPACTED_PARTS and len(run.old) > 2 * len(run.new) > 0
    if much_for_little and (not run.is_tail or run.old_start - first < FIRST_PARTS):
        return CacheCause.HISTORY_COMPACTED
    return CacheCause.MESSAGE_REMOVED if not run.new else CacheCause.MESSAGE_CHANGED


def _cause_in_tools(run: _Run, old: Sequence[Step], new: Sequence[Step]) -> CacheCause:
    if any(step.kind == "output_schema" for step in (*run.old[:1], *run.new[:1])):
        return CacheCause.PARAMS_CHANGED
    before = [step for step in old if step.section == "tools"]
    after = [step for step in new if step.section == "tools"]
    # Which of them opens a group, and so bears its wrapper, depends on their order.
    was, is_ = {step.content for step in before}, {step.content for step in after}
    if was == is_ and [step.content for step in before] != [step.content for step in after]:
        return CacheCause.TOOLS_REORDERED
    names_before, names_after = {step.name for step in before}, {step.name for step in after}
    if names_before == names_after:
        return CacheCause.TOOL_CHANGED
    # Of several at once, what stands where the prompts part.
    if run.old and run.old[0].name not in names_after:
        return CacheCause.TOOLS_REMOVED
    if run.new and run.new[0].name not in names_before:
        return CacheCause.TOOLS_ADDED
    return CacheCause.TOOLS_REORDERED if is_ >= was or was >= is_ else CacheCause.TOOL_CHANGED


def _difference(run: _Run) -> Difference:
    before, after = next(iter(run.old), None), next(iter(run.new), None)
    shown = after or before
    return Difference(
        section=run.section,
        path=after.path if after else "",
        name=(shown.name or shown.role) if shown else "",
        kind=shown.kind if shown else "",
        before=before.content.hex() if before else None,
        after=after.content.hex() if after else None,
    )
