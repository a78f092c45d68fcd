"""Tokens of each part of a run, as its provider counts them.

What a call's prompt has beyond that of the call before is measured: the difference of their reported inputs. All other
parts share the tokens of their kind in the first call that carried them. Shares go by raw tokens, and are estimates.
"""

from collections.abc import Mapping, Sequence

from llmprof_addon.model.component import Kind
from llmprof_addon.model.run_tree import RunCall, RunNode, RunTree
from llmprof_addon.model.usage import Source
from llmprof_addon.whatif.chains import Forest, running

_SANE = (0.25, 4.0)
"""How far a measured difference may be from the estimate of what is new, and still be taken for it."""


def measured(tree: RunTree, ground: Forest) -> tuple[list[float], list[float]]:
    """Tokens of each node, under the model that saw it first, 0 for what no prompt has; and the media in it."""
    sizes = _Sizes(tree, ground)
    for call in tree.calls:
        if call.usage.input_tokens and call.composition:
            sizes.take(call)
    return sizes.tokens, sizes.media


def raw_tokens(node: RunNode, encoding: str) -> int:
    """A node's weight; that of another encoding where this one has not counted it."""
    return node.tokens.get(encoding) or max(node.tokens.values(), default=1)


def kind_of(node: RunNode) -> Kind:
    """The kind of a node where it stands in a prompt."""
    return Kind.ASSISTANT if node.kind is Kind.TEXT else node.kind


class _Sizes:
    """Nodes get their sizes once, from the first call that carries them: O(nodes) in all."""

    def __init__(self, tree: RunTree, ground: Forest) -> None:
        self.tokens = [0.0] * len(tree.nodes)
        self.media = [0.0] * len(tree.nodes)
        self._tree = tree
        self._ground = ground
        self._sums = [0.0] * (len(tree.nodes) + 1)
        self._known = [False] * len(tree.nodes) + [True]
        self._weights: dict[str, dict[Kind, list[float]]] = {}

    def take(self, call: RunCall) -> None:
        """Give sizes to what a call is the first to carry."""
        scales = self._scales(call)
        before = self._before(call)
        for head in (call.tools, call.system, call.messages):
            new, above = self._new(head)
            parts = [self._tree.nodes[node] for node in new]
            media = [sum(scales[kind] * number for kind, number in part.media.items()) for part in parts]
            shares: list[float] = [
                scales[kind_of(part)] * raw_tokens(part, call.encoding) + held
                for part, held in zip(parts, media, strict=True)
            ]
            if before is not None and head == call.messages and any(shares):
                grown = (call.usage.input_tokens or 0) - (before.usage.input_tokens or 0)
                grown -= round(self._sums[above] - self._sums[before.messages])
                if _SANE[0] <= (factor := grown / sum(shares)) <= _SANE[1]:
                    shares, media = ([share * factor for share in some] for some in (shares, media))
            for node, share, held in zip(new, shares, media, strict=True):
                self.tokens[node], self.media[node] = share, held
                self._known[node] = True
                self._sums[node] = self._sums[self._ground.parent[node]] + share

    def _before(self, call: RunCall) -> RunCall | None:
        """The call whose prompt this one continues with nothing changed, so that inputs can be compared."""
        if call.predecessor is None:
            return None
        before = self._tree.calls[call.predecessor]
        same = (before.tools, before.system, before.model) == (call.tools, call.system, call.model)
        numbers = (before.usage, call.usage)
        if not same or any(usage.source is not Source.REPORTED or not usage.input_tokens for usage in numbers):
            return None
        if before.messages == -1 or not self._known[before.messages]:
            return None
        return before if self._ground.is_above(before.messages, call.messages) else None

    def _new(self, head: int) -> tuple[list[int], int]:
        new = []
        while not self._known[head]:
            new.append(head)
            head = self._ground.parent[head]
        return new[::-1], head

    def _scales(self, call: RunCall) -> Mapping[Kind, float]:
        """Tokens per raw token, by kind."""
        if call.encoding not in self._weights:
            self._weights[call.encoding] = weights(self._tree, self._ground, call.encoding)
        sums = self._weights[call.encoding]
        heads = (call.tools, call.system, call.messages)
        raw = {kind: sum(column[head] for head in heads) for kind, column in sums.items()}
        held = {total.kind: total.tokens for total in call.composition}
        among = sum(held.get(kind, 0) for kind, weight in raw.items() if weight)
        overall = among / sum(raw.values()) if among else 1.0
        return {kind: held.get(kind, 0) / weight if weight else overall for kind, weight in raw.items()}


def weights(tree: RunTree, ground: Forest, encoding: str) -> dict[Kind, list[float]]:
    """Raw tokens by kind from the root down to each node."""
    kinds: Sequence[Kind] = sorted({kind for node in tree.nodes for kind in (kind_of(node), *node.media)})
    return {kind: running(ground, [_weight(node, kind, encoding) for node in tree.nodes]) for kind in kinds}


def _weight(node: RunNode, kind: Kind, encoding: str) -> int:
    return raw_tokens(node, encoding) if kind_of(node) is kind else node.media.get(kind, 0)
