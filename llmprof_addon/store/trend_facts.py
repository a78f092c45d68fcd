"""What trends ask of a call and no column of a usage says: its prompt's template, and the tools that it uses."""

import re
from collections.abc import Iterable, Mapping

from llmprof_addon.model.count import RawCount
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import Link
from llmprof_addon.providers.carving import server_of
from llmprof_addon.store.nodes import Stored
from llmprof_addon.store.text import clean
from llmprof_addon.store.trend_rows import Uses

UNNAMED = "(unnamed)"
NAME_CHARS = 80
SEARCHED_CHARS = 4_000
"""Of each part, for a line with words."""

_CHANGING = re.compile(r"\b(?=[0-9a-f-]*\d)[0-9a-f]{6,}(?:-[0-9a-f]{4,})*\b|\d+", re.IGNORECASE)


def template_name(texts: Iterable[str]) -> str:
    """The template of a prompt by the parts of its system text: their first line that has words; "" if none has.

    Numbers and hexadecimal ids stand as `#`, so that dates, versions and session ids make no new template; edits below
    the first line make none either, so that a prompt is the same template while somebody works on it.
    """
    for text in texts:
        for line in text[:SEARCHED_CHARS].splitlines():
            name = " ".join(_CHANGING.sub("#", line).split())
            if any(map(str.isalpha, name)):
                return clean(name if len(name) <= NAME_CHARS else name[: NAME_CHARS - 1] + "…")
    return ""


def tool_uses(answer: Iterable[Link], brought: Iterable[Link], nodes: Mapping[bytes, Stored]) -> Uses:
    """The tools that an answer calls, and those whose results are among the nodes that a call `brought`.

    Results count once, in the call that brought them first. `nodes` has all of them, counted.
    """
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    for kind, links in ((PartKind.TOOL_CALL, answer), (PartKind.TOOL_RESULT, brought)):
        for link in links:
            part = link.part
            if part.kind is kind:
                raw = nodes[link.key].raw
                tokens = 0 if raw is None else tokens_of(raw)
                called = kind is PartKind.TOOL_CALL
                add_use(found, part.server or server_of(part.name) or "", part.name, called=called, tokens=tokens)
    return found


def add_use(
    found: dict[tuple[str, str], tuple[int, int, int]], server: str, name: str | None, *, called: bool, tokens: int
) -> None:
    """Add a call of a tool, or one of its results."""
    key = clean(server), clean(name) or UNNAMED
    uses, calls, results = found.get(key, (0, 0, 0))
    found[key] = (uses + 1, calls + tokens, results) if called else (uses, calls, results + tokens)


def tokens_of(raw: RawCount) -> int:
    """All tokens of a part, as they are counted."""
    return raw.text + raw.label + sum(map(tokens_of, raw.inner))
