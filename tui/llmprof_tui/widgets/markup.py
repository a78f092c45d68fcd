"""Lines of Markdown and JSON -> styled pieces, line by line, so that any stretch of a text can be drawn alone.

Markdown keeps its line breaks: what is shown is what was sent, with its markers turned into looks. Everything shown
stands in the source character for character, except for bullets, bars and the padding of tables.
"""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from llmprof_tui.widgets.text_layout import Line, Piece, lines_of

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_BULLET = re.compile(r"([ \t]*)([-*+])[ \t]+(?:\[([ xX])\][ \t]+)?(?=\S)")
_NUMBER = re.compile(r"([ \t]*)(\d{1,9}[.)])[ \t]+(?=\S)")
_QUOTE = re.compile(r" {0,3}((?:> ?)+)")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$")
_TABLE_EDGE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$")
_INLINE = re.compile(
    r"(?P<code>(?<!`)(?P<tick>`{1,2})(?!`)(?P<incode>.+?)(?<!`)(?P=tick)(?!`))"
    r"|(?P<bold>\*\*(?P<inbold>[^\s*](?:[^*]*[^\s*])?)\*\*)"
    r"|(?P<italic>(?<![\w*])\*(?P<initalic>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*]))"
    r"|(?P<strike>~~(?P<instrike>[^~]+)~~)"
    r"|(?P<link>!?\[(?P<inlink>[^\[\]]+)\]\((?P<target>[^()\s]+)\))"
    r"|(?P<url>https?://[^\s<>\"'`)\]]+)"
    r"|(?P<tag></?[A-Za-z][\w:.-]*(?:\s[^<>]*)?/?>)"
)
_MARKED = (("code", "incode"), ("bold", "inbold"), ("italic", "initalic"), ("strike", "instrike"))
_JSON = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*"?)(?P<colon>\s*:)?'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>true|false|null)\b|(?P<punctuation>[{}\[\],:]+)"
)


def fences(text: str) -> list[int]:
    """Where code blocks begin and end by turns: offsets of the lines that hold a fence."""
    out: list[int] = []
    open_with = ""
    found = {mark: text.find(mark) for mark in ("```", "~~~")}
    while (at := min((place for place in found.values() if place >= 0), default=-1)) >= 0:
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        # A line of any length may hold one by chance; only its start matters.
        fence = _FENCE.match(text[start : min(end, start + 200)].rstrip("\r")) if at - start <= 3 else None
        if fence and (not open_with or (fence[1].startswith(open_with) and not fence[2].strip())):
            open_with = "" if open_with else fence[1]
            out.append(start)
        for mark, place in found.items():
            if 0 <= place < end:
                found[mark] = text.find(mark, end)
    return out


def markdown_lines(text: str, start: int, width: int, *, fenced: bool = False) -> Iterator[Line]:
    """Lines of a visible stretch of Markdown that stands at `start`; `fenced` if it begins inside a code block."""
    fence = "`" if fenced else ""
    table: list[tuple[str, int]] = []
    for line, at in lines_of(text, start):
        if not fence and line.lstrip().startswith("|"):
            table.append((line, at))
            continue
        if table:
            yield from _table(table, width)
            table = []
        found = _FENCE.match(line)
        if found and (not fence or not found[2].strip()):
            if fence:
                fence = ""
            else:
                fence = found[1]
                if found[2]:
                    yield Line((Piece("▏", "bar"), Piece(found[2], "dim", at + found.start(2))), 1)
        elif fence:
            yield Line((Piece("▏", "bar"), Piece(line, "code", at)), 1)
        else:
            yield _markdown(line, at, width)
    yield from _table(table, width)


def _markdown(line: str, at: int, width: int) -> Line:
    if found := _HEADING.match(line):
        style = f"h{min(len(found[1]), 3)}"
        return Line(tuple(_inline(found[2], at + found.start(2), style)))
    if _RULE.match(line):
        return Line((Piece("─" * min(width, 60), "bar", -1),))
    if found := _BULLET.match(line):
        box = "" if found[3] is None else "☐ " if found[3] == " " else "☑ "
        lead = (Piece(found[1], "", at), Piece(f"• {box}", "marker"))
        return Line((*lead, *_inline(line[found.end() :], at + found.end())), len(found[1]) + 2 + len(box))
    if found := _NUMBER.match(line):
        number = Piece(found[2], "marker", at + found.start(2))
        return Line(
            (Piece(found[1], "", at), number, Piece(" "), *_inline(line[found.end() :], at + found.end())),
            len(found[1]) + len(found[2]) + 1,
        )
    if found := _QUOTE.match(line):
        bars = Piece("▌ " * found[1].count(">"), "bar")
        return Line((bars, *_inline(line[found.end() :], at + found.end(), "quote")), len(bars.text))
    indent = len(line) - len(line.lstrip(" "))
    return Line(tuple(_inline(line, at)), indent)


