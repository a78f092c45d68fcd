"""Fit the coefficients of model families to the recorded calls: `python -m tests.fit_families [FAMILY…]`.

Least absolute relative error, by iterated reweighting, with a pull towards the family's starting row; every repository
counts alike. Prints each row with its error in sample and on repositories that were left out of the fit.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from textwrap import fill

from llmprof_addon.counting.coefficients import Coefficients
from llmprof_addon.counting.estimate import prompt_weights
from llmprof_addon.counting.families import Family, family_of
from tests.accuracy_families import LARGE_TOKENS, Row, load, quantile

NAMES = [field.name for field in fields(Coefficients)][:-1]  # prompts say nothing of answers
# How far a coefficient may be expected to lie from its starting value.
SPREAD = dict.fromkeys(NAMES, 0.15) | {
    "const": 3.0, "message": 1.5, "tools": 60.0, "forced": 60.0, "tool": 5.0, "call": 15.0, "call_json": 0.4,
    "prose": 0.05, "schema": 20.0, "schema_json": 0.3, "thinking": 10.0, "sealed": 0.03, "thoughts": 0.05,
}  # fmt: skip
PULL = 0.02
"""Weight of one spread from the start, in relative error of one repository."""


@dataclass(frozen=True)
class Example:
    """One call as a linear equation in the coefficients."""

    repo: str
    reported: int
    fixed: float
    features: list[float]

    def error(self, values: Sequence[float]) -> float:
        return (self.fixed + sum(x * v for x, v in zip(self.features, values, strict=True))) / self.reported - 1


def example(row: Row, family: Family) -> Example:
    """The features of a call: how the estimate moves with each coefficient."""

    def total(coefficients: Coefficients) -> float:
        shaped = replace(family, coefficients=coefficients)
        return sum(weight.tokens for weight in prompt_weights(row.call, row.raws, shaped))

    none = dict.fromkeys(NAMES, 0.0)
    fixed = total(Coefficients(**none))
    features = [total(Coefficients(**(none | {name: 1.0}))) - fixed for name in NAMES]
    return Example(row.repo, row.reported, fixed, features)


def fit(examples: Sequence[Example], start: Coefficients) -> list[float]:
    """Coefficients with the least summed absolute relative error, repositories weighted alike."""
    prior = list(astuple(start))[: len(NAMES)]
    values = list(prior)
    sizes: dict[str, int] = defaultdict(int)
    for item in examples:
        sizes[item.repo] += 1
    for _ in range(60):
        # Normal equations of the reweighted squares; the pull is the diagonal.
        left = [[0.0] * len(NAMES) for _ in NAMES]
        right = [0.0] * len(NAMES)
        for at, name in enumerate(NAMES):
            left[at][at] = PULL / SPREAD[name] ** 2
            right[at] = left[at][at] * prior[at]
        for item in examples:
            size = max(item.reported, 100)
            off = abs(item.error(values)) * item.reported / size
            weight = 1 / (sizes[item.repo] ** 0.5 * max(off, 0.003) * size * size)
            target = item.reported - item.fixed
            for i, x in enumerate(item.features):
                if x:
                    right[i] += weight * x * target
                    for j, y in enumerate(item.features):
                        left[i][j] += weight * x * y
        values = [
            value if name == "forced" else max(value, 0.0)
            for name, value in zip(NAMES, solve(left, right), strict=True)
        ]
    return values


def solve(left: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination; the matrix is positive definite."""
    rows = [[*row, value] for row, value in zip(left, right, strict=True)]
    for at, pivot in enumerate(rows):
        for below in rows[at + 1 :]:
            factor = below[at] / pivot[at]
            for column in range(at, len(pivot)):
                below[column] -= factor * pivot[column]
    values = [0.0] * len(rows)
    for at in reversed(range(len(rows))):
        row = rows[at]
        values[at] = (row[-1] - sum(row[k] * values[k] for k in range(at + 1, len(rows)))) / row[at]
    return values


def report(name: str, found: Sequence[Example], prior: Coefficients) -> None:
    """Print one family."""
    # What is off by half from the start is a mock, or has hidden text that no coefficient could tell.
    examples = [item for item in found if abs(item.error(list(astuple(prior))[: len(NAMES)])) < 0.5]
    values = fit(examples, prior)
    inside = [abs(item.error(values)) for item in examples if item.reported > LARGE_TOKENS]
    outside: list[float] = []
    repos = sorted({item.repo for item in examples})
    for repo in repos:
        left_out = fit([item for item in examples if item.repo != repo], prior)
        outside += [abs(i.error(left_out)) for i in examples if i.repo == repo and i.reported > LARGE_TOKENS]
    print(f"# {name}: {len(examples)} of {len(found)} calls fitted, of {len(repos)} repositories", end="")
    if inside:
        print(
            f"; {len(inside)} over {LARGE_TOKENS} tokens: median {quantile(inside, 0.5):.1%}, "
            f"p90 {quantile(inside, 0.9):.1%}; repository left out: median {quantile(outside, 0.5):.1%}, "
            f"p90 {quantile(outside, 0.9):.1%}",
            end="",
        )
    print()
    rounded = [round(value, 0 if abs(value) > 20 else 2) for value in values]
    pairs = zip(NAMES, rounded, list(astuple(Coefficients()))[: len(NAMES)], strict=True)
    numbers = ", ".join(f"{key}={value:g}" for key, value, default in pairs if value != default)
    print(fill(f'"{name}": Coefficients({numbers}),', 116, initial_indent="    ", subsequent_indent="        "))


