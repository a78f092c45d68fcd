"""A stored call -> the trees that a person looks at, and the call as it was read.

The leaves are laid out by the functions that laid them out when the call came, over the same raw counts, so that the
tree has the very sums that were stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmprof_addon.attribution.positions import positions
from llmprof_addon.attribution.tree import components
from llmprof_addon.counting.estimate import prompt_leaves
from llmprof_addon.model.call import SECTIONS, Answer, Call, Prompt
from llmprof_addon.model.component import Component
from llmprof_addon.model.exchange import Headers
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import StoredPart, assemble
from llmprof_addon.pipeline.layout import Leaves, Raws, lay_out
from llmprof_addon.providers import dialects
from llmprof_addon.providers.carving import text_of
from llmprof_addon.providers.dialects import Dialect
from llmprof_addon.store.before import Before
from llmprof_addon.store.detail import StoredCall, detail
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import CallRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A stored call with the trees of its prompt and its answer."""

    row: CallRow
    call: Call
    """As far as it is stored: prompt and answer with all their parts."""
    whole: Call
    """The call with the messages before its own that it continues by id; leaves point at the parts of this one."""
    body: Json
    """The request body."""
    leaves: Leaves
    components: tuple[Component, ...]
    output_components: tuple[Component, ...]
    request_headers: Headers
    response_headers: Headers
    rest: Json
    """The response body without what the answer's parts carry."""
    usage_raw: Json
    """The usage as it stood on the wire."""
    keys: tuple[bytes | None, ...] = ()
    """Keys of the nodes that the parts of the whole prompt are stored as; `None` for what is no part of a chain."""

    @property
    def by_node(self) -> dict[str, tuple[int, int | None]]:
        """Tokens and pico-dollars of the prompt's parts by the keys (hex) of their nodes."""
        sums: dict[str, tuple[int, int | None]] = {}
        for leaf in self.leaves.prompt:
            key = self.keys[leaf.part] if leaf.part is not None and leaf.part < len(self.keys) else None
            if key is not None:
                tokens, cost = sums.get(key.hex(), (0, None if leaf.cost is None else 0))
                sums[key.hex()] = tokens + leaf.tokens, None if leaf.cost is None else (cost or 0) + leaf.cost
        return sums

    @property
    def paths(self) -> dict[tuple[str, str], str]:
        """JSON paths of the prompt's parts by the call's id and the keys (hex) of their nodes."""
        parts = zip(self.keys, self.whole.prompt.parts, strict=False)
        return {(self.row.id, key.hex()): part.path for key, part in parts if key is not None and part.path}

    def path_of(self, node: str) -> str | None:
        """JSON path of the prompt's part that is stored as the node with this key (hex)."""
        return self.paths.get((self.row.id, node))

    @property
    def positions(self) -> tuple[Component, ...]:
        """The prompt's tree in the order in which the provider reads it."""
        return positions(self.whole, self.leaves.prompt)


def explain(store: Store, row: CallRow) -> Explanation:
    """Derive the trees of a stored call again, from its texts, counts, usage and cost as they are stored."""
    stored = detail(store, row)
    body = stored.body
    call = stored_call(stored, body)
    before = Before.stored(stored, store)
    context = before.around(call)
    call, whole = replace(call, prompt=context.own), replace(call, prompt=context.whole)
    raws = Raws.stored(whole, stored, context.laid, before.counts(context, row.encoding))
    leaves = lay_out(whole, raws, prompt_leaves(whole, raws.prompt, raws.framing), row.usage, row.cost)
    return Explanation(
        row=row,
        call=call,
        whole=whole,
        body=body,
        leaves=leaves,
        components=components(whole, leaves.prompt),
        output_components=components(whole, leaves.answer, answer=True),
        request_headers=stored.request_headers,
        response_headers=stored.response_headers,
        rest=stored.rest,
        usage_raw=stored.usage_raw,
        keys=_keys(whole.prompt, stored, before),
    )


def paths_of(store: Store, row: CallRow) -> dict[str, str]:
    """JSON paths in a call's body by the keys (hex) of the nodes; parts of calls that it continues are not in it."""
    stored = detail(store, row)
    call = stored_call(stored, stored.body)
    before = Before.stored(stored, store)
    whole = before.around(call).whole
    keys = _keys(whole, stored, before)
    return {key.hex(): part.path for key, part in zip(keys, whole.parts, strict=True) if key is not None and part.path}


def _keys(whole: Prompt, stored: StoredCall, before: Before) -> tuple[bytes | None, ...]:
    """The keys of the nodes of a whole prompt's parts."""
    sections = stored.sections
    nodes = (
        (whole.tools, sections["tools"]),
        (whole.system, sections["system"]),
        (whole.messages, (*before.messages, *sections["messages"])),
    )
    out: list[bytes | None] = []
    for parts, chain in nodes:
        left = iter(chain)
        for part in parts:
            node = None if part.volatile else next(left, None)
            out.append(node.key if node is not None else None)
    return tuple(out)


def stored_call(stored: StoredCall, body: Json) -> Call:
    """A stored call, as far as its leaves need it; `body` is its request's."""
    row = stored.row
    dialect = dialects.by_api(row.api)
    return Call(
        provider=row.provider,
        api=row.api,
        request_model=row.request_model,
        stream=row.stream,
        prompt=_read_again(dialect, stored.parts, body),
        answer=Answer(
            parts=_read_again(dialect, stored.answer_parts, assemble({}, stored.answer_parts), stored.rest).parts,
            response_model=row.response_model,
        ),
        section_order=dialect.section_order if dialect else SECTIONS,
    )


def _read_again(dialect: Dialect | None, parts: Sequence[StoredPart], body: Json, rest: Json = None) -> Prompt:
    """The parts of a stored body. One that was kept as a whole has no place, and is one part again."""
    if dialect is not None and all(part.place for part in parts):
        return dialects.read_again(dialect, body, rest)
    return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), value=body, form="whole"),))
