"""Model names as the wire spells them -> the names under which a price may be listed, most exact first.

A name never matches by being part of another one: `gpt-4o-mini` must not get the price of `gpt-4o`.
"""

import re
from collections.abc import Iterator

_REVISION = re.compile(r"(?:-v\d+:\d+|(?<=\d)-v\d+|:\d+|[-@]latest|@default)$")
_DATE = re.compile(r"(?:[-@:](?:\d{4}-\d{2}-\d{2}|\d{8})|(?<=-preview)-\d\d-(?:\d\d|\d{4}))$")
_PREFIX = re.compile(r"(?!global\.)(?:[a-z-]+\.|[^/]*/)")
"""`openai/`, `models/`, `us.`, `anthropic.`; Bedrock's `global.` stays, since its price is another one."""

ALIASES = {
    # Azure's spelling.
    "gpt-35-turbo": "gpt-3.5-turbo",
    "gpt-35-turbo-16k": "gpt-3.5-turbo-16k",
    "gpt-35-turbo-instruct": "gpt-3.5-turbo-instruct",
    # Fine-tunes are billed by their base (OpenAI pricing page).
    "ft:gpt-3.5-turbo-0613": "ft:gpt-3.5-turbo",
    "ft:gpt-3.5-turbo-1106": "ft:gpt-3.5-turbo",
    "ft:gpt-3.5-turbo-0125": "ft:gpt-3.5-turbo",
    # What these two answer as; without its date, the first would be a model of ten times their price.
    "davinci:2023-07-21-v2": "davinci-002",
    "babbage:2023-07-21-v2": "babbage-002",
    # Releases of one price.
    "claude-2.0": "claude-2",
    "claude-2.1": "claude-2",
    "gemini-2.0-flash-001": "gemini-2.0-flash",
    "gemini-2.0-flash-lite-001": "gemini-2.0-flash-lite",
}


def spellings(model: str) -> Iterator[str]:
    """Lower-case candidates: as it is, without revision and date, by the alias table, without its prefix."""
    name = model.strip().lower()
    if name.startswith("ft:"):
        name = "ft:" + name.split(":")[1]
    seen: set[str] = set()
    while name:
        unrevised = _REVISION.sub("", name)
        for spelling in (name, unrevised, _DATE.sub("", unrevised)):
            for candidate in (spelling, ALIASES.get(spelling)):
                if candidate and candidate not in seen:
                    seen.add(candidate)
                    yield candidate
        prefix = _PREFIX.match(name)
        name = name[prefix.end() :] if prefix else ""
