"""A JSON value of the wire -> the same shape without its texts: what readers need to read it as the same parts.

Kept are the words of the protocols (types, roles, ids, names of tools, enumerations) and the numbers around content. A
text gives way to its stand-in; arguments, schemas and structured results to a digest of the whole, without their keys
and numbers. `Impersonal` keeps all but what a text says of persons.
"""

import json
import re
from base64 import b64decode, b64encode

from llmprof_addon.model.kinds import AGENTS_TAGS, is_reminder
from llmprof_addon.model.media import media_of, media_of_url
from llmprof_addon.model.part import Json, Media
from llmprof_addon.model.personal import redact_personal
from llmprof_addon.model.standin import Key, stand_in
from llmprof_addon.model.tree import canonical

PLACEHOLDERS = ("[empty string]", "(no content)")
"""What clients send back for an answer of nothing, which providers refuse (chatlas and ellmer, Claude Code)."""

PROMPT_ARGUMENTS = ("prompt", "task", "message", "instructions", "request", "input")
"""Arguments in which tools that start an agent take its prompt: Claude Code's Agent, Codex' spawn_agent, agents as
tools of the OpenAI and Google SDKs, smolagents."""

WRAPPED = re.compile(r"\s*<([A-Za-z][\w.-]*)(?:\s[^<>]*)?>(.*?)</\1>", re.DOTALL)
INJECTED = re.compile(r"# AGENTS\.md instructions", re.IGNORECASE)

NOT_KEPT = "not kept"
"""The key under which the digest of an object stands."""

_WORDS = frozenset(
    (
        *("type", "role", "name", "id", "object", "format", "model", "status", "index", "version", "author"),
        *("mimeType", "server_label", "server_name", "mcp_server_name", "namespace", "tool_name", "tool_choice"),
        *("level", "mode", "effort", "reasoning_effort", "ttl", "detail", "service_tier", "verbosity", "voice"),
        *("finish_reason", "finishReason", "stop_reason", "stopReason", "truncation", "modalities", "include"),
        *("phase", "encoding_format", "thinkingLevel", "inference_geo", "speed", "caller", "recipient", "error_code"),
        *("system_fingerprint", "media_type", "mime_type", "prompt_cache_retention", "responseModalities", "quality"),
    )
)
"""Keys whose values are words of the protocol, or names of tools and models."""
_WORD = re.compile(r"[\w.:/@+=~-]{1,256}", re.ASCII)
_WORD_KEY = re.compile(r"(_id|Id|_type|Type)$")
_KEY = re.compile(r"[\w.$-]{1,64}", re.ASCII)

_WHOLE = frozenset(
    (
        *("arguments", "args", "parameters", "input", "input_schema", "inputSchema", "schema", "properties"),
        *("parametersJsonSchema", "parameters_json_schema", "responseSchema", "responseJsonSchema", "definitions"),
        *("$defs", "response", "json", "logprobs", "structured_content", "structuredContent", "metadata", "caller"),
    )
)
"""Keys whose objects give way as wholes: what is in them is the user's own."""
_STATED = frozenset(("action", "actions", "operation", "queries", "results", "outputs", "sources", "output", "result"))
"""Keys below which numbers are arguments or results."""
_DATA = frozenset(("data", "file_data", "url", "image_url", "result", "bytes", "b64_json", "image"))
"""Keys under which media stand in base64."""
_MOST_NUMBERS = 8
"""A longer list of numbers is a text as token ids, or what a text was turned into."""
_SEALED_LENGTH = 64
_URL_SAFE = str.maketrans("-_", "+/")


