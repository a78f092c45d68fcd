"""Usage that stands in response headers: Bedrock's `InvokeModel` counts there, whatever the model's own body says."""

from dataclasses import replace

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.usage import Usage

_PREFIX = "x-amzn-bedrock-"


def with_headers(usage: Usage | None, exchange: Exchange) -> Usage | None:
    """The usage of a body, what it does not report by the headers (Titan's counts only the input)."""
    counted = _usage_in(exchange)
    if usage is None or counted is None or None not in (usage.input_tokens, usage.output_tokens):
        return usage or counted
    # With the headers' input goes their cache, since input includes it.
    base = usage if counted.input_tokens is None else counted
    output = counted.output_tokens if usage.output_tokens is None else usage.output_tokens
    return replace(base, output_tokens=output, raw={**counted.raw, **(usage.raw or {})})


def _usage_in(exchange: Exchange) -> Usage | None:
    """Reads and writes of the cache stand beside the input (Amazon Bedrock, "Prompt caching")."""
    input_, output = _count(exchange, "input-token-count"), _count(exchange, "output-token-count")
    if input_ is None and output is None:
        return None
    read, written = _count(exchange, "cache-read-input-token-count"), _count(exchange, "cache-write-input-token-count")
    return Usage(
        input_tokens=None if input_ is None else input_ + (read or 0) + (written or 0),
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        output_tokens=output,
        raw={name: value for name, value in exchange.response_headers if name.lower().startswith(_PREFIX)},
    )


def _count(exchange: Exchange, name: str) -> int | None:
    value = exchange.response_header(_PREFIX + name)
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None
