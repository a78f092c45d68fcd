"""How providers cache prompts, as data: keyed by dialect and model, each number with its source.

Models and hosts without a row have no known rules, and their calls get no verdict.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

EVERYTHING = "everything"
"""In place of a section: a change leaves nothing of the cache."""

SECONDS = {"5m": 300, "30m": 1800, "1h": 3600, "24h": 86_400}
"""Lifetimes by the names that requests give them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRules:
    """What holds for the prompt cache of one family of models."""

    opt_in: bool
    """Whether only marked prefixes are cached."""
    minimum: int
    """Tokens below which nothing is cached."""
    step: int = 1
    """Prefixes are cached in multiples of so many tokens."""
    lookback: int | None = None
    """Blocks before a breakpoint, its own included, among whose ends an earlier breakpoint is looked for."""
    noise: int
    """A difference of so many tokens says nothing."""
    may_expire_s: int
    """Seconds after which an unused prefix may be gone, where no marker says it."""
    expires_s: int
    """Seconds after which it is gone."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Request fields on which the cache depends -> the first section that a change of it invalidates."""
    headers: tuple[str, ...] = ()
    """Request headers that do the same, for everything."""
    promises: bool = True
    """Whether an unchanged prefix is read within its lifetime. Else only what the call before read itself is known to
    have been there, and a miss without a change is nobody's loss."""
    leaves_out_zero: bool = False
    """Whether a reported usage without a number of tokens read says that there were none."""
    explicit: str | None = None
    """Request field that names a cached prompt; what another one held is not asked for."""


# Anthropic, "Prompt caching", "What invalidates the cache"; "Cache limitations" (2026).
_ANTHROPIC = CacheRules(
    opt_in=True,
    minimum=1024,
    lookback=20,
    noise=64,
    may_expire_s=SECONDS["5m"],
    expires_s=SECONDS["5m"],
    params={
        "thinking": "messages",
        "tool_choice": "messages",
        "output_config": "messages",
        "toolConfig": "messages",
        "speed": "system",
        "mcp_servers": "tools",
        "additionalModelRequestFields": "messages",
        "anthropic_beta": EVERYTHING,
    },
    headers=("anthropic-beta",),
)

_CLAUDE_MINIMUMS = (
    (r"haiku-4[-.]5|opus-4[-.][567]", 4096),
    (r"sonnet-4[-.]6|3[-.]5-haiku|3-haiku|haiku-3", 2048),
    (r"opus-[5-9]|fable|mythos", 512),
)
"""By what the model's name holds; all others 1,024. Anthropic, "Cache limitations" (2026)."""

# OpenAI, "Prompt caching" (2026): automatic from 1,024 tokens on, in steps of 128; unused prefixes are kept for 5 to 10
# minutes, at most an hour, or a day where the request asks for it.
_OPENAI = CacheRules(
    opt_in=False,
    minimum=1024,
    step=128,
    noise=256,
    may_expire_s=SECONDS["5m"],
    expires_s=SECONDS["1h"],
    params={
        "prompt_cache_key": EVERYTHING,
        "service_tier": EVERYTHING,
        "reasoning_effort": EVERYTHING,
        "reasoning": EVERYTHING,
        "verbosity": EVERYTHING,
        "text": EVERYTHING,
        "response_format": EVERYTHING,
        "tool_choice": EVERYTHING,
        "parallel_tool_calls": EVERYTHING,
    },
)
# The same from GPT-5.6 on: exact breakpoints, one of them implicit at the newest message, kept for 30 minutes and more;
# earlier breakpoints are found however far back they are.
_OPENAI_EXACT = replace(_OPENAI, step=1, noise=64, may_expire_s=SECONDS["30m"], expires_s=SECONDS["24h"])
# DeepSeek, "Context caching": automatic, in units of 64 tokens, kept for hours.
_DEEPSEEK = replace(_OPENAI, minimum=64, step=64, noise=192, may_expire_s=SECONDS["1h"], expires_s=SECONDS["24h"])

