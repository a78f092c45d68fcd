"""Framing constants of OpenAI's prompts by model generation: tokens that stand between the texts of a prompt.

Measured on recorded calls with reported usage (`make accuracy`); each is the same for every recording of a generation.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from llmprof_addon.model.call import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What depends on the API beside the model."""

    tools: int
    """Around the tools, beside their text."""
    schema: int = 0
    """Around an output schema, beside its text and name."""
    schema_turn: int = 0
    """Each plain assistant message in the history where an output schema is set."""
    call: int
    """Header and end of one tool call, beside its name and arguments."""
    stored: int = 0
    """Beside `call`, a call whose item carries the id under which the provider has stored it."""
    wrapped: int | None
    """Header, tool name and end of parallel calls that are wrapped into one; `None`: they stand each for itself."""
    joined: bool
    """Whether tools and schemas are appended to the first system message, or are a message of their own."""
    named_wrapped_results: bool
    """Whether results of wrapped calls carry the name of their tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One generation of models."""

    priming: int
    """The header of the answer, for which the prompt ends."""
    turn: int = 0
    """Each plain assistant message in the history, beside the four tokens of every message: its channel."""
    forced: int | None
    """A tool that must be called, beside its name; `None`: it stands nowhere in the prompt."""
    chat: Dialect
    responses: Dialect

    def of(self, api: str) -> Dialect:
        """The rules of one API."""
        return self.responses if api == "openai.responses" else self.chat


GPT_4 = Rules(
    priming=3,
    forced=7,
    chat=Dialect(
        tools=-1, schema=3, schema_turn=3, call=9, wrapped=10, joined=True, named_wrapped_results=False
    ),
    responses=Dialect(
        tools=3, schema=7, schema_turn=0, call=7, stored=3, wrapped=None, joined=False, named_wrapped_results=True
    ),
)  # fmt: skip
GPT_5 = Rules(
    priming=2,
    turn=2,
    forced=None,
    chat=Dialect(tools=84, schema_turn=4, call=15, wrapped=16, joined=True, named_wrapped_results=False),
    responses=Dialect(tools=9, schema=6, call=13, wrapped=None, joined=False, named_wrapped_results=True),
)
O_SERIES = replace(GPT_5, chat=replace(GPT_5.chat, tools=0), responses=replace(GPT_5.responses, tools=6))
GPT_5_1 = replace(GPT_5, responses=replace(GPT_5.responses, call=16))
GPT_5_3 = replace(GPT_5, responses=replace(GPT_5.responses, call=16, wrapped=16))

_TABLE = (
    (r"gpt-(5\.[3-9]|[6-9])", GPT_5_3),
    (r"gpt-5\.|codex", GPT_5_1),
    (r"gpt-5", GPT_5),
    (r"(^|[/.:])o\d", O_SERIES),
    (r"gpt-?[34]|chatgpt|davinci|babbage", GPT_4),
)


def rules_of(call: Call) -> Rules:
    """The rules of the model that was asked for, or that answered where a deployment has a name of its own."""
    for name in (call.request_model, call.answer.response_model):
        if name and (found := _rules(name.lower())) is not None:
            return found
    return GPT_4


@lru_cache(maxsize=1024)
def _rules(model: str) -> Rules | None:
    return next((rules for pattern, rules in _TABLE if re.search(pattern, model)), None)
