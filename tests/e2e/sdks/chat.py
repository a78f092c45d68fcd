"""What a test does with any SDK: one question, a loop of tool calls, twenty questions at once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.e2e.answers import AGAIN

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION: Any = {"name": "get_weather", "description": "Ask for the weather.", "parameters": WEATHER}
TOOL: Any = {"type": "function", "function": FUNCTION}
RESULT = "Rain, and åska."
TURNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer as the SDK gave it."""

    text: str
    calls: Sequence[tuple[str, str, Any]] = ()
    """Id, name and arguments."""
    turn: Any = None
    """What the SDK wants in the history for it."""


class Chat(ABC):
    """One client of one SDK; the rows of what it does are to say these names."""

    prefix: ClassVar[str]
    """What stands behind the address of the reverse listener."""
    provider: ClassVar[str]
    api: ClassVar[str]
    app: ClassVar[str]
    model: ClassVar[str]
    """As the request names it."""
    answered_model: ClassVar[str | None]
    """As the answer names it, `None` if it does not."""
    is_priced: ClassVar[bool] = True
    output_tokens: ClassVar[int] = 7

    def __init__(self, base_url: str | None):
        """`base_url` is `None` where the environment leads through a proxy."""
        self.open(base_url)

    @abstractmethod
    def open(self, base_url: str | None) -> None:
        """Make the SDK's client."""

    @abstractmethod
    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        """One call."""

    def user(self, text: str) -> Any:
        """A user's message."""
        return {"role": "user", "content": text}

    def result(self, call: tuple[str, str, Any], text: str) -> Any:
        """A tool's message."""
        return {"role": "tool", "tool_call_id": call[0], "content": text}

    def loop(self, question: str, *, stream: bool) -> str:
        """Answer tool calls until there is a text: five calls."""
        history = [self.user(question)]
        for turn in range(1, TURNS + 1):
            said = self.ask(history, stream=stream, tools=True)
            if not said.calls:
                assert turn == TURNS
                return said.text
            (call,) = said.calls
            assert (call[1], call[2]) == ("get_weather", {"city": "Bergen"})
            history += [said.turn, self.result(call, tool_result(turn))]
        raise AssertionError("it did not come to an end")

    def at_once(self, questions: Sequence[str]) -> list[str]:
        """Every second question streamed."""
        with ThreadPoolExecutor(len(questions)) as threads:
            asked = enumerate(questions)
            return list(threads.map(lambda one: self.ask([self.user(one[1])], stream=one[0] % 2 == 1).text, asked))


def tool_result(turn: int) -> str:
    """What the tool says: all but the last have it called again."""
    return f"Step {turn}. {AGAIN}" if turn < TURNS - 1 else RESULT
