"""What is known of a provider: the type of the rows in `vendors` and `table`.

Standard library only, because the proxy loads it too.
"""

from dataclasses import dataclass

CHAT, RESPONSES, MESSAGES = "openai.chat", "openai.responses", "anthropic.messages"
COMPLETIONS, EMBEDDINGS, GEMINI = "openai.completions", "openai.embeddings", "gemini.generate_content"
CONVERSE, INVOKE, COHERE = "bedrock.converse", "bedrock.invoke", "cohere.chat"
OLLAMA_CHAT, OLLAMA_GENERATE, MISTRAL = "ollama.chat", "ollama.generate", "mistral.chat"
COHERE_GENERATE, COHERE_EMBED, GEMINI_EMBED = "cohere.generate", "cohere.embed", "gemini.embed"
COMPLETE, IMAGES, ASSISTANTS = "anthropic.complete", "openai.images", "openai.assistants"
OPENAI = (CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS)
"""What an OpenAI-compatible host serves."""

AS_LISTED = "as listed"
"""In place of a provider's prices: a gateway, which bills what the dialect's own vendor lists."""

CACHE_BESIDE, REASONING_BESIDE = "cache beside input", "reasoning beside output"
BILLED_UNITS = "billed_units are priced, not tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider, or one kind of server."""

    name: str
    hosts: tuple[str, ...]
    """Exact names, `*.suffix`, `*-suffix`, or `name:port` for servers that only their port tells apart."""
    base_url: str | None = None
    """What stands in for `/<path prefix>` of a reverse-mode path; `None` where each customer has their own host."""
    path_prefixes: tuple[str, ...] = ()
    """First segments of reverse-mode paths that lead here, beside the name itself: `/groq/v1/chat/completions`."""
    apis: tuple[str, ...] = OPENAI
    paths: tuple[tuple[str, str], ...] = ()
    """(path pattern, api) where this provider's paths differ from the usual shapes."""
    reverse_paths: tuple[str, ...] = ()
    """Patterns of reverse-mode paths that are nobody else's, and lead here without a prefix."""
    regional_host: str | None = None
    """The host for a path that names a location."""
    auth_headers: tuple[str, ...] = ("authorization",)
    """Headers that may hold the key; the first is its usual one."""
    key_headers: tuple[tuple[str, str], ...] = ()
    """(api, header) where a dialect takes the key in another one."""
    env_key: str | None = None
    """Environment variable in which clients keep the key."""
    price_provider: str | None = None
    """Provider id of genai-prices, or `AS_LISTED`; `None` where it knows no price."""
    quirks: tuple[str, ...] = ()
    """How its usage differs from cache in input, and reasoning in output. What differs call by call is told by the
    arithmetic of the usage itself."""
