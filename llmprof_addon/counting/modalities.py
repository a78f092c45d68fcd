"""Tokens that the provider reports by modality, given to the leaves of that modality: nobody counts them better."""

from collections.abc import Sequence

from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.usage import Source, Usage

_KINDS: dict[str, tuple[Kind, ...]] = {
    "audio": (Kind.AUDIO, Kind.DOCUMENTS),
    "image": (Kind.IMAGES, Kind.DOCUMENTS),
    "video": (Kind.DOCUMENTS,),
    "document": (Kind.DOCUMENTS,),
}
"""Leaves that a modality may belong to, the likeliest first: pages and frames are reported as images, a film's sound as
audio."""

TOOL_USE = "tool_use"
"""In place of a modality: what tools of the provider put into the prompt, which no part of the request shows."""


def pinned(leaves: Sequence[Leaf], usage: Usage, side: str) -> tuple[Leaf, ...]:
    """The leaves of a prompt (`side` is `input`) or of an answer (`output`), media with the tokens reported for them.

    Several of one kind share its tokens in proportion to their estimates.
    """
    reported: dict[Kind, int] = {}
    out = list(leaves)
    for name, tokens in usage.by_modality:
        reported_side, _, modality = name.partition("_")
        if reported_side != side:
            continue
        if modality == TOOL_USE:
            found = Leaf(kind=Kind.PROVIDER_OVERHEAD, name="tool use", tokens=tokens, source=Source.REPORTED)
            out.append(found._replace(scalable=False))
        there = {leaf.kind for leaf in leaves}
        if kind := next((kind for kind in _KINDS.get(modality, ()) if kind in there), None):
            reported[kind] = reported.get(kind, 0) + tokens
    for kind, tokens in reported.items():
        own = [index for index, leaf in enumerate(leaves) if leaf.kind is kind]
        for index, share in zip(own, apportion(tokens, [leaves[index].tokens for index in own]), strict=True):
            out[index] = out[index]._replace(tokens=share, source=Source.REPORTED, scalable=False, guessed=False)
    return tuple(out)
