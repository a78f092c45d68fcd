"""A stored call -> the entries of its pages: the prompt, the answer, and both bodies as they were on the wire."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from llmprof_addon.export.text import KIND_NAMES, byte_size, counted, exact, plain
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Json, Media, Part, PartKind
from llmprof_addon.model.usage import Source
from llmprof_tui.widgets.entry import Entry, Syntax

if TYPE_CHECKING:
    from llmprof_addon.pipeline import Explanation
    from llmprof_addon.store.rows import CallRow

PREVIEW = 240
"""Characters of a text that its head may show."""
LONGEST_DATA = 1_000
"""Characters of inline data that a raw body shows whole."""
_DATA = re.compile(r"(?:data:[\w.+-]+/[\w.+-]+;base64,)?[A-Za-z0-9+/_-]{400}")

_TITLES = {
    PartKind.REASONING: "reasoning",
    PartKind.TOOL_CALL: "tool call",
    PartKind.TOOL_RESULT: "tool result",
    PartKind.IMAGE: "image",
    PartKind.AUDIO: "audio",
    PartKind.DOCUMENT: "document",
    PartKind.TOOL_SCHEMA: "tool",
    PartKind.OUTPUT_SCHEMA: "output schema",
    PartKind.GENERIC: "other",
}
_SYNTAX: dict[PartKind, Syntax] = {PartKind.TEXT: "markdown", PartKind.REASONING: "markdown"}


class _Amount(NamedTuple):
    """What the leaves of a part hold."""

    tokens: int = 0
    read: int = 0
    write: int = 0
    estimated: bool = False

    def plus(self, leaf: Leaf) -> "_Amount":
        estimated = self.estimated or (leaf.source is Source.ESTIMATED and leaf.tokens > 0)
        return _Amount(self.tokens + leaf.tokens, self.read + leaf.read, self.write + leaf.write, estimated)


type _Key = tuple[int, tuple[int, ...]]


def part_of(explained: "Explanation", node: str) -> Entry | None:
    """The entry of the prompt's part with this key (hex)."""
    path = explained.path_of(node)
    return next((entry for entry in prompt_entries(explained) if path is not None and entry.path == path), None)


def prompt_entries(explained: "Explanation") -> list[Entry]:
    """The prompt's parts and what the provider added to them, in the order in which it lays them."""
    whole, leaves = explained.whole, explained.leaves.prompt
    amounts, added = _amounts(leaves)
    starts, at = {}, 0
    for section in ("tools", "system", "messages"):
        starts[section] = at
        at += len(getattr(whole.prompt, section))
    parts: list[tuple[Entry, _Amount]] = []
    for section in whole.section_order:
        for index, part in enumerate(getattr(whole.prompt, section)):
            parts += _entries(part, section, (starts[section] + index, ()), amounts)
    first = next((at for at, leaf in enumerate(leaves) if leaf.part is not None), len(leaves))
    ahead = {(leaf.kind, leaf.name) for leaf in leaves[:first]}
    before = {key: amount for key, amount in added.items() if key in ahead}
    behind = {key: amount for key, amount in added.items() if key not in ahead}
    totals = sum(leaf.read for leaf in leaves), sum(leaf.write for leaf in leaves)
    return [*_added(before), *_with_edges(parts, *totals), *_added(behind)]


def answer_entries(explained: "Explanation") -> list[Entry]:
    """What came back, with how it ended."""
    row = explained.row
    amounts, added = _amounts(explained.leaves.answer)
    entries: list[Entry] = []
    for index, part in enumerate(explained.whole.answer.parts):
        entries += [entry for entry, _ in _entries(part, "answer", (index, ()), amounts)]
    return [*entries, *_added(added), *_endings(row, bool(entries))]


def raw_entries(explained: "Explanation", *, response: bool) -> list[Entry]:
    """A body and the lines before it, as they are stored: redacted, inline data cut short."""
    row = explained.row
    if not response:
        entries = [
            _headers("request", f"{row.method} {plain(row.url)}", explained.request_headers),
            _json("body", explained.body),
        ]
        if row.request_truncated:
            entries.append(Entry(title="cut", name=f"{byte_size(row.request_truncated)} were not kept"))
        return entries
    status = f"{row.status or 'no status'} {row.outcome}"
    entries = [_headers("response", status, explained.response_headers)]
    parts = [part.value for part in explained.call.answer.parts]
    if explained.rest is not None:
        entries.append(_json("body", explained.rest, "without what its parts carry"))
    if explained.usage_raw is not None:
        entries.append(_json("usage", explained.usage_raw))
    if parts:
        entries.append(_json("parts", parts, "as a client would send them again"))
    if explained.rest is None and not parts:
        entries.append(Entry(title="body", name="none is stored"))
    if row.response_truncated:
        entries.append(Entry(title="cut", name=f"{byte_size(row.response_truncated)} of its middle were not kept"))
    return entries


def _amounts(leaves: Sequence[Leaf]) -> tuple[dict[_Key, _Amount], dict[tuple[Kind, str], _Amount]]:
    """What each part and inner part holds, and what no part stands behind."""
    of_parts: dict[_Key, _Amount] = {}
    added: dict[tuple[Kind, str], _Amount] = {}
    for leaf in leaves:
        if leaf.part is None:
            added[leaf.kind, leaf.name] = added.get((leaf.kind, leaf.name), _Amount()).plus(leaf)
        else:
            key = leaf.part, leaf.inner
            of_parts[key] = of_parts.get(key, _Amount()).plus(leaf)
    return of_parts, added


