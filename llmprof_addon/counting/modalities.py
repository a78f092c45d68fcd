"""Tokens that the provider reports by modality, given to the leaves of that modality: nobody counts them better."""

from collections.abc import Sequence

from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.usage import Source, Usage

_KINDS = {"audio": Kind.AUDIO, "image": Kind.IMAGES}


def pinned(leaves: Sequence[Leaf], usage: Usage, side: str) -> tuple[Leaf, ...]:
    """The leaves of a prompt (`side` is `input`) or of an answer (`output`), media with the tokens reported for them.

    Several of one modality share its tokens in proportion to their estimates.
    """
    out = list(leaves)
    for name, tokens in usage.by_modality:
        reported_side, _, modality = name.partition("_")
        kind = _KINDS.get(modality) if reported_side == side else None
        own = [index for index, leaf in enumerate(leaves) if leaf.kind is kind]
        if not own:
            continue
        for index, share in zip(own, apportion(tokens, [leaves[index].tokens for index in own]), strict=True):
            out[index] = out[index]._replace(tokens=share, source=Source.REPORTED, scalable=False, guessed=False)
    return tuple(out)
