"""Estimates against what recorded calls were billed. Skipped where the recordings are absent."""

import pytest

from llmprof_addon.counting.estimate import answer_leaves, prompt_leaves
from llmprof_addon.counting.families import family_of
from llmprof_addon.counting.raw import count_part
from llmprof_addon.counting.reconcile import reconcile
from tests.accuracy_families import CORPUS, LARGE_TOKENS, TARGETS, load, rows

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason=f"no recorded calls at {CORPUS}")


def test_claude_in_its_own_dialect_keeps_to_the_targets() -> None:
    (claude,) = [row for row in rows() if row.family == "claude, own dialect"]
    assert claude.large > 200
    assert claude.median <= TARGETS["claude", "median"]
    assert claude.p90 <= TARGETS["claude", "p90"]


@pytest.mark.parametrize(
    "family",
    [
        *("claude-4", "claude-4.5", "claude-5", "gpt-oss", "glm", "deepseek", "minimax", "gemini-3.5"),
        *("command-a", "command-r", "nova-1"),
    ],
)
def test_families_with_many_recordings_are_estimated_well(family: str) -> None:
    (row,) = [row for row in rows() if row.family == family]
    assert row.large >= 5
    assert row.median <= 0.05, row.worst


def test_gemini_in_its_own_dialect_keeps_to_its_target() -> None:
    errors = sorted(
        abs(sum(leaf.tokens for leaf in prompt_leaves(row.call, row.raws)) / row.reported - 1)
        for row in load()
        if row.call.api == "gemini.generate_content" and row.reported > LARGE_TOKENS
    )
    assert len(errors) > 80
    assert errors[len(errors) // 2] <= 0.1


def test_reconciled_leaves_sum_to_what_was_reported() -> None:
    for row in load():
        slack = family_of(row.call).slack
        leaves = reconcile(prompt_leaves(row.call, row.raws), row.reported, slack)
        assert sum(leaf.tokens for leaf in leaves) == row.reported, row.path
        assert min(leaf.tokens for leaf in leaves) >= 0, row.path


def test_reconciled_answers_sum_to_what_was_reported() -> None:
    for row in load():
        usage, family = row.call.answer.usage, family_of(row.call)
        raws = [count_part(part, family.encoding) for part in row.call.answer.parts]
        estimated = answer_leaves(row.call, raws)
        leaves = reconcile(estimated, usage.output_tokens if usage else None, family.slack)
        if usage and usage.output_tokens:
            assert sum(leaf.tokens for leaf in leaves) == usage.output_tokens, row.path
        assert all(leaf.tokens >= 0 for leaf in leaves), row.path


def test_most_of_a_large_claude_prompt_is_explained() -> None:
    """What reconciliation has to hide stays small: a tenth of the prompt at the 90th percentile."""
    hidden = sorted(
        sum(leaf.tokens for leaf in leaves if leaf.name == "hidden" and leaf.part is None) / row.reported
        for row in load()
        if family_of(row.call).name.startswith("claude") and row.reported > LARGE_TOKENS
        for leaves in [reconcile(prompt_leaves(row.call, row.raws), row.reported, family_of(row.call).slack)]
    )
    assert hidden[int(0.9 * len(hidden))] <= 0.1
