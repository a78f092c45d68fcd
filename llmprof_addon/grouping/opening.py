"""What a conversation opens with: the first real text of a user, as a label for people and as a digest for the link
between a tool call that starts an agent and that agent's first call."""

import json
from collections.abc import Iterable, Iterator

from llmprof_addon.grouping.said import is_said
from llmprof_addon.model.call import Prompt
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.standin import proof
from llmprof_addon.model.tree import digest
from llmprof_addon.providers.unsaid import INJECTED, PROMPT_ARGUMENTS, WRAPPED

LABEL_CHARS = 80

_SEARCHED_CHARS = 200_000


def label(prompt: Prompt) -> str | None:
    """What a person would call the run: first line of the first text that a user wrote, at most 80 characters.

    Blocks in tags (`<environment_context>…`) are what agents put in by themselves; they count only if there is
    nothing else.
    """
    wrapped: list[str] = []
    for text in _written(prompt.messages, wrapped):
        if line := _first_line(text):
            return line
    return _first_line(wrapped[0] if wrapped else "")


def opening(prompt: Prompt) -> bytes | None:
    """Digest of the text with which a prompt opens that no model has answered yet; `None` if one has."""
    if prompt.continues is not None or any(map(is_said, prompt.messages)):
        return None
    text = next(_written(prompt.messages, []), None)
    return None if text is None else text_digest(text)


def spawned_texts(answer: Iterable[Part]) -> Iterator[tuple[str, bytes]]:
    """Call id and text digest of every argument of an answer's tool calls that may be the prompt of an agent."""
    for part in answer:
        if part.kind is not PartKind.TOOL_CALL or not part.text:
            continue
        try:
            arguments = json.loads(part.text)
        except (ValueError, RecursionError):
            continue
        for name in PROMPT_ARGUMENTS:
            value = arguments.get(name) if isinstance(arguments, dict) else None
            if isinstance(value, str) and (found := text_digest(value)) is not None:
                yield part.call_id or part.name or "", found


def text_digest(text: str) -> bytes | None:
    """Digest of a text without its white space; `None` if it is too short to prove anything."""
    said = proof(text)
    return digest(said.encode("utf-8", "surrogatepass")) if said else None


def _written(parts: Iterable[Part], wrapped: list[str]) -> Iterator[str]:
    """Texts of users without what agents put in; what stood in tags goes to `wrapped`, but for reminders."""
    for part in parts:
        if part.role != "user" or part.kind is not PartKind.TEXT or not part.text or part.volatile:
            continue
        text = part.text[:_SEARCHED_CHARS]
        while match := WRAPPED.match(text):
            if "reminder" not in match[1]:
                wrapped.append(match[2])
            text = text[match.end() :]
        if text.strip() and not INJECTED.match(text.strip()):
            yield text


def _first_line(text: str) -> str | None:
    line = " ".join(next((line for line in text.splitlines() if line.strip()), "").split())
    if not line:
        return None
    return line if len(line) <= LABEL_CHARS else line[: LABEL_CHARS - 1] + "…"
