"""Cohere's counts, normalised: `tokens` is what the model read and wrote, `billed_units` what is charged of that.

`tokens` includes a preamble that the provider adds and does not charge. So the prompt's tree sums to `tokens`, with the
preamble as provider overhead, and the cost is that of `billed_units`, which no overhead carries (`pricing.spread`). Of
the output, `tokens` includes markup that no client gets: `billed_units` is what was said.
"""

from llmprof_addon.model.part import Json
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.carving import tokens_of


def usage_of(body: dict[str, Json]) -> Usage | None:
    """Usage of a body, under `usage` (v2) or `meta` (v1 and embeddings); what is only billed counts as the total."""
    held = body.get("usage", body.get("meta"))
    if not isinstance(held, dict):
        return None
    billed, tokens, older = _held(held, "billed_units"), _held(held, "tokens"), _held(body, "token_count")
    if not (billed or tokens or older):
        return None
    # Vision models count images beside the input (five recordings: 502 tokens, 259 of an image, 265 billed).
    images = _count(tokens, "image_tokens") or _count(billed, "image_tokens") or 0
    input_ = _first(_count(tokens, "input_tokens"), _count(older, "prompt_tokens"))
    output = _first(_count(billed, "output_tokens"), _count(tokens, "output_tokens"))
    billed_input = _count(billed, "input_tokens")
    total = billed_input if input_ is None else input_ + images
    return Usage(
        input_tokens=total,
        cache_read_input_tokens=_count(held, "cached_tokens"),
        output_tokens=_first(output, _count(older, "response_tokens")),
        billed_input_tokens=None if billed_input == total else billed_input,
        by_modality=(("input_image", images),) if images else (),
        raw={key: value for key, value in (*held.items(), ("token_count", older)) if key in _RAW and value},
    )


_RAW = ("billed_units", "tokens", "cached_tokens", "token_count")


def _held(body: dict[str, Json], key: str) -> dict[str, Json]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _count(held: dict[str, Json], key: str) -> int | None:
    return tokens_of(held.get(key))


def _first(one: int | None, other: int | None) -> int | None:
    return other if one is None else one
