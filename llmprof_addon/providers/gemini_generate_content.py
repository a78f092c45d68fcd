"""Dialect `gemini.generate_content`: Gemini API, Vertex AI, and Code Assist, which nests the body in `request`."""

from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Form, Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import compact, name_of, text_of, warnings_in
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.gemini_parts import carve_content, carve_tool, either, read_part
from llmprof_addon.providers.gemini_stream import STREAM_WARNINGS, fold, fold_chunks
from llmprof_addon.providers.gemini_usage import tier_of, usage_of
from llmprof_addon.providers.sequence import Seen, carve_items

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "gemini.generate_content"
operation = "generate_content"
section_order = ("system", "tools", "messages")

NESTED = "request"
"""Where Code Assist keeps the body that the other two have at top level; its answers stand in `response`."""

_SCHEMAS = ("responseSchema", "responseJsonSchema", "response_schema", "response_json_schema")
_REASONS = {
    0: "FINISH_REASON_UNSPECIFIED",
    1: "STOP",
    2: "MAX_TOKENS",
    3: "SAFETY",
    4: "RECITATION",
    5: "OTHER",
    6: "BLOCKLIST",
    7: "PROHIBITED_CONTENT",
    8: "SPII",
    9: "MALFORMED_FUNCTION_CALL",
}
"""Names of the finish reasons that Vertex numbers (`google.cloud.aiplatform.v1.Candidate.FinishReason`)."""


def read_request(body: Json) -> Prompt:
    """Carve a request body. The output schema is the last of the tools; cached content is a prompt that goes before."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    nested = isinstance(body.get(NESTED), dict) and "contents" not in body
    prefix = f"{NESTED}." if nested else ""
    held = dict(body[NESTED] if nested else body)
    tools = _items(held, "tools", prefix, carve_tool)
    tools += _schemas(held, prefix)
    system = _system(held, prefix)
    messages = _items(held, "contents", prefix, carve_content)
    return Prompt(
        tools=tuple(tools),
        system=tuple(system),
        messages=tuple(messages),
        params={**body, NESTED: held} if nested else held,
        continues=name_of(either(held, "cachedContent", "cached_content")),
    )


def _items(held: dict[str, Json], key: str, prefix: str, carve: Json) -> list[Part]:
    """The parts of the list under a key, which is taken out; what is no list stays where it is."""
    if not isinstance(held.get(key), list) or not held[key]:
        return _bare(held, key, prefix) if key == "contents" else []
    carved = carve_items(held.pop(key), prefix + key, carve, Seen())
    return [part for _, parts in carved for part in parts]


def _bare(held: dict[str, Json], key: str, prefix: str) -> list[Part]:
    value = held.get(key)
    if not isinstance(value, (str, dict)) or not value:
        return []
    del held[key]
    form: Form = "bare" if isinstance(value, str) else "whole"
    kind = PartKind.TEXT if form == "bare" else PartKind.GENERIC
    canonical = {"text": value} if form == "bare" else value
    part = Part(kind=kind, role="user", text=text_of(value), value=canonical, place=prefix + key, form=form)
    return list(locate([part]))


def _schemas(held: dict[str, Json], prefix: str) -> list[Part]:
    parts: list[Part] = []
    for key in ("generationConfig", "generation_config"):
        config = held.get(key)
        if not isinstance(config, dict):
            continue
        for name in _SCHEMAS:
            if (schema := config.get(name)) is not None:
                place = f"{prefix}{key}.{name}"
                kind = PartKind.OUTPUT_SCHEMA
                parts.append(Part(kind=kind, text=compact(schema), value=schema, place=place, form="whole"))
        left = {name: value for name, value in config.items() if name not in _SCHEMAS or value is None}
        held[key] = left
    return list(locate(parts))


def _system(held: dict[str, Json], prefix: str) -> list[Part]:
    parts: list[Part] = []
    for key in ("systemInstruction", "system_instruction"):
        value, place = held.get(key), prefix + key
        if isinstance(value, str) and value:
            del held[key]
            parts.append(
                Part(kind=PartKind.TEXT, role="system", text=value, value={"text": value}, place=place, form="string")
            )
        elif isinstance(value, dict) and isinstance(value.get("parts"), (list, dict)) and value["parts"]:
            inner = value["parts"]
            held[key] = {name: each for name, each in value.items() if name != "parts"}
            if not held[key]:
                del held[key]
            if isinstance(inner, list):
                parts += [read_part(each, f"{place}.parts", "system") for each in inner]
            else:
                parts.append(read_part(inner, f"{place}.parts", "system", form="whole"))
    return list(locate(parts))


def read_response(body: Json) -> Answer:
    """Read a whole body, a folded stream, or the list of chunks that a client got at once."""
    if isinstance(body, list):
        body = fold_chunks(body)
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    nested = isinstance(body.get("response"), dict) and "candidates" not in body
    held: dict[str, Json] = body["response"] if nested else body
    rest = dict(held)
    parts: list[Part] = []
    finishes: list[str] = []
    candidates = held.get("candidates")
    if isinstance(candidates, list):
        rest["candidates"] = []
        for index, candidate in enumerate(candidates):
            if not isinstance(candidate, dict):
                rest["candidates"].append(candidate)
                continue
            answered, left = _answer(candidate, f"candidates[{index}]", f"{NESTED}." if nested else "")
            parts += answered
            rest["candidates"].append(left)
            reason = candidate.get("finishReason")
            if finish := _REASONS.get(reason) if isinstance(reason, int) else name_of(reason):
                finishes.append(finish)
    return Answer(
        parts=tuple(parts),
        usage=usage_of(held),
        response_id=name_of(held.get("responseId")),
        response_model=name_of(held.get("modelVersion")),
        finish_reasons=tuple(finishes),
        service_tier=tier_of(held),
        error=error_of(body) or error_of(held) or _blocked(held),
        rest={**body, "response": rest} if nested else rest,
        warnings=warnings_in(body.get(STREAM_WARNINGS)),
    )


def _answer(candidate: dict[str, Json], where: str, prefix: str) -> tuple[list[Part], Json]:
    """The parts of a candidate, with paths in the response, and what is left of it.

    Streams end with an empty text, which no client sends back.
    """
    content = candidate.get("content")
    if not isinstance(content, dict) or not isinstance(held := content.get("parts"), list):
        return [], candidate
    shown = [(index, part) for index, part in enumerate(held) if part != {"text": ""}]
    place = f"{prefix}contents"
    carved = carve_content({"role": "model", "parts": [part for _, part in shown]}, place, Seen()) if shown else []
    parts = [
        replace(part, path=f"{where}.content.parts[{index}]") for part, (index, _) in zip(carved, shown, strict=True)
    ]
    left = {key: value for key, value in content.items() if key != "parts"}
    return parts, {**candidate, "content": left}


def _blocked(body: dict[str, Json]) -> str | None:
    """Why a prompt was refused: there is no candidate then."""
    feedback = body.get("promptFeedback")
    if not isinstance(feedback, dict) or not feedback.get("blockReason"):
        return None
    message = name_of(feedback.get("blockReasonMessage"))
    reason = f"prompt blocked: {text_of(feedback['blockReason'])}"
    return f"{reason}: {message}" if message else reason
