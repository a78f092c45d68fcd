"""Model families: which encoding counts their text, and what a family makes of such counts.

Everything is keyed by the model's name and by the dialect, never by host. OpenAI's own models are counted exactly; of
all others the provider's tokenizer is not public, and a linear model over o200k_base counts estimates them.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from llmprof_addon.counting.coefficients import COEFFICIENTS, OTHER, Coefficients
from llmprof_addon.counting.images import Crops, Flat, ImageRule, MediaRule, Patches, Tiles
from llmprof_addon.model.call import Call

O200K = "o200k_base"
CL100K = "cl100k_base"

_PATCHES_28 = Patches(patch=28, most=1568, edge=1568)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How the tokens of a model's prompt are found."""

    name: str
    encoding: str = O200K
    exact: bool = False
    """Whether text and its framing are counted by OpenAI's rules, not estimated."""
    slack: float
    """90th percentile of the relative error of this family's estimates: how far text may be scaled up."""
    coefficients: Coefficients = OTHER
    media: MediaRule
    keeps_reasoning: bool = False
    """Whether reasoning of turns before the last user text is billed again."""
    thoughts_if_streamed: bool = False
    """Whether encrypted thoughts that are sent back are billed in streamed calls alone (Gemini 2.5, 60 recordings)."""
    builtins: tuple[tuple[str, int], ...] = ()
    """Tokens of tools that the provider defines, by the start of their type, beside the common preamble."""


def _openai(name: str, image: ImageRule, encoding: str = O200K) -> Family:
    return Family(
        name=name,
        encoding=encoding,
        exact=True,
        slack=0.06,
        coefficients=COEFFICIENTS["openai"],
        media=MediaRule(image=image, page=1020),
        keeps_reasoning=True,
    )


def _tiles(base: int, tile: int) -> Tiles:
    return Tiles(base=base, tile=tile)


def _patches(factor: float) -> Patches:
    return Patches(patch=32, most=1536, factor=factor, exact=True)


def _large_patches(factor: float) -> Patches:
    """From GPT-5.4 on: `high` and `auto` up to 2,500 patches and 2048 px, `original` up to 10,000."""
    return Patches(patch=32, most=2500, edge=2048, original=10_000, factor=factor, exact=True)


# bash, text_editor: Anthropic, "Tool use"; the searches and computer: measured; the others by analogy.
_CLAUDE_TOOLS = (
    ("web_search", 1710),
    ("web_fetch", 525),
    ("computer", 1308),
    ("bash", 245),
    ("text_editor", 700),
    ("code_execution", 1000),
    ("memory", 900),
    ("tool_search", 300),
)
# Recorded pictures cost 1 to 5 tokens more than their published patches.
_CLAUDE_PATCHES = replace(_PATCHES_28, frame=3)
_NEW_TOKENIZER = 1.42
"""Tokens that Claude 4.7 and later make of the same hidden text."""


def _claude(name: str, slack: float, *, keeps_reasoning: bool = False) -> Family:
    return Family(
        name=name,
        slack=slack,
        coefficients=COEFFICIENTS[name],
        media=MediaRule(image=_CLAUDE_PATCHES, page=1800),
        builtins=_CLAUDE_TOOLS,
        keeps_reasoning=keeps_reasoning,
    )


_CLAUDES: tuple[tuple[tuple[int, int], Family], ...] = (
    (
        (4, 7),
        replace(
            _claude("claude-5", 0.15, keeps_reasoning=True),
            media=MediaRule(image=replace(_CLAUDE_PATCHES, most=4784, edge=2576), page=1800),
            builtins=tuple((start, round(_NEW_TOKENIZER * tokens)) for start, tokens in _CLAUDE_TOOLS),
        ),
    ),
    ((4, 6), _claude("claude-4.6", 0.1, keeps_reasoning=True)),
    ((4, 5), _claude("claude-4.5", 0.1)),
    ((4, 0), _claude("claude-4", 0.1)),
    ((3, 7), _claude("claude-3.7", 0.1)),
    ((3, 5), _claude("claude-3.5", 0.15)),
    ((0, 0), _claude("claude-3", 0.15)),
)
"""Versions from which on a family holds, latest first. A name without a version is the latest."""
_CLAUDE_VERSION = re.compile(r"claude-(?:[a-z]+-)?v?(\d)(?:[-.](\d{1,2})(?!\d))?")


def _other(name: str, slack: float, image: ImageRule = _PATCHES_28, page: int = 1500, second: float = 10.0) -> Family:
    media = MediaRule(image=image, page=page, second=second)
    return Family(name=name, slack=slack, coefficients=COEFFICIENTS.get(name, OTHER), media=media)


# The resolutions that a part may ask for: Gemini API, "Media resolution"; `each` is measured.
_GEMINI_3_IMAGE = Flat(each=1092, by_detail=(("low", 280), ("medium", 560), ("ultra_high", 2240)))

DEFAULT = _other("other", 0.5)

