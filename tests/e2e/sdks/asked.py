"""What a request asks of the made-up provider, in whatever dialect it was read from, and so what is answered."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.answers import AGAIN

Body = dict[str, Any]
CITY: Body = {"city": "Bergen"}
OUTPUT_TOKENS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: said back is its last text, or its tool is called, once more after a result that says so."""

    text: str
    is_result: bool
    tool: str | None
    messages: int

    @property
    def calls(self) -> str | None:
        """The tool to call, `None` if text is answered."""
        return self.tool if not self.is_result or AGAIN in self.text else None

    @property
    def reply(self) -> str:
        """The text to answer."""
        return f"You said: {self.text}"

    @property
    def input_tokens(self) -> int:
        """The usage to report, as `answers.input_tokens` has it."""
        return 100 + 10 * self.messages

    @property
    def call_id(self) -> str:
        """An id for the call, another one in each turn."""
        return f"call_{self.input_tokens}"


def pieces(text: str) -> list[str]:
    """A text as it is streamed."""
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def prompt_tokens(body: Body) -> int:
    """The usage that the answer to a body reports, in every dialect."""
    messages = body.get("messages") or body.get("input") or body["contents"]
    return 100 + 10 * (1 if isinstance(messages, str) else len(messages))
