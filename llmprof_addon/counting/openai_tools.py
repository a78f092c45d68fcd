"""Function tools and output schemas as text, the way OpenAI's models see them: TypeScript types with comments.

The open harmony format (openai/harmony, `src/encoding.rs`) renders the tools of gpt-oss. What hosted models get differs
in titles, arrays, unions, one-line objects and constraints, as captured signatures of connectors show; recorded calls
agree to the token. Any JSON value can be rendered; nothing here raises for a schema's shape.
"""

import json
from collections.abc import Iterable, Sequence

from llmprof_addon.model.part import Json

NAMESPACE = "functions"

_CONSTRAINTS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength")
_SIZES = ("minItems", "maxItems")
_UNSEEN = frozenset({"additionalProperties", "required", "$schema"})
"""Keywords of an output schema that the model is not shown: the decoder enforces them."""
_NAMING = ("properties", "$defs", "definitions")
_MAX_DEPTH = 32
_MAX_SHOWN_DEPTH = 200
_MAX_TYPES = 20_000


def is_function(value: Json) -> bool:
    """Whether a tool's schema stands in the request; others the provider defines."""
    return isinstance(value, dict) and (value.get("type") in (None, "function", "custom") or "parameters" in value)


def declaration(tool: Json) -> str:
    """One function or custom tool: its description as comments, then its type."""
    schema = tool if isinstance(tool, dict) else {}
    held = schema.get("function") or schema.get("custom")
    schema = held if isinstance(held, dict) else schema
    name = _text(schema.get("name"))
    parameters = schema.get("parameters")
    signature = "()"
    if isinstance(parameters, dict) and isinstance(parameters.get("properties"), dict) and parameters["properties"]:
        signature = f"(_: {_annotated(parameters, _Scope(parameters))})"
    elif "parameters" not in schema and (tool.get("type") if isinstance(tool, dict) else None) == "custom":
        signature = "(FREEFORM)"
    return "".join(f"{line}\n" for line in _comment(schema.get("description"))) + f"type {name} = {signature} => any;"


def namespace(tools: Iterable[Json], name: str = NAMESPACE) -> str:
    """All tools of a namespace, as they stand in the prompt."""
    return wrap(map(declaration, tools), name)


def wrap(declarations: Iterable[str], name: str = NAMESPACE) -> str:
    """Declarations in the braces of their namespace."""
    return f"namespace {name} {{\n\n" + "".join(f"{each}\n\n" for each in declarations) + f"}} // namespace {name}"


def output_schema(schema: Json) -> str:
    """An output schema as the model is shown it: compact JSON in the order sent, without what the decoder enforces."""
    return json.dumps(_seen(schema), ensure_ascii=False, separators=(",", ":"))


def output_format(name: str, description: str | None, schema: Json) -> str:
    """The section of the prompt that an output schema of the Chat Completions API becomes."""
    comment = f"// {description}\n" if description else ""
    return f"# Response Formats\n\n## {name}\n\n{comment}{output_schema(schema)}"


def _seen(schema: Json, *, names: bool = False, depth: int = 0) -> Json:
    """`names`: the keys are names that the user chose, not keywords."""
    if depth > _MAX_SHOWN_DEPTH:
        return schema
    if isinstance(schema, dict):
        return {
            key: _seen(value, names=not names and key in _NAMING, depth=depth + 1)
            for key, value in schema.items()
            if names or key not in _UNSEEN
        }
    return [_seen(value, depth=depth + 1) for value in schema] if isinstance(schema, list) else schema


class _Scope:
    """Where references lead, and which have been followed on the way here: none is followed into itself.

    Definitions that refer to each other can stand for a text of any length; `left` is how many types may still be
    rendered.
    """

    __slots__ = ("depth", "followed", "left", "root")

    def __init__(self, root: dict[str, Json]) -> None:
        self.root = root
        self.depth = 0
        self.followed: frozenset[str] = frozenset()
        self.left = [_MAX_TYPES]

    def inner(self, reference: str | None = None) -> "_Scope":
        scope = _Scope(self.root)
        scope.depth, scope.left = self.depth + 1, self.left
        scope.followed = self.followed | {reference} if reference is not None else self.followed
        return scope

    def spent(self) -> bool:
        """Whether this is as deep or as much as is rendered; counts one type."""
        self.left[0] -= 1
        return self.depth > _MAX_DEPTH or self.left[0] < 0

    def resolve(self, schema: Json) -> tuple[Json, "_Scope"]:
        """What a `$ref` into the schema itself stands for; anything else stands for itself."""
        path = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(path, str) or path in self.followed:
            return schema, self
        found: Json = self.root
        for step in path.removeprefix("#").split("/")[1:]:
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            return schema, self
        return self.inner(path).resolve(found)


def _annotated(schema: Json, scope: _Scope) -> str:
    """The type below its own title and description, as in lists, unions and where a reference led to it."""
    return "\n".join((*_notes(schema), _type(schema, scope)))


def _type(schema: Json, scope: _Scope) -> str:
    if schema is False:
        return "never"
    if not isinstance(schema, dict) or scope.spent() or "$ref" in schema:
        return "any"
    if "const" in schema:
        return _literal(schema["const"])
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return " | ".join(map(_literal, schema["enum"]))
    for keyword, operator in (("oneOf", "|"), ("anyOf", "|"), ("allOf", "&")):
        if isinstance(schema.get(keyword), list) and schema[keyword]:
            return _union(schema[keyword], operator, scope)
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_type({**schema, "type": each}, scope.inner()) for each in kind) or "any"
    if kind == "array":
        return _array(schema, scope)
    if kind == "object" or (kind is None and "properties" in schema):
        return _object(schema, scope)
    if kind in ("string", "number", "integer", "boolean", "null"):
        nullable = schema.get("nullable") is True and kind != "null"
        return f"{kind} | null" if nullable else str(kind)
    return "any"


