"""A run -> everything that its rules find, and what that could save together.

Each file of `findings/rules` is a rule: its `find` takes a `RunView` and gives findings. A rule that fails is noted,
and the others go on.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from llmprof_addon.findings import rules
from llmprof_addon.findings.reclaimable import reclaimable
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Finding, Severity, Waste

type Rule = Callable[[RunView], Iterable[Finding]]

_RANKS = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@cache
def all_rules() -> dict[str, Rule]:
    """The rules by the names of their files."""
    names = sorted(module.name for module in iter_modules(rules.__path__))
    return {name: import_module(f"{rules.__name__}.{name}").find for name in names}


def find_waste(run: RunView) -> Waste:
    """The findings of a run, the dearest first, and the sum of what they could save."""
    found: list[Finding] = []
    errors: list[str] = []
    for name, rule in all_rules().items():
        try:
            found += rule(run)
        except Exception as error:  # one rule must not take the others along
            errors.append(f"rule {name}: {type(error).__name__}: {error}")
    found.sort(key=_order)
    return Waste(findings=tuple(found), reclaimable=reclaimable(run, found), errors=tuple(errors))


def _order(finding: Finding) -> tuple[int, int, int, str, str]:
    return -(finding.cost or 0), -finding.tokens, _RANKS[finding.severity], finding.code, finding.title
