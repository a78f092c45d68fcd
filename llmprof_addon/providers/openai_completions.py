"""Dialect `openai.completions`: text completions, also with a suffix (fill in the middle), whole and streamed.

An answer is read as one of `openai.chat`: compatible hosts mix the two, and fill-in-the-middle answers with messages.
"""

from llmprof_addon.model.call import Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.providers import openai_chat
from llmprof_addon.providers.carving import text_of
from llmprof_addon.providers.openai_chat import read_response
from llmprof_addon.providers.openai_chat_stream import fold
from llmprof_addon.providers.text_inputs import take_texts

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "openai.completions"
operation = "text_completion"
section_order = ("tools", "system", "messages")


def read_request(body: Json) -> Prompt:
    """Carve a request body; `messages` are those of a stored answer."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    if "messages" in body:
        return openai_chat.read_request(body)
    params = dict(body)
    messages = (*take_texts(params, "prompt"), *take_texts(params, "suffix"))
    return Prompt(messages=messages, params=params)