def _inline(text: str, at: int, style: str = "") -> Iterator[Piece]:
    """Pieces of a line of prose: code, emphasis, links, addresses and tags as XML writes them."""
    done = 0
    for found in _INLINE.finditer(text):
        if found.start() > done:
            yield Piece(text[done : found.start()], style, at + done)
        done = found.end()
        for name, inner in _MARKED:
            if found[name]:
                yield Piece(found[inner], f"{style} {name}".strip(), at + found.start(inner))
                break
        else:
            if found["link"]:
                yield Piece(found["inlink"], f"{style} link".strip(), at + found.start("inlink"))
                yield Piece(" (")
                yield Piece(found["target"], "dim", at + found.start("target"))
                yield Piece(")")
            else:
                yield Piece(found[0], "link" if found["url"] else "tag", at + found.start())
    if done < len(text) or not text:
        yield Piece(text[done:], style, at + done)


def _table(lines: Sequence[tuple[str, int]], width: int) -> Iterator[Line]:
    """Rows of a table in aligned columns; as they are where it has no line below its head, or is too wide."""
    rows = [[] if index == 1 else _cells(line, at) for index, (line, at) in enumerate(lines)]
    columns = max((len(row) for row in rows), default=0)
    widths = [max((cell_len(row[n][0]) for row in rows if n < len(row)), default=0) for n in range(columns)]
    if len(lines) < 2 or not _TABLE_EDGE.match(lines[1][0]) or sum(widths) + 3 * columns > width:
        for line, at in lines:
            yield Line((Piece(line, "", at),))
        return
    for index, row in enumerate(rows):
        if index == 1:
            yield Line((Piece("─┼─".join("─" * cells for cells in widths), "bar"),))
            continue
        pieces: list[Piece] = []
        for n, cells in enumerate(widths):
            text, at = row[n] if n < len(row) else ("", -1)
            pieces += (Piece(" │ ", "bar"),) if n else ()
            pieces.append(Piece(text, "bold" if index == 0 else "", at))
            pieces.append(Piece(" " * (cells - cell_len(text))))
        yield Line(tuple(pieces))


def _cells(line: str, at: int) -> list[tuple[str, int]]:
    out: list[tuple[str, int]] = []
    start = line.index("|") + 1
    while start < len(line):
        end = line.find("|", start)
        while end > 0 and line[end - 1] == "\\":
            end = line.find("|", end + 1)
        end = len(line) if end < 0 else end
        cell = line[start:end]
        if cell.strip() or end < len(line):
            out.append((cell.strip(), at + start + len(cell) - len(cell.lstrip())))
        start = end + 1
    return out


def json_lines(text: str, start: int, *, begun: bool = False) -> Iterator[Line]:
    """Lines of a visible stretch of JSON; one that begins in the middle of a line begins in a string."""
    for line, at in lines_of(text, start):
        indent = len(line) - len(line.lstrip(" "))
        pieces: list[Piece] = []
        done = 0
        if begun:
            found = re.match(r'(?:[^"\\]|\\.)*"?', line)
            done = found.end() if found else 0
            pieces.append(Piece(line[:done], "string", at))
            begun = False
        for found in _JSON.finditer(line, done):
            if found.start() > done:
                pieces.append(Piece(line[done : found.start()], "", at + done))
            done = found.end()
            if found["string"]:
                style = "key" if found["colon"] else "string"
                pieces.append(Piece(found["string"], style, at + found.start()))
                if found["colon"]:
                    pieces.append(Piece(found["colon"], "dim", at + found.start("colon")))
            else:
                style = "number" if found["number"] else "word" if found["word"] else "dim"
                pieces.append(Piece(found[0], style, at + found.start()))
        if done < len(line) or not line:
            pieces.append(Piece(line[done:], "", at + done))
        yield Line(tuple(pieces), indent + 2)
