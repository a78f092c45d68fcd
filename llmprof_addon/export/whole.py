"""Component trees that stand side by side -> one tree."""

from collections.abc import Iterable
from dataclasses import replace

from llmprof_addon.attribution.tree import component_of
from llmprof_addon.model.component import Component, Kind
from llmprof_addon.model.usage import Source


def whole(name: str, trees: Iterable[Component], source: Source | None = None) -> Component:
    """All of them under one root. `source`: of the total, which may be reported where its parts are estimates."""
    root = component_of(Kind.GENERIC, name, None, tuple(trees))
    return root if source is None else replace(root, token_source=source)
