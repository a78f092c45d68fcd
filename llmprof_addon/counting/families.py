"""Model families: which encoding counts their text, and what a family makes of such counts.

Everything is keyed by the model's name, never by host. OpenAI's own models are counted exactly; of all others the
provider's tokenizer is not public, and a linear model over o200k_base counts estimates them. Its numbers were fitted on
recorded calls (`tests/fit_families.py`) and are data: better ones change no stored count.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from llmprof_addon.counting.images import MediaRule, Patches, Tiles
from llmprof_addon.model.call import Call

O200K = "o200k_base"
CL100K = "cl100k_base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """Tokens per unit: of a raw token of some kind, or of a thing that is there."""

    const: float = 3.0
    message: float = 3.0
    """Each message after the first."""
    prose: float = 1.0
    json: float = 1.0
    nonlatin: float = 1.0
    tools: float = 0.0
    """Hidden preamble as soon as there is any tool."""
    forced: float = 0.0
    """Added where the request forces a tool."""
    tool: float = 0.0
    """Each tool after the first."""
    tool_json: float = 1.0
    call: float = 8.0
    """Framing of a tool call and of its result."""
    call_json: float = 1.0
    schema: float = 0.0
    """Hidden preamble of an output schema."""
    schema_json: float = 1.0
    reasoning: float = 1.0
    thinking: float = 0.0
    """Hidden text where the request turns thinking on."""
    sealed: float = 0.34
    """Each character of encrypted content that is no reasoning: search results."""


_PATCHED_28 = MediaRule(image=Patches(patch=28, most=1568, edge=1568))


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How the tokens of a model's prompt are found."""

    name: str
    encoding: str = O200K
    exact: bool = False
    """Whether text and its framing are counted by OpenAI's rules, not estimated."""
    slack: float = 0.25
    """90th percentile of the relative error of this family's estimates: how far text may be scaled up."""
    coefficients: Coefficients = Coefficients()
    media: MediaRule = _PATCHED_28
    keeps_reasoning: bool = False
    """Whether reasoning of turns before the last user text is billed again."""
    builtins: tuple[tuple[str, int], ...] = ()
    """Tokens of tools that the provider defines, by the start of their type, beside the common preamble."""


_OPENAI_TILES = MediaRule(image=Tiles(base=85, tile=170), page=1200)
_OPENAI_PATCHES = Patches(patch=32, most=1536, edge=2048)
_CLAUDE_MEDIA = replace(_PATCHED_28, page=1600)
_CLAUDE_BUILTINS = (
    # bash, text_editor: published (Anthropic, "Tool use"); the others from recorded calls.
    ("web_search", 1710),
    ("web_fetch", 525),
    ("computer", 1308),
    ("bash", 245),
    ("text_editor", 700),
    ("code_execution", 1000),
    ("memory", 900),
)


def _openai(name: str, media: MediaRule = _OPENAI_TILES, encoding: str = O200K) -> Family:
    return Family(
        name=name, encoding=encoding, exact=True, slack=0.06, media=media,
        coefficients=Coefficients(const=7.0, message=4.0, tool_json=0.7, tools=15.0),
    )  # fmt: skip


def _patched(factor: float, most: int = 1536, original: int | None = None) -> MediaRule:
    return replace(
        _OPENAI_TILES, image=replace(_OPENAI_PATCHES, factor=factor, most=most, original=original, exact=True)
    )


_CLAUDE = Coefficients(
    const=7.0, message=2.5, prose=1.15, json=1.2, nonlatin=1.15, tools=320.0, forced=-30.0, tool=10.0,
    tool_json=1.2, call=45.0, call_json=1.5, schema=93.0, schema_json=1.97, reasoning=1.15, thinking=29.0,
)  # fmt: skip


def _claude(name: str, slack: float, **changes: float) -> Family:
    return Family(
        name=name, slack=slack, coefficients=replace(_CLAUDE, **changes), media=_CLAUDE_MEDIA, builtins=_CLAUDE_BUILTINS
    )


_CLAUDE_4_5 = _claude("claude-4.5", 0.1, tools=513.0, forced=113.0)
_CLAUDE_NEW = replace(
    _claude("claude-5", 0.15, prose=1.25, json=1.3, tools=376.0, forced=161.0, tool_json=1.5, sealed=0.43),
    media=replace(_CLAUDE_MEDIA, image=Patches(patch=28, most=4784, edge=2576)),
    builtins=tuple((kind, round(1.42 * tokens)) for kind, tokens in _CLAUDE_BUILTINS),
    keeps_reasoning=True,
)

_DEFAULT = Family(name="other", slack=0.5)

_TABLE: tuple[tuple[str, Family], ...] = (
    (r"claude-(\d(\.\d)?$|instant|v?2|3-(opus|sonnet|haiku))", _claude("claude-3", 0.3)),
    (r"claude-3[-.]5", _claude("claude-3.5", 0.15)),
    (r"claude-3[-.]7", _claude("claude-3.7", 0.15)),
    (r"claude-\w+-4([-.][01])?(?![-.]?\d)|claude-\w+-4-20|claude-4-", _claude("claude-4", 0.1)),
    (r"claude-opus-4[-.]5", replace(_CLAUDE_4_5, keeps_reasoning=True)),
    (r"claude-\w+-4[-.]5", _CLAUDE_4_5),
    (r"claude-\w+-4[-.]6", replace(_CLAUDE_4_5, name="claude-4.6", keeps_reasoning=True)),
    (r"claude", _CLAUDE_NEW),
)
"""Patterns for the model's name in lower case; the first that is found decides."""

_BY_API: dict[str, str] = {"anthropic.messages": "claude-sonnet-4-5"}
"""Which model to assume where a request names none, or one that no pattern knows."""


def family(api: str, model: str | None, provider: str) -> Family:
    """The family of a model; an unknown one is `other`, whose estimates are rough and say so."""
    return _family(api, (model or "").lower())


def family_of(call: Call) -> Family:
    """The family of the model that a call asked for, or that answered where the name asked for says nothing."""
    found = family(call.api, call.request_model, call.provider)
    if found is _DEFAULT and call.answer.response_model:
        return family(call.api, call.answer.response_model, call.provider)
    return found


@lru_cache(maxsize=1024)
def _family(api: str, model: str) -> Family:
    for pattern, found in _TABLE:
        if re.search(pattern, model):
            return found
    assumed = _BY_API.get(api)
    return _family("", assumed) if assumed and model != assumed else _DEFAULT