class Unsaid:
    """Takes the texts out of values; `said` is the sentence that stands for them."""

    def __init__(self, key: Key, said: str) -> None:
        self._key = key
        self._said = said

    def value(self, held: Json, key: str = "", *, stated: bool = False) -> Json:
        """A block, a message or a field without its texts; `key` is that under which it stands."""
        if isinstance(held, str):
            return self._string(held, key)
        if isinstance(held, dict):
            if key in _WHOLE:
                return self._whole(held)
            stated = stated or key in _STATED
            kept = {self._name(name): self.value(inner, name, stated=stated) for name, inner in held.items()}
            if (plain := _plain(held)) is not None:
                kept["data"] = b64encode(self.text(plain).encode("utf-8", "surrogatepass")).decode()
            return kept
        if isinstance(held, list):
            if len(held) >= _MOST_NUMBERS and all(isinstance(each, int | float) for each in held):
                return self._numbers(held)
            if key == "logprobs":
                return []
            stated = stated or key in _STATED
            return [self.value(inner, key, stated=stated) for inner in held]
        return 0 if stated and isinstance(held, int | float) and not isinstance(held, bool) else held

    def fields(self, kept: Json) -> Json:
        """What `documents.set_out` made of an object: pairs of a key and its value, or of a key and a digest."""
        if not isinstance(kept, list):
            return self.value(kept)
        return [pair if len(pair) == 3 else [self._name(pair[0]), self.value(pair[1], pair[0])] for pair in kept]

    def text(self, text: str) -> str:
        """A text's stand-in, in the tags by which an agent's words are known among those of a user."""
        bare = text.strip()
        if not bare or bare in PLACEHOLDERS or stand_in(text) is not None:
            return text
        if is_reminder(text):
            tag = next(tag for tag in AGENTS_TAGS if bare.startswith(f"<{tag}>") and bare.endswith(f"</{tag}>"))
            return f"<{tag}>{self._stand_in(text)}</{tag}>"
        out = ""
        while bare.startswith("<") and (match := WRAPPED.match(text)):
            tag = "system-reminder" if "reminder" in match[1] else "context"
            tag = match[1] if match[1] in AGENTS_TAGS else tag
            out += f"<{tag}>{self._stand_in(match[2])}</{tag}>"
            text = text[match.end() :]
            bare = text.strip()
        if not bare:
            return out
        injected = "# AGENTS.md instructions " if INJECTED.match(bare) else ""
        return out + injected + self._stand_in(text)

    def _stand_in(self, text: str, media: Media | None = None) -> str:
        sealed = len(text) >= _SEALED_LENGTH and " " not in text and "://" not in text
        return self._key.stand_in(text, self._said, media=media, sealed=sealed)

    def _string(self, text: str, key: str) -> str:
        if (key in _WORDS or _WORD_KEY.search(key)) and _WORD.fullmatch(text):
            return text
        if key in ("arguments", "input") and text.lstrip()[:1] == "{":
            try:
                value = json.loads(text)
                if isinstance(value, dict):
                    return json.dumps(self._whole(value), ensure_ascii=False) if value else text
            except (ValueError, RecursionError):  # no JSON, or nested deeper than it can be written
                pass
        if text.startswith("data:") and key:
            return self._stand_in(text, media_of_url(text))
        if key in _DATA and len(text) >= _SEALED_LENGTH and " " not in text and "://" not in text:
            return self._stand_in(text, media_of(None, text))
        return self.text(text)

    def _whole(self, held: dict[str, Json]) -> Json:
        """An object by its digest, whatever the order of its keys; of the prompts of agents their stand-ins."""
        if not held:
            return held
        prompts = {name: self.text(value) for name in PROMPT_ARGUMENTS if isinstance(value := held.get(name), str)}
        ordered = json.dumps(held, sort_keys=True, separators=(",", ":"))
        chars = len(canonical(held).decode("utf-8", "replace")) - sum(len(held[name]) for name in prompts)
        return prompts | {NOT_KEPT: f"{chars:,} characters; {self._key.digest(ordered.encode())}"}

    def _numbers(self, held: list[Json]) -> list[Json]:
        """As many numbers, of which the first ones are of the digest."""
        letters = self._key.digest(canonical(held))
        return [ord(letter) for letter, _ in zip(letters, held, strict=False)] + [0] * max(0, len(held) - len(letters))

    def _name(self, name: str) -> str:
        return name if _KEY.fullmatch(name) else f"{NOT_KEPT} {self._key.digest(name.encode('utf-8', 'replace'), 12)}"


class Impersonal:
    """Overwrites personal data in the texts of values."""

    def value(self, held: Json, key: str = "", *, stated: bool = False) -> Json:
        """A block, a message or a field; ids, signatures and data are left as they are."""
        if isinstance(held, str):
            blob = len(held) >= _SEALED_LENGTH and " " not in held and "://" not in held
            return held if blob or key in _WORDS or _WORD_KEY.search(key) else self.text(held)
        if isinstance(held, dict):
            return {self.text(name): self.value(inner, name) for name, inner in held.items()}
        return [self.value(inner, key) for inner in held] if isinstance(held, list) else held

    def text(self, text: str) -> str:
        """A text without what it says of persons."""
        return redact_personal(text)


def _plain(held: dict[str, Json]) -> str | None:
    """The text that inline data of a text's media type are (Gemini's), which is read and billed as text."""
    kind, data = held.get("mimeType", held.get("mime_type")), held.get("data")
    if not isinstance(kind, str) or not kind.startswith("text/") or not isinstance(data, str):
        return None
    try:
        return b64decode("".join(data.split()).translate(_URL_SAFE), validate=True).decode("utf-8", "replace")
    except ValueError:
        return None
