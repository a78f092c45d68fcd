"""Parts that say again what stands before them in the same prompt, and which part of them does."""

from llmprof_addon.findings.texts import Features, alike
from llmprof_addon.findings.tool_use import asked, results
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.run_tree import ToolKey

KINDS = (
    *(Kind.SYSTEM, Kind.SYSTEM_INJECTION, Kind.USER, Kind.TOOL_RESULTS, Kind.DOCUMENTS, Kind.IMAGES, Kind.AUDIO),
    Kind.GENERIC,
)
"""What a client puts into a prompt; what the model said itself is sent back as it has to be."""

MOST_LIKE = 8
"""With so many earlier texts that share a shingle one is compared."""

KEYS = 8
"""Smallest shingles of a text by which likely copies are found: hardly any is missed that has 80% in common."""


def refetched(run: RunView) -> list[int]:
    """Results that are those of an earlier call with the same arguments, word for word."""
    earlier: dict[tuple[ToolKey, str], list[int]] = {}
    found: list[int] = []
    for node, call in sorted(results(run).items(), key=lambda pair: run.nodes[pair[0]].depth):
        if run.raw_tokens(node) < run.thresholds.duplicate_tokens or (question := asked(run, call)) is None:
            continue
        before = earlier.setdefault(question, [])
        if any(run.shares.is_above(each, node) and _are_same(run, each, node) for each in before[-MOST_LIKE:]):
            found.append(node)
        before.append(node)
    return found


def copies(run: RunView) -> dict[int, float]:
    """All other parts that were there before; 1.0 for what is the same word for word."""
    again = set(refetched(run))
    same: dict[tuple[str, bytes], list[int]] = {}
    likely: dict[int, list[int]] = {}
    found: dict[int, float] = {}
    for node in run.of_kind(*KINDS):
        if node in again or run.raw_tokens(node) < run.thresholds.duplicate_tokens:
            continue
        said = run.features(node)
        # Without words it is a picture or the like.
        key = ("text", said.text) if said and said.words else ("content", run.nodes[node].content)
        twins = same.setdefault(key, [])
        if any(_stands_with(run, twin, node) for twin in twins[:MOST_LIKE]):
            found[node] = 1.0
            continue
        twins.append(node)
        if said is None or not said.sketch:
            continue
        smallest = sorted(said.sketch)[:KEYS]
        share = max((_of(run, said, other, node) for other in _candidates(likely, smallest)), default=0.0)
        if share >= run.thresholds.near_duplicate_share:
            found[node] = min(share, 0.99)  # some word differs
        for shingle in smallest:
            likely.setdefault(shingle, []).append(node)
    return found


def _candidates(likely: dict[int, list[int]], shingles: list[int]) -> list[int]:
    return list(dict.fromkeys(node for shingle in shingles for node in likely.get(shingle, ())[-MOST_LIKE:]))


def _of(run: RunView, said: Features, other: int, node: int) -> float:
    earlier = run.features(other)
    return alike(said, earlier) if earlier is not None and _stands_with(run, other, node) else 0.0


def _are_same(run: RunView, one: int, other: int) -> bool:
    if run.nodes[one].content == run.nodes[other].content:
        return True
    first, second = run.features(one), run.features(other)
    return first is not None and second is not None and bool(first.words) and first.text == second.text


def _stands_with(run: RunView, first: int, node: int) -> bool:
    """Whether every prompt that has the node has the first one too."""
    if run.shares.is_above(first, node):
        return True
    if run.nodes[first].section == run.nodes[node].section:
        return False  # of another branch
    return all(run.shares.carries(call, first) for call in run.shares.carriers(node))
