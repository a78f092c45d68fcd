"""The nodes that the calls of a run point at, with all nodes above them, as columns: parents before their children.

Contents are read only where a row cannot tell: whether a user's text is an agent's reminder, and which tool is meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from llmprof_addon.model.component import Kind
from llmprof_addon.model.kinds import is_reminder, kind_of
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.recent import Recent
from llmprof_addon.store.contents import Contents
from llmprof_addon.store.counts import unpack_raw
from llmprof_addon.store.open import Store
from llmprof_addon.store.trend_facts import tokens_of

_NODES = """
WITH RECURSIVE path (id, parent_id, section) AS (
    SELECT node.id, node.parent_id, head.section FROM (
        SELECT tools_head_id AS id, CAST('tools' AS TEXT) AS section FROM call WHERE run_id = {0}
        UNION SELECT system_head_id, 'system' FROM call WHERE run_id = {0}
        UNION SELECT message_head_id, 'messages' FROM call WHERE run_id = {0}
        UNION SELECT answer_head_id, 'messages' FROM call WHERE run_id = {0}
    ) AS head JOIN node ON node.id = head.id
    UNION
    SELECT node.id, node.parent_id, path.section FROM node JOIN path ON node.id = path.parent_id
)
SELECT node.id, node.key, node.parent_id, path.section, node.depth, node.place, node.form, node.kind, node.role,
       node.name, node.content_id, node.wrapper_id, content.size, node_count.encoding, node_count.own
FROM path
JOIN node ON node.id = path.id
JOIN content ON content.digest = node.content_id
LEFT JOIN node_count ON node_count.node_id = node.id
ORDER BY node.depth, node.key, node_count.encoding
"""

_reminders: Recent[bytes, bool] = Recent(20_000)
"""Whether the content of a user's text is a reminder."""


@dataclass(slots=True)
class Columns:
    """Nodes by position; `index` has the position of a row id."""

    index: dict[int, int] = field(default_factory=dict)
    keys: list[bytes] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    """Positions, -1 above the first node of a chain."""
    sections: list[str] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    part_kinds: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    wrappers: list[bytes | None] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    tokens: list[dict[str, int]] = field(default_factory=list)
    """Tokens of a node and of its inner parts by encoding, at least one: what has no text still has a frame."""
    inner: list[tuple[int, ...]] = field(default_factory=list)
    """Tokens of each inner part."""
    kinds: list[Kind] = field(default_factory=list)

    def all_of(self, *kinds: Kind) -> list[int]:
        """Positions of the nodes of these kinds."""
        return [at for at, kind in enumerate(self.kinds) if kind in kinds]


def read_columns(store: Store, run: int) -> Columns:
    """The nodes above all heads of a run's calls, all but their kinds; `run` is its row id."""
    out = Columns()
    index = out.index
    for row in store.db.execute_sql(_NODES.format(store.db.param), (run,) * 4).fetchall():
        id_, key, parent, section, depth, place, form, kind, role, name, content, wrapper, size, encoding, own = row
        at = index.get(id_)
        if at is None:
            index[id_] = at = len(out.keys)
            out.keys.append(bytes(key))
            out.parents.append(-1 if parent is None else index[parent])
            out.sections.append(section)
            out.depths.append(depth)
            out.places.append(place)
            out.forms.append(form)
            out.part_kinds.append(kind)
            out.roles.append(role)
            out.names.append(name)
            out.contents.append(bytes(content))
            out.wrappers.append(None if wrapper is None else bytes(wrapper))
            out.sizes.append(size)
            out.tokens.append({})
            out.inner.append(())
        if own is not None:
            out.tokens[at][encoding], out.inner[at] = _weights(bytes(own))
    return out


def set_kinds(nodes: Columns, contents: Contents) -> None:
    """Fill `kinds`, as `model.kinds` has them; answers count as what they are in the next prompt."""
    is_text = PartKind.TEXT.value
    rows = list(zip(nodes.part_kinds, nodes.roles, nodes.sections, nodes.contents, strict=True))
    user_texts = [
        content for kind, role, section, content in rows if (kind, role, section) == (is_text, "user", "messages")
    ]
    reminders = _which_remind(user_texts, contents)
    nodes.kinds = [_kind(kind, role, section, content in reminders) for kind, role, section, content in rows]


@lru_cache(maxsize=1_000)
def _kind(kind: str, role: str, section: str, reminds: bool) -> Kind:
    if reminds and (kind, role, section) == (PartKind.TEXT, "user", "messages"):
        return Kind.SYSTEM_INJECTION
    return kind_of(Part(kind=PartKind(kind), role=role), section)


def _which_remind(digests: Iterable[bytes], contents: Contents) -> set[bytes]:
    """Those of the contents that are an agent's words in a user's text."""
    asked = list(dict.fromkeys(digests))
    known = dict(zip(asked, _reminders.get_all(asked), strict=True))
    for digest, value in contents.some(digest for digest, said in known.items() if said is None).items():
        known[digest] = is_reminder(text_in(value))
        _reminders.add(digest, bool(known[digest]))
    return {digest for digest, said in known.items() if said}


def text_in(value: Json) -> str:
    """The text of a stored text block, in whatever dialect."""
    text = value.get("text") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


@lru_cache(maxsize=20_000)
def _weights(own: bytes) -> tuple[int, tuple[int, ...]]:
    raw = unpack_raw(own)
    return max(1, tokens_of(raw)), tuple(max(1, tokens_of(inner)) for inner in raw.inner)
