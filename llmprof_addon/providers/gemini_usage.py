"""Usage of Gemini, normalised: the prompt with what tools of Google put into it, the answer with its thoughts."""

from llmprof_addon.model.part import Json
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.carving import name_of, tokens_of
from llmprof_addon.providers.gemini_parts import either

_MODALITIES = {1: "text", 2: "image", 3: "video", 4: "audio", 5: "document"}
_TRAFFIC = {1: "ON_DEMAND", 2: "PROVISIONED_THROUGHPUT"}
"""Vertex gives enumerations as numbers to clients that ask for it (`$alt=json;enum-encoding=int`)."""
_INPUT_DETAILS = ("promptTokensDetails",)
_OUTPUT_DETAILS = ("candidatesTokensDetails", "responseTokensDetails")


def usage_of(body: dict[str, Json]) -> Usage | None:
    """The usage of a response body or of a folded stream; `None` if it reports none.

    The API leaves out counts of 0, such as the candidates of an answer that was all thoughts.
    """
    raw = either(body, "usageMetadata", "usage_metadata")
    if not isinstance(raw, dict) or not raw:
        return None
    prompt, tools = _count(raw, "promptTokenCount"), _count(raw, "toolUsePromptTokenCount")
    said, thoughts = _count(raw, "candidatesTokenCount", "responseTokenCount"), _count(raw, "thoughtsTokenCount")
    total = _count(raw, "totalTokenCount")
    input_ = None if prompt is None else prompt + (tools or 0)
    output: int | None
    if said is not None or thoughts is not None:
        within = total is not None and thoughts and said and total == (input_ or 0) + said
        output = (said or 0) + (0 if within else thoughts or 0)
    else:
        output = max(0, total - input_) if total is not None and input_ is not None else None
    if input_ is None and output is None:
        return None
    return Usage(
        input_tokens=input_,
        cache_read_input_tokens=_count(raw, "cachedContentTokenCount"),
        output_tokens=output,
        reasoning_output_tokens=thoughts,
        by_modality=(
            *_by_modality("input", raw, _INPUT_DETAILS),
            *((("input_tool_use", tools),) if tools else ()),
            *_by_modality("output", raw, _OUTPUT_DETAILS),
        ),
        server_tool_requests=_searches(body),
        raw=raw,
    )


def tier_of(body: dict[str, Json]) -> str | None:
    """The tier that was billed: `serviceTier` of the Gemini API, `trafficType` of Vertex."""
    raw = either(body, "usageMetadata", "usage_metadata")
    if not isinstance(raw, dict):
        return None
    traffic = raw.get("trafficType")
    return name_of(raw.get("serviceTier")) or name_of(_TRAFFIC.get(traffic) if isinstance(traffic, int) else traffic)


def _count(raw: dict[str, Json], *keys: str) -> int | None:
    for key in keys:
        if (tokens := tokens_of(raw.get(key))) is not None:
            return tokens
    return None


def _by_modality(side: str, raw: dict[str, Json], keys: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for key in keys:
        details = raw.get(key)
        for detail in details if isinstance(details, list) else ():
            if not isinstance(detail, dict):
                continue
            modality = detail.get("modality")
            name = _MODALITIES.get(modality) if isinstance(modality, int) else name_of(modality)
            tokens = _count(detail, "tokenCount")
            if name and tokens and name.lower() in ("image", "video", "audio", "document"):
                label = f"{side}_{name.lower()}"
                found[label] = found.get(label, 0) + tokens
    return tuple(found.items())


def _searches(body: dict[str, Json]) -> tuple[tuple[str, int], ...]:
    """Billed searches: each query since Gemini 3, one per grounded prompt before (Gemini API, "Grounding")."""
    queries = 0
    candidates = body.get("candidates")
    for candidate in candidates if isinstance(candidates, list) else ():
        grounding = candidate.get("groundingMetadata") if isinstance(candidate, dict) else None
        asked = grounding.get("webSearchQueries") if isinstance(grounding, dict) else None
        queries += len(asked) if isinstance(asked, list) else 0
    model = name_of(body.get("modelVersion")) or ""
    by_prompt = any(f"gemini-{version}" in model for version in ("1", "2"))
    return (("web_search", 1 if by_prompt else queries),) if queries else ()
