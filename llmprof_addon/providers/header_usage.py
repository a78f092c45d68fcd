"""Usage that stands in response headers: Bedrock's `InvokeModel` counts there, whatever the model's own body says."""

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.usage import Usage

_PREFIX = "x-amzn-bedrock-"


def usage_in_headers(exchange: Exchange) -> Usage | None:
    """Usage by the response's headers, for an answer whose body reports none; `None` if they report none either.

    Reads and writes of the cache stand beside the input (Amazon Bedrock, "Prompt caching").
    """
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
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 18 else None
