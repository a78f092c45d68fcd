"""How exactly OpenAI prompts are counted, before reconciliation, and how well the others are estimated.

`make accuracy` prints both tables over the recorded calls and fails if a stated target is missed. Prompts are unique:
the same request with the same reported total counts once.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmprof_addon.counting.estimate import prompt_leaves
from llmprof_addon.model.part import Part, PartKind
from tests import accuracy_families
from tests.accuracy_families import CORPUS, Row, quantile

TARGETS = {
    # Set of prompts: off by at most so many tokens, in at least this share.
    "plain": (0, 0.98),
    "tools": (0, 0.75),
    "tools + calls": (2, 0.80),
    "json_schema": (2, 0.50),
}
HOSTS = ("openai", "azure")
_MEDIA = {PartKind.IMAGE, PartKind.AUDIO, PartKind.DOCUMENT}
_WORST = 12


@dataclass(frozen=True)
class Miss:
    """One prompt's reported tokens less the counted ones."""

    row: Row
    off: int


def main() -> int:
    """Print the tables; 1 if a target is missed."""
    if not CORPUS.exists():
        print(f"skipped: there are no recorded calls at {CORPUS}")
        return 0
    sets: dict[str, list[Miss]] = defaultdict(list)
    for row in accuracy_families.load():
        if any(row.call.provider.startswith(host) for host in HOSTS) and row.call.api.startswith("openai."):
            counted = sum(leaf.tokens for leaf in prompt_leaves(row.call, row.raws))
            sets[_set(row)].append(Miss(row, row.reported - counted))
    failed = _openai(sets)
    print("\nOther families, relative errors of estimates\n")
    print(accuracy_families.table())
    return int(failed or _families_failed())


def _openai(sets: dict[str, list[Miss]]) -> bool:
    """The table of prompts that are counted exactly; whether a target is missed."""
    failed = False
    print("OpenAI and Azure, tokens before reconciliation\n")
    print(f"{'':<34}{'n':>5} {'exact':>7} {'<= 2':>7} {'p95':>6} {'p95 rel':>8}")
    for name in (*TARGETS, *sorted(set(sets) - set(TARGETS))):
        misses = sets.get(name, [])
        print(_line(name, misses) + _verdict(name, misses))
        failed |= "MISSED" in _verdict(name, misses)
        if name in TARGETS:
            for family, some in sorted(_by_family(misses).items()):
                print(_line(f"  {family}", some))
    print("\nWorst, of the sets with a target")
    every = [miss for name in TARGETS for miss in sets.get(name, [])]
    for miss in sorted(every, key=lambda miss: -abs(miss.off))[:_WORST]:
        model = miss.row.call.request_model
        print(f"  {miss.off:+6} of {miss.row.reported:<6} {model:<16} {miss.row.repo} {miss.row.path[-70:]}")
    return failed


def _line(name: str, misses: Sequence[Miss]) -> str:
    off = [abs(miss.off) for miss in misses]
    relative = [abs(miss.off) / miss.row.reported for miss in misses]
    return (
        f"{name:<34}{len(off):>5} {_share(off, 0):>7.1%} {_share(off, 2):>7.1%} "
        f"{quantile(off, 0.95):>6.0f} {quantile(relative, 0.95):>8.1%}"
    )


def _verdict(name: str, misses: Sequence[Miss]) -> str:
    if name not in TARGETS:
        return ""
    within, least = TARGETS[name]
    reached = _share([abs(miss.off) for miss in misses], within)
    return f"   target {least:.0%} within {within}: {'met' if reached >= least else 'MISSED'}"


def _share(off: Sequence[int], within: int) -> float:
    return sum(each <= within for each in off) / len(off) if off else 0.0


def _by_family(misses: Iterable[Miss]) -> dict[str, list[Miss]]:
    found: dict[str, list[Miss]] = defaultdict(list)
    for miss in misses:
        api = miss.row.call.api.removeprefix("openai.")
        found[f"{api} {_generation(miss.row.call.request_model or '')}"].append(miss)
    return found


def _generation(model: str) -> str:
    found = re.search(r"gpt-3\.?5|gpt-4o|gpt-4\.1|gpt-4|gpt-5\.\d|gpt-5|o\d", model)
    return found[0] if found else "other"


def _set(row: Row) -> str:
    """Which set a prompt belongs to; those behind the first four have tokens that no text shows."""
    parts = row.call.prompt.parts
    kinds = {each.kind for part in parts for each in (part, *part.inner)}
    if kinds & _MEDIA:
        return "with media (no target)"
    if row.call.prompt.continues is not None:
        return "continued by id (no target)"
    if any(_hosted(part) for part in row.call.prompt.tools):
        return "hosted tools (no target)"
    if PartKind.OUTPUT_SCHEMA in kinds:
        return "json_schema"
    if kinds & {PartKind.TOOL_CALL, PartKind.TOOL_RESULT}:
        return "tools + calls"
    return "tools" if PartKind.TOOL_SCHEMA in kinds else "plain"


def _hosted(part: Part) -> bool:
    """Whether the provider defines the tool, so that its schema does not stand in the request."""
    value = part.value if isinstance(part.value, dict) else {}
    return part.kind is PartKind.TOOL_SCHEMA and value.get("type") not in (None, "function", "custom", "namespace")


def _families_failed() -> bool:
    lines = {line.family: line for line in accuracy_families.rows()}
    missed = False
    for (family, measure), most in accuracy_families.TARGETS.items():
        line = next((each for name, each in lines.items() if name.startswith(family) and "own" in name), None)
        reached = getattr(line, measure) if line else None
        met = reached is not None and reached <= most
        print(f"target {family} {measure} <= {most:.0%}: {'met' if met else 'MISSED'}")
        missed |= not met
    return missed


if __name__ == "__main__":
    sys.exit(main())
