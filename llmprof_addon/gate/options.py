"""The limits by name, for command lines: how each is written, and what it limits. Imports nothing."""

LIMITS = {
    "max_usd": ("USD", "dollars of all calls"),
    "max_context": ("N|N%", "tokens of the largest prompt, or its share of the model's window"),
    "max_growth": ("N|N%", "tokens by which a lane's largest prompt is above its first, or the share of the first"),
    "max_schema_tokens": ("N", "tokens of tool schemas in a prompt"),
    "min_cache_hit": ("N%", "least share of the input that is read from a cache"),
    "max_breaks": ("N", "calls that lost their cached prefix"),
}