# xAI, "Prompt Caching" (2026): automatic; entries are kept per server, chosen by header or key, and may go at any time.
_XAI = CacheRules(
    opt_in=False,
    minimum=1,
    noise=256,
    may_expire_s=SECONDS["5m"],
    expires_s=SECONDS["24h"],
    params={"prompt_cache_key": EVERYTHING},
    headers=("x-grok-conv-id",),
    promises=False,
)
# Alibaba Cloud Model Studio, "Context Cache" (2026): implicit, from 1,024 tokens on (256 before), hits not guaranteed.
_QWEN = replace(_XAI, minimum=1024, params={}, headers=())
# Moonshot bills hits of its automatic context caching; its rules are not published. Measured in steps of 256 tokens
# (github.com/Leechael/pi-provider-kimi-code, docs/caching.md).
_KIMI = replace(_XAI, params={}, headers=())
# Google, "Context caching" (2026): implicit from Gemini 2.5 on, without a guarantee, kept for an unnamed time, but
# a day at most (Vertex AI, "Zero data retention"). Where the pages name several minimums, the largest stands here.
_GEMINI = CacheRules(
    opt_in=False,
    minimum=4096,
    noise=1024,
    may_expire_s=SECONDS["5m"],
    expires_s=SECONDS["24h"],
    promises=False,
    leaves_out_zero=True,  # as JSON of protocol buffers does
    explicit="cachedContent",
)
_GEMINI_MODELS = (
    (r"gemini-2[.]5-flash", replace(_GEMINI, minimum=2048)),
    (r"gemini-(2[.]5|[3-9])|gemini-(pro|flash|flash-lite)-latest", _GEMINI),
)
# Amazon Bedrock, "Prompt caching" (2026): Nova reads what ended at the very same checkpoint; only Claude looks back.
_NOVA = CacheRules(opt_in=True, minimum=1024, lookback=1, noise=64, may_expire_s=SECONDS["5m"], expires_s=SECONDS["5m"])

RETENTION = "prompt_cache_retention"
"""The request field by which OpenAI keeps unused prefixes for longer."""

_CLAUDE_APIS = ("anthropic.messages", "bedrock.converse", "bedrock.invoke")
_NOVA_APIS = ("bedrock.converse",)
_OPENAI_APIS = ("openai.chat", "openai.responses")
_OPENAI_MODELS = (
    (r"gpt-oss", None),
    (r"deepseek", _DEEPSEEK),
    (r"grok", _XAI),
    (r"qwen|qwq", _QWEN),
    (r"kimi|moonshot", _KIMI),
    (r"gpt-5\.([6-9]|\d\d)|gpt-[6-9]", _OPENAI_EXACT),
    (r"gpt-4o|gpt-4\.[15]|gpt-5|(^|[/.:])o[1-9](-|$)|codex|computer-use", _OPENAI),
)
"""Automatic caching began with gpt-4o; the first pattern that is found decides."""


@lru_cache(maxsize=1024)
def rules_for(api: str, model: str | None) -> CacheRules | None:
    """The rules for a model behind a dialect; `None` where they are not known."""
    name = (model or "").lower()
    if api in _CLAUDE_APIS and "claude" in name:
        minimum = next((least for pattern, least in _CLAUDE_MINIMUMS if re.search(pattern, name)), _ANTHROPIC.minimum)
        return replace(_ANTHROPIC, minimum=minimum)
    if api in _NOVA_APIS and re.search(r"(^|[/.:])nova-(micro|lite|pro|premier|2)", name):
        return _NOVA
    models = _OPENAI_MODELS if api in _OPENAI_APIS else _GEMINI_MODELS if api == "gemini.generate_content" else ()
    return next((rules for pattern, rules in models if re.search(pattern, name)), None)
