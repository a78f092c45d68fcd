"""What tools and output schemas add to an OpenAI prompt: their text as the model reads it, shared out over them.

All tools are tokenised as one text, since that is how they stand in the prompt, and each gets its share of it. In the
Chat Completions API this text goes on behind the first system message; in the Responses API it is a message.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmprof_addon.counting.encodings import count
from llmprof_addon.counting.openai_rules import Rules
from llmprof_addon.counting.openai_tools import declaration, is_function, output_format, output_schema, wrap
from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.call import Prompt
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.part import Json, Part, PartKind

MESSAGE = 4
"""Start, role, separator, end."""
TOOLS_HEADER = "# Tools\n\n## functions\n\n"
_HOSTED = (("web_search", 270), ("file_search", 800))
"""Tokens of tools that the provider defines and describes itself, by the start of their type: recorded medians."""
_JOINT_CHARS = 400
"""How much of a system prompt's end can matter to how what follows it is tokenised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preamble:
    """Tokens of the section that holds tools and output schema."""

    around: int
    """Beside those of the parts; negative where joining the system prompt saves more than the section's frame costs."""
    parts: dict[int, int]
    """By index into `Prompt.tools`."""


def preamble(
    prompt: Prompt, raws: Sequence[RawCount], rules: Rules, api: str, encoding: str, *, opening: str | None, turns: int
) -> Preamble:
    """The section of a prompt's tools and output schema.

    Args:
        raws: Counts parallel to `prompt.tools`, for tools whose text nobody but the provider knows.
        opening: Text of the first system message, if there is one.
        turns: How many plain assistant messages the prompt has.
    """
    dialect = rules.of(api)
    parts = _hosted(prompt, raws)
    declared = [index for index in range(len(prompt.tools)) if _is_declared(prompt, index)]
    schema = next((at for at, part in enumerate(prompt.tools) if part.kind is PartKind.OUTPUT_SCHEMA), None)
    format_ = _schema_of(prompt.tools[schema].value) if schema is not None else {}
    around = 0
    sections: list[str] = []
    if declared:
        texts = [declared_as(prompt.tools[index]) for index in declared]
        frame, shares = _shared(texts, encoding)
        parts.update(zip(declared, shares, strict=True))
        around += frame + dialect.tools + _forced(prompt.params, rules, encoding)
        sections.append(TOOLS_HEADER + wrap(texts))
    if schema is not None:
        name = _text(format_.get("name"))
        if dialect.joined:
            described = _text(format_.get("description"))
            sections.append(output_format(name, described, format_.get("schema")))
            parts[schema] = count_once(sections[-1], encoding)
            # With tools beside it the answer may be a call, and its header does not promise JSON.
            around += 0 if declared else dialect.schema + turns * dialect.schema_turn
        else:
            parts[schema] = count_once(output_schema(format_.get("schema")), encoding) + count_once(name, encoding)
            around += dialect.schema
    if dialect.joined and sections:
        own = sum(parts[index] for index in declared) + (parts[schema] if schema is not None else 0)
        frame = frame if declared else 0
        around += _joined("\n\n".join(sections), opening, encoding) - own - frame
    return Preamble(around=around, parts=parts)


def _joined(section: str, opening: str | None, encoding: str) -> int:
    """What a section adds behind the opening, or in a message of its own if there is none."""
    if opening is None:
        return MESSAGE + count_once(section, encoding)
    end = opening[-_JOINT_CHARS:]
    if len(end) == _JOINT_CHARS:
        end = end[max(0, end.find(" ")) :]
    return count_once(f"{end.rstrip()}\n\n{section}", encoding) - count_once(end, encoding)


def _shared(texts: Sequence[str], encoding: str) -> tuple[int, list[int]]:
    """Tokens of the namespace's frame, and of each declaration in it; they sum to those of the whole text."""
    whole, frame = count_once(wrap(texts), encoding), count_once(wrap(()), encoding)
    return min(frame, whole), apportion(max(0, whole - frame), [count_once(text, encoding) for text in texts])


def _hosted(prompt: Prompt, raws: Sequence[RawCount]) -> dict[int, int]:
    found: dict[int, int] = {}
    for index, part in enumerate(prompt.tools):
        if part.kind is PartKind.TOOL_SCHEMA and not (part.deferred or part.inner or is_function(part.value)):
            kind = part.value.get("type") if isinstance(part.value, dict) else None
            known = (tokens for start, tokens in _HOSTED if str(kind).startswith(start))
            found[index] = next(known, raws[index].text)
    return found


def _is_declared(prompt: Prompt, index: int) -> bool:
    part = prompt.tools[index]
    return part.kind is PartKind.TOOL_SCHEMA and not part.deferred and not part.inner and is_function(part.value)


def declared_as(tool: Part) -> str:
    """The declaration of a function tool."""
    return _declaration(tool.text) if tool.text else declaration(tool.value)


@lru_cache(maxsize=1024)
def _declaration(schema: str) -> str:
    """By the schema's JSON: the tools of a conversation come with every call."""
    return declaration(json.loads(schema))


def forced_name(params: Json) -> str:
    """The tool that the request says must be called, or an empty string."""
    choice = params.get("tool_choice") if isinstance(params, dict) else None
    if not isinstance(choice, dict):
        return ""
    held = choice.get("function")
    return _text((held if isinstance(held, dict) else choice).get("name"))


def _forced(params: Json, rules: Rules, encoding: str) -> int:
    name = forced_name(params)
    return rules.forced + count_once(name, encoding) if name and rules.forced is not None else 0


def _schema_of(value: Json) -> dict[str, Json]:
    held = value.get("json_schema", value) if isinstance(value, dict) else None
    return held if isinstance(held, dict) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=1024)
def count_once(text: str, encoding: str) -> int:
    """Tokens of a text that returns with every call of a conversation: of tools, of the end of a system prompt."""
    return count(text, encoding)
