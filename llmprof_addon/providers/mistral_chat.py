"""Dialect `mistral.chat`: Mistral's Chat Completions, and its fill-in-the-middle, which takes a prompt and a suffix.

They differ from OpenAI's in content blocks, which `openai_blocks` reads.
"""

from llmprof_addon.model.call import Prompt
from llmprof_addon.model.part import Json
from llmprof_addon.providers import openai_chat, openai_completions
from llmprof_addon.providers.openai_chat import fold, read_response, section_order

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "mistral.chat"
operation = "chat"


def read_request(body: Json) -> Prompt:
    """Carve a request body of either endpoint."""
    filling = isinstance(body, dict) and "prompt" in body and "messages" not in body
    return openai_completions.read_request(body) if filling else openai_chat.read_request(body)
