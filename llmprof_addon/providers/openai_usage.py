"""Usage of OpenAI-compatible hosts, normalised: cache included in input, reasoning included in output.

Hosts differ in whether `prompt_tokens` holds what was read from the cache and `completion_tokens` holds reasoning; the
arithmetic of `total_tokens` tells, call by call. Measured on recordings of 30 hosts.
"""

from collections.abc import Iterable

from llmprof_addon.model.part import Json
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.carving import tokens_of

INPUT = ("prompt_tokens", "input_tokens")
OUTPUT = ("completion_tokens", "output_tokens")
INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "prompt_token_details", "input_token_details")
OUTPUT_DETAILS = (
    "completion_tokens_details",
    "output_tokens_details",
    "completion_token_details",
    "output_token_details",
)
READ = ("cached_tokens", "cache_read_input_tokens", "cache_read_tokens", "prompt_cache_hit_tokens")
"""The last is DeepSeek's, the first at top level Kimi's."""
WRITTEN = ("cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens")
VERCEL = "market_cost"
"""A field that only Vercel's gateway sends, which leaves reasoning out of `completion_tokens` and of `total_tokens` for
the models of all vendors: in 32 of 32 recordings with reasoning its own `cost` is that of both (fixture
reasoning_beside_total)."""
MODALITIES = ("audio", "image", "video")


def usage_of(body: Json) -> Usage | None:
    """The usage of a response body or of a folded stream, wherever its host puts it; `None` if it reports none."""
    for found in _reports(body):
        if isinstance(found, dict) and found:
            return read_usage(found)
    timings = body.get("timings") if isinstance(body, dict) else None
    return _llama_timings(timings) if isinstance(timings, dict) else None


def _reports(body: Json) -> Iterable[Json]:
    if not isinstance(body, dict):
        return
    yield body.get("usage")
    if isinstance(groq := body.get("x_groq"), dict):
        yield groq.get("usage")
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            yield choice.get("usage")


def read_usage(raw: dict[str, Json]) -> Usage:
    """Normalise one usage object, of either dialect."""
    input_details, output_details = _details(raw, INPUT_DETAILS), _details(raw, OUTPUT_DETAILS)
    input_, output = _count(raw, INPUT), _count(raw, OUTPUT)
    read = _either(_count(input_details, READ), _count(raw, READ))
    written = _either(_count(input_details, WRITTEN), _count(raw, WRITTEN))
    reasoning = _either(_count(output_details, ("reasoning_tokens",)), _count(raw, ("reasoning_tokens",)))
    if input_ is None and output is None and read is None:
        return Usage(raw=raw)
    total = _count(raw, ("total_tokens",))
    beside_input, beside_output = _left_out(total, input_ or 0, output or 0, read or 0, written or 0, reasoning or 0)
    if VERCEL in raw:
        beside_output = reasoning or 0
    lifetimes = input_details.get("cache_creation") or raw.get("cache_creation")
    split = lifetimes if isinstance(lifetimes, dict) else {}
    return Usage(
        input_tokens=None if input_ is None else input_ + beside_input,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        cache_creation_5m_input_tokens=_count(split, ("ephemeral_5m_input_tokens",)),
        cache_creation_1h_input_tokens=_count(split, ("ephemeral_1h_input_tokens",)),
        output_tokens=None if output is None else output + beside_output,
        reasoning_output_tokens=reasoning,
        by_modality=tuple(_modalities("input", input_details)) + tuple(_modalities("output", output_details)),
        server_tool_requests=tuple(_requests(raw.get("server_tool_use"))),
        raw=raw,
    )


def _left_out(total: int | None, input_: int, output: int, read: int, written: int, reasoning: int) -> tuple[int, int]:
    """Tokens that stand beside the reported input and output, not in them.

    A total that exceeds input + output by exactly the reasoning (xAI, Copilot; fixture reasoning_beside_output), the
    cache read, or read and written (charm-hyper; fixture cache_beside_input) tells that these were left out. A part
    that exceeds its whole must have been left out in any case.
    """
    excess = None if total is None else total - input_ - output
    if excess:
        for beside_input, beside_output in (
            (0, reasoning),
            (read, 0),
            (read + written, 0),
            (read, reasoning),
            (read + written, reasoning),
        ):
            if excess == beside_input + beside_output:
                return beside_input, beside_output
    return read + written if read + written > input_ else 0, reasoning if reasoning > output else 0


def _llama_timings(timings: dict[str, Json]) -> Usage:
    """llama.cpp counts evaluated prompt tokens beside those that its cache held."""
    evaluated, cached = _count(timings, ("prompt_n",)), _count(timings, ("cache_n",))
    return Usage(
        input_tokens=None if evaluated is None else evaluated + (cached or 0),
        cache_read_input_tokens=cached,
        output_tokens=_count(timings, ("predicted_n",)),
        raw={"timings": timings},
    )


def _details(raw: dict[str, Json], keys: tuple[str, ...]) -> dict[str, Json]:
    return next((raw[key] for key in keys if isinstance(raw.get(key), dict)), {})


def _count(held: dict[str, Json], keys: tuple[str, ...]) -> int | None:
    """The first number of tokens under one of the keys."""
    for key in keys:
        if (tokens := tokens_of(held.get(key))) is not None:
            return tokens
    return None


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _modalities(side: str, details: dict[str, Json]) -> Iterable[tuple[str, int]]:
    for modality in MODALITIES:
        if tokens := _count(details, (f"{modality}_tokens",)):
            yield f"{side}_{modality}", tokens


def _requests(used: Json) -> Iterable[tuple[str, int]]:
    """`{"web_search_requests": 2}` as OpenRouter and Anthropic report it."""
    if isinstance(used, dict):
        for key in used:
            if key.endswith("_requests") and (count := _count(used, (key,))):
                yield key.removesuffix("_requests"), count