_PATTERNS: tuple[tuple[str, Family], ...] = (
    (r"claude-3-opus", _claude("claude-3-opus", 0.15)),
    (r"claude-3-sonnet", _claude("claude-3-sonnet", 0.15)),
    (r"claude-3[-.]5-haiku", _claude("claude-3.5-haiku", 0.1)),
    (r"gpt-oss", _other("gpt-oss", 0.2)),
    (r"gpt-5\.[4-9].*nano|gpt-[6-9].*nano", _openai("gpt-5.4-nano", _large_patches(1.5))),
    (r"gpt-5\.[4-9]|gpt-[6-9]", _openai("gpt-5.4", _large_patches(1.2))),
    (r"gpt-5.*nano", _openai("gpt-5-nano", _patches(1.5))),
    (r"gpt-5.*mini", _openai("gpt-5-mini", _patches(1.2))),
    (r"gpt-5", _openai("gpt-5", _tiles(70, 140))),
    (r"gpt-4\.1-nano", _openai("gpt-4.1-nano", _patches(2.46))),
    (r"gpt-4\.1-mini", _openai("gpt-4.1-mini", _patches(1.62))),
    (r"gpt-4o-mini", _openai("gpt-4o-mini", _tiles(2833, 5667))),
    (r"gpt-4\.[15]|gpt-4o|gpt-audio|gpt-realtime", _openai("gpt-4o", _tiles(85, 170))),
    (r"(^|[/.:])o4", _openai("o4-mini", _patches(1.72))),
    (r"(^|[/.:])o[13](-|$)|codex-mini", _openai("o3", _tiles(75, 150))),
    (
        r"gpt-(4|3\.?5)|(?<!text-)davinci-002|babbage-002|text-embedding-(3|ada-002)",
        _openai("gpt-4", _tiles(85, 170), CL100K),
    ),
    (
        r"gemini-(1|2|.*-2\.)|gemini-pro",
        replace(_other("gemini-2", 0.4, Crops(crop=258), page=258, second=32.0), thoughts_if_streamed=True),
    ),
    (r"gemini-3(-|\.[0-4])", _other("gemini-3", 0.25, _GEMINI_3_IMAGE, page=520, second=32.0)),
    (
        r"gemini",
        replace(_other("gemini-3.5", 0.25, _GEMINI_3_IMAGE, page=520, second=32.0), keeps_reasoning=True),
    ),
    (r"gemma", _other("gemma", 0.4, Flat(each=256))),
    (r"mistral|mixtral|ministral|magistral|codestral|devstral|pixtral", _other("mistral", 0.3)),
    (r"command", _other("command", 0.4)),
    (r"titan", _other("titan", 0.4)),
    (r"nova-2", _other("nova-2", 0.2, Flat(each=1400))),
    (r"nova", _other("nova-1", 0.2, Flat(each=1400))),
    (r"glm|z-ai/", _other("glm", 0.3)),
    (r"kimi", _other("kimi", 0.2)),
    (r"deepseek", _other("deepseek", 0.4)),
    (r"qwen|qwq|qvq", _other("qwen", 0.4)),
    (r"minimax", _other("minimax", 0.3)),
    # From 3.1 on the template opens every prompt with a system message of two dates; Llama 4's does not.
    (r"llama-?3[-.][1-3](?!\d)", _other("llama-3.1", 0.5)),
    (r"llama", _other("llama", 0.5)),
    (r"grok", _other("grok", 0.5)),
)
"""What to look for in the model's name, in lower case; the first that is found decides."""

_COHERE_IMAGE = Flat(each=259)
_IN_ITS_DIALECT: tuple[tuple[str, str, Family], ...] = (
    ("cohere.chat", r"command-a|command-r7b|aya", _other("command-a", 0.1, _COHERE_IMAGE)),
    ("cohere.chat", r"-08-2024|^$", _other("command-r-08", 0.1, _COHERE_IMAGE)),
    ("cohere.chat", r"command", _other("command-r", 0.1, _COHERE_IMAGE)),
)
"""Families that hold in one dialect alone: Cohere's own API counts preambles that other hosts of its models do not."""

_ASSUMED = {"anthropic.messages": dict(_CLAUDES)[4, 5]}
"""The family of a model that no pattern knows, by the dialect in which it is spoken to."""


def family(api: str, model: str | None, provider: str) -> Family:
    """The family of a model; an unknown one is `other`, whose estimates are rough. `provider` does not change it."""
    return _named(api, model or "") or _ASSUMED.get(api, DEFAULT)


def family_of(call: Call) -> Family:
    """The family of the model that a call asked for, or that answered where the name asked for says nothing."""
    found = _named(call.api, call.request_model or "") or _named(call.api, call.answer.response_model or "")
    return found or family(call.api, None, call.provider)


def _in_dialect(found: Family, api: str) -> Family:
    """A family of OpenAI's as a dialect has it: the framing is known for OpenAI's own alone."""
    if api == "openai.responses":
        # Recorded calls were billed for the text of a PDF here, and for a picture of each page in `openai.chat`.
        return replace(found, media=replace(found.media, page=50))
    return found if api.startswith("openai.") else replace(found, exact=False)


@lru_cache(maxsize=1024)
def _named(api: str, model: str) -> Family | None:
    model = model.lower()
    for dialect, pattern, found in _IN_ITS_DIALECT:
        if api == dialect and re.search(pattern, model):
            return found
    for pattern, found in _PATTERNS:
        if re.search(pattern, model):
            return _in_dialect(found, api) if found.exact else found
    if "claude" in model:
        version = _CLAUDE_VERSION.search(model)
        number = (int(version[1]), int(version[2] or 0)) if version else (99, 0)
        return next(found for start, found in _CLAUDES if number >= start)
    return None