def _union(variants: Sequence[Json], operator: str, scope: _Scope) -> str:
    """On one line if no variant has anything to say about itself, else a line for each."""
    if len(variants) == 1 and operator == "&":
        schema, scope = scope.resolve(variants[0])
        return _type(schema, scope.inner())
    lines: list[str] = []
    types: list[str] = []
    for variant in variants:
        schema, within = scope.resolve(variant)
        text, limits = _type(schema, within.inner()), _limits(variant, schema)
        types.append(text)
        lines += _notes(schema)
        lines.append(f" {operator} {text}" + (f" // {limits}" if limits else ""))
    if len(lines) == len(types) and not any("\n" in line or " // " in line for line in lines):
        return f" {operator} ".join(types)
    return "\n".join(lines)


def _array(schema: dict[str, Json], scope: _Scope) -> str:
    if "items" not in schema:
        return "any[]"
    items, within = scope.resolve(schema["items"])
    text, limits = _annotated(items, within.inner()), _limits(schema["items"], items)
    if limits:
        text += f" // {limits}"
    return f"Array<\n{text}\n>" if "\n" in text or limits else f"{text}[]"


def _object(schema: dict[str, Json], scope: _Scope) -> str:
    properties = schema.get("properties")
    names = schema.get("required")
    required = {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
    fields = properties.items() if isinstance(properties, dict) else ()
    entries = [_property(name, name in required, value, scope) for name, value in fields]
    more = schema.get("additionalProperties")
    if more is True:
        entries.append(([], "[key: string]: any", ""))
    elif isinstance(more, dict):
        entries.append(([], f"[key: string]: {_type(*_inside(more, scope))}", ""))
    if not entries:
        return "object"
    if not any(notes or "\n" in text or limits for notes, text, limits in entries):
        return "{ " + ", ".join(text for _, text, _ in entries) + " }"
    lines = ["{"]
    for notes, text, limits in entries:
        lines += notes
        lines.append(f"{text}," + (f" // {limits}" if limits else ""))
    return "\n".join((*lines, "}"))


def _inside(schema: Json, scope: _Scope) -> tuple[Json, _Scope]:
    found, within = scope.resolve(schema)
    return found, within.inner()


def _property(name: str, required: bool, schema: Json, scope: _Scope) -> tuple[list[str], str, str]:
    """Comment lines above a property, the property without its comma, and what is said behind it."""
    head = name if required else f"{name}?"
    notes = _notes(schema)
    found, within = scope.resolve(schema)
    limits = _limits(schema, found)
    text = _type(found, within.inner())
    led = found is not schema
    if led and (own := _notes(found)):
        return notes, "\n".join((f"{head}:", *own, text)), limits
    if _composed(found) and "\n" in text:
        return [*notes, *([f"// {limits}"] if limits else [])], f"{head}:\n{text}\n", ""
    if isinstance(found, dict) and found.get("type") == "array" and "\n" in text and limits:
        return [*notes, f"// {limits}"], f"{head}: {text}", ""
    return notes, f"{head}: {text}", limits


def _composed(schema: Json) -> bool:
    return isinstance(schema, dict) and any(isinstance(schema.get(key), list) for key in ("oneOf", "anyOf", "allOf"))


def _notes(schema: Json) -> list[str]:
    """Comment lines of a title, a description and examples."""
    if not isinstance(schema, dict):
        return []
    title, description = _comment(schema.get("title")), _comment(schema.get("description"))
    given = schema.get("examples")
    examples = [_literal(each) for each in given if isinstance(each, str)] if isinstance(given, list) else []
    if examples:
        description += ["// Examples:", *(f"// - {each}" for each in examples)]
    return [*title, *(["//"] if title and description else []), *description]


def _comment(text: Json) -> list[str]:
    if not isinstance(text, str) or not text.strip():
        return []
    return [f"// {line.lstrip()}" if line.strip() else "//" for line in text.strip().split("\n")]


def _limits(schema: Json, found: Json) -> str:
    """Default and constraints; `found` is what the schema's reference leads to, or the schema itself."""
    if not isinstance(schema, dict) or not isinstance(found, dict):
        return ""
    if "$ref" in found:
        return f"$ref: {_literal(found['$ref'])}"
    said: list[str] = []
    for owner in (schema, found):
        if "default" in owner and not said:
            said.append(f"default: {_literal(owner['default'])}")
    keywords = _SIZES if found.get("type") == "array" else _CONSTRAINTS
    floats = found.get("type") == "number"
    said += [f"{key}: {_number(found[key], floats)}" for key in keywords if key in found]
    if isinstance(found.get("pattern"), str):
        said.append(f"pattern: /{found['pattern']}/")
    if isinstance(found.get("format"), str):
        said.append(f"format: {_literal(found['format'])}")
    return ", ".join(said)


def _number(value: Json, floats: bool) -> str:
    if floats and isinstance(value, int) and not isinstance(value, bool):
        return f"{value}.0"
    return _literal(value)


def _literal(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