def start(prose: float, json: float, tools: float, tool_json: float, call: float, **more: float) -> Coefficients:
    """A starting row: what an earlier fit over four times as many recordings found."""
    values = {"prose": prose, "json": json, "tools": tools, "tool_json": tool_json, "call": call, "nonlatin": prose}
    return Coefficients(**(values | more))


CLAUDE = {
    "const": 6.0, "message": 2.5, "call_json": 1.5, "tool": 8.0, "schema": 93.0, "schema_json": 2.0, "reasoning": 1.15,
    "thinking": 29.0, "sealed": 0.31,
}  # fmt: skip
GEMINI = {
    "const": 0.0, "message": 0.5, "tool": 0.0, "call_json": 1.1, "schema_json": 0.0, "reasoning": 1.0,
    "thoughts": 0.175,
}  # fmt: skip
START = {
    "claude-3": start(1.15, 1.27, 264, 1.28, 40, **CLAUDE | {"forced": 76.0}),
    "claude-3-opus": start(1.15, 1.27, 530, 1.28, 40, **CLAUDE | {"forced": -249.0}),
    "claude-3-sonnet": start(1.15, 1.27, 159, 1.28, 40, **CLAUDE | {"forced": 76.0}),
    "claude-3.5-haiku": start(1.15, 1.3, 264, 1.28, 40, **CLAUDE | {"forced": 76.0}),
    "claude-3.5": start(1.15, 1.3, 294, 1.28, 40, **CLAUDE | {"forced": -33.0}),
    "claude-3.7": start(1.16, 1.4, 325, 1.28, 40, **CLAUDE),
    "claude-4": start(1.15, 1.3, 330, 1.13, 48, **CLAUDE | {"forced": -30.0}),
    "claude-4.5": start(1.15, 1.36, 505, 1.3, 42, **CLAUDE | {"forced": 100.0}),
    "claude-4.6": start(1.15, 1.36, 515, 1.2, 42, **CLAUDE | {"forced": 110.0}),
    "claude-5": start(1.5, 1.4, 370, 1.5, 20, **CLAUDE | {"forced": 140.0, "sealed": 0.4, "nonlatin": 1.2}),
    "gemini-2": start(1.1, 1.14, 0, 1.0, 20, **GEMINI | {"thoughts": 0.16}),
    "gemini-3": start(1.06, 1.07, 8, 1.06, 9, **GEMINI),
    "gemini-3.5": start(1.09, 1.1, 8, 1.06, 9, **GEMINI),
    "mistral": start(1.07, 1.12, 5, 1.3, 5, const=3.7, message=0.5, schema_json=0.0),
    "command": start(1.06, 1.0, 2, 0.6, 0, const=0.0, message=6.0),
    "nova-1": start(1.15, 1.2, 355, 1.0, 18, forced=20.0),
    "nova-2": start(1.0, 1.12, 831, 1.1, 23),
    "glm": start(0.97, 1.02, 97, 1.3, 4),
    "kimi": start(0.99, 0.82, 18, 0.93, 34, const=8.0),
    "deepseek": start(0.98, 1.07, 223, 1.1, 40),
    "gpt-oss": start(1.0, 1.15, 23, 0.65, 13, const=67.0),
    "qwen": start(1.01, 1.2, 79, 1.15, 30),
    "llama": start(1.0, 1.1, 150, 0.85, 2, const=10.0, message=5.0),
    "llama-3.1": start(1.0, 1.1, 222, 0.85, 2, const=36.0, message=5.0, schema=72.0, schema_json=1.08),
    "grok": start(0.97, 0.95, 165, 0.95, 20, const=60.0, reasoning=0.0),
    "minimax": start(1.02, 1.05, 140, 1.0, 15),
}
"""Where a family starts, and stays as far as the recordings say nothing. Claude's preambles until 3.5 are published
(Anthropic, "Tool use", pricing)."""


def main() -> None:
    """Fit all families, or those named."""
    groups: dict[str, list[Example]] = defaultdict(list)
    for row in load():
        family = family_of(row.call)
        # Gateways that speak another dialect may render tools of their own.
        foreign = family.name.startswith("claude") and row.call.api != "anthropic.messages"
        if not family.exact and not foreign:
            groups[family.name].append(example(row, family))
    for name, prior in START.items():
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            report(name, groups[name], prior)


if __name__ == "__main__":
    main()