def _entries(part: Part, section: str, key: _Key, amounts: Mapping[_Key, _Amount]) -> Iterator[tuple[Entry, _Amount]]:
    """A part, then those inside it."""
    amount = amounts.get(key, _Amount())
    kind = kind_of(part, section)
    text, syntax = _text(part)
    notes = [note for note, holds in (("deferred", part.deferred), ("not cached", part.volatile)) if holds]
    preview = _start(text)
    if part.hidden:
        preview = "hidden by the provider" + (f": {preview}" if preview else "")
    if part.media is not None:
        preview = _media(part.media)
    entry = Entry(
        title=_title(part, kind, inner=bool(key[1])),
        kind=kind,
        name=_name(part),
        preview=preview,
        text=text,
        syntax=syntax,
        tokens=amount.tokens,
        estimated=amount.estimated,
        read=amount.read,
        write=amount.write,
        marks=tuple(marker.ttl or "" for marker in part.markers),
        path=part.path,
        notes=tuple(notes),
    )
    yield entry, amount
    for index, inner in enumerate(part.inner):
        yield from _entries(inner, section, (key[0], (*key[1], index)), amounts)


def _text(part: Part) -> tuple[str, Syntax]:
    if part.text is not None or part.media is not None or part.hidden:
        return part.text or "", _SYNTAX.get(part.kind, "auto")
    if part.value is None or part.inner:
        return "", "auto"
    return json.dumps(_short(part.value), ensure_ascii=False), "auto"


def _title(part: Part, kind: Kind, *, inner: bool) -> str:
    title = _TITLES.get(part.kind) or plain(part.role) or KIND_NAMES[kind]
    if kind is Kind.SYSTEM_INJECTION:
        title = f"{title} · injected"
    return f"└ {title}" if inner else title


def _name(part: Part) -> str:
    if part.kind not in (PartKind.TOOL_CALL, PartKind.TOOL_RESULT, PartKind.TOOL_SCHEMA, PartKind.OUTPUT_SCHEMA):
        return plain(part.name or "")
    name = plain(part.name or "") or ("" if part.kind is PartKind.OUTPUT_SCHEMA else "(no name)")
    return f"{plain(part.server)} › {name}" if part.server else name


def _start(text: str) -> str:
    """The first words of a text on one line."""
    return plain(" ".join(text[: PREVIEW * 2].split()))[:PREVIEW]


def _media(media: Media) -> str:
    facts = [
        plain(media.type or ""),
        f"{media.width}×{media.height}" if media.width and media.height else "",
        counted(media.pages, "page") if media.pages else "",
        byte_size(media.size_bytes) if media.size_bytes is not None else "",
        f"detail {plain(media.detail)}" if media.detail else "",
        {"inline": "", "url": "behind a URL", "file": "an uploaded file"}[media.source],
    ]
    return " · ".join(filter(None, facts))


def _with_edges(parts: Sequence[tuple[Entry, _Amount]], read: int, written: int) -> list[Entry]:
    """The entries, with a line behind the last that was read from the cache, and behind the last written to it.

    `read` and `written` count what the provider added too.
    """
    entries = [entry for entry, _ in parts]
    reads = [amount.read for _, amount in parts]
    writes = [amount.write for _, amount in parts]
    for done, total, held, before in (
        ("read from the cache", read, reads, [0] * len(reads)),
        ("written to the cache", written, writes, reads),
    ):
        last = max((index for index, tokens in enumerate(held) if tokens), default=None)
        if last is None:
            continue
        where = "here" if before[last] + held[last] == parts[last][1].tokens else "inside the part above"
        line = f"what was {done} ends {where}: {exact(total)} tokens"
        entries[last] = replace(entries[last], edges=(*entries[last].edges, line))
    return entries


def _added(added: Mapping[tuple[Kind, str], _Amount]) -> list[Entry]:
    """What stands in no body, a kind an entry: framing, hidden preambles, earlier turns that are not known."""
    kinds: dict[Kind, list[tuple[str, _Amount]]] = {}
    for (kind, name), amount in added.items():
        if amount.tokens:
            kinds.setdefault(kind, []).append((name, amount))
    return [
        Entry(
            title=KIND_NAMES[kind],
            kind=kind,
            preview=" · ".join(f"{plain(name)} {exact(amount.tokens)}".strip() for name, amount in held),
            tokens=sum(amount.tokens for _, amount in held),
            estimated=any(amount.estimated for _, amount in held),
            read=sum(amount.read for _, amount in held),
            write=sum(amount.write for _, amount in held),
        )
        for kind, held in kinds.items()
    ]


def _endings(row: "CallRow", answered: bool) -> list[Entry]:
    """How the answer ended, and what went wrong."""
    entries = [Entry(title="stop reason", name=plain(reason)) for reason in row.finish_reasons]
    if row.error:
        start = _start(row.error)
        entries.append(Entry(title="error", name=start, text="" if start == row.error else row.error, syntax="auto"))
    if row.outcome != "complete":
        said = "the answer above is what had come until then" if answered else "before anything came"
        entries.append(Entry(title="cut off", name=row.outcome, preview=said))
    elif not answered and not row.error:
        entries.append(Entry(title="answer", name="empty"))
    return entries


def _headers(title: str, name: str, headers: Sequence[tuple[str, str]]) -> Entry:
    lines = "\n".join(f"{key}: {value}" for key, value in headers)
    return Entry(title=title, name=name, preview=counted(len(headers), "header"), text=lines, syntax="text")


def _json(title: str, value: Json, about: str = "") -> Entry:
    text = json.dumps(_short(value), ensure_ascii=False, indent=2)
    return Entry(title=title, preview=about, text=text, syntax="json", whole=value)


def _short(value: Json) -> Json:
    """The value with long inline data cut: nobody reads base64."""
    if isinstance(value, str):
        if len(value) > LONGEST_DATA and _DATA.match(value):
            return f"{value[:48]}… {counted(len(value), 'character')} of data"
        return value
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return value
