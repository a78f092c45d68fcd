"""A part's own structure as weights: headings of a long text, description and parameters of a tool schema.

What stands below a part has no token count of its own. Its weight is its number of characters, and the part's tokens
are apportioned by it.
"""

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.standin import lacks_text

LONG_CHARS = 1_500
"""A text of fewer characters is shown whole."""
TITLE_CHARS = 60

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*?)[ \t]*#*$")
_TAG = re.compile(r"<[A-Za-z][\w.-]*[^<>]*>")
_FENCE = re.compile(r"[ \t]{0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A named stretch of a part; the weights of its children sum to its own."""

    name: str
    weight: int
    children: tuple["Piece", ...] = ()


def pieces(part: Part) -> tuple[Piece, ...]:
    """What a part consists of, in order; nothing where it has no parts worth naming, or they are not kept."""
    if part.text and lacks_text(part.text):
        return ()
    if part.kind in (PartKind.TOOL_SCHEMA, PartKind.OUTPUT_SCHEMA):
        return schema_pieces(part.value, len(part.text or ""))
    if part.kind is PartKind.TEXT and part.text:
        return heading_pieces(part.text)
    return ()


def title(text: str | None) -> str:
    """The first line that says something, as a name: a heading's words, or the start of the text behind its tag."""
    said = ""
    for line in (text or "")[:2_000].splitlines():
        heading = _HEADING.fullmatch(line.strip())
        words = " ".join((heading[2] if heading else line).split())
        said = f"{said} {words}".strip()
        if words and not _TAG.fullmatch(words):
            break
    return said if len(said) <= TITLE_CHARS else said[: TITLE_CHARS - 1] + "…"


def heading_pieces(text: str) -> tuple[Piece, ...]:
    """The sections of a long Markdown text, nested as its headings are; code blocks have no headings."""
    if len(text) < LONG_CHARS:
        return ()
    found = list(_headings(text))
    return _nest(found, 0, len(found), 0, len(text)) if found else ()


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """(position, level, words) of each heading."""
    position, fence = 0, None
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and fence is None:
            fence = mark[1]
        elif mark and fence == mark[1]:
            fence = None
        elif fence is None and line.startswith("#") and (heading := _HEADING.fullmatch(line.rstrip())):
            yield position, len(heading[1]), heading[2][:TITLE_CHARS]
        position += len(line)


def _nest(found: list[tuple[int, int, str]], first: int, last: int, start: int, end: int) -> tuple[Piece, ...]:
    """Pieces of `text[start:end]` with the headings `found[first:last]`; the top level is that of the highest one."""
    if first == last:
        return ()
    level = min(found[index][1] for index in range(first, last))
    tops = [index for index in range(first, last) if found[index][1] == level]
    out: list[Piece] = []
    lead = found[tops[0]][0] - start
    if lead:
        inner = _nest(found, first, tops[0], start, found[tops[0]][0])
        out.append(Piece("(start)", lead, inner))
    for index, following in zip(tops, [*tops[1:], last], strict=True):
        position = found[index][0]
        stop = found[following][0] if following < last else end
        inner = _nest(found, index + 1, following, position, stop) if stop - position >= LONG_CHARS else ()
        out.append(Piece(found[index][2], stop - position, inner))
    return tuple(out)


def schema_pieces(value: Json, chars: int) -> tuple[Piece, ...]:
    """Description, each parameter and the remaining frame of a schema whose text has so many characters.

    Only words of JSON Schema are looked for, at the outermost level that has them, so that one rule reads the schemas
    of all dialects.
    """
    described = _outermost(value, "description", str)
    properties = _outermost(value, "properties", dict)
    out: list[Piece] = []
    if described:
        out.append(Piece("description", _chars(described)))
    for name, schema in (properties or {}).items():
        out.append(Piece(str(name), _chars(name) + 1 + _chars(schema)))
    if not out:
        return ()
    out.append(Piece("(frame)", max(0, chars - sum(piece.weight for piece in out))))
    return tuple(out)


def _outermost(value: Json, key: str, kind: type) -> Json:
    """The value of this key and type at the least depth; parameters of the same name are deeper than the schema's."""
    level = deque([value])
    while level:
        held = level.popleft()
        if not isinstance(held, dict):
            continue
        if isinstance(held.get(key), kind):
            return held[key]
        level.extend(inner for name, inner in held.items() if name not in ("properties", "$defs", "definitions"))
    return None


def _chars(value: Json) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
