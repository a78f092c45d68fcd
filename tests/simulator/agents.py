"""An agent at work: its tools, system prompt and history, and the request bodies that it sends of them."""

import random
from dataclasses import dataclass, field
from typing import Any, Literal

type Style = Literal["anthropic", "chat", "responses", "exact", "gemini"]

WORDS = (
    "harbour lantern gravel orchid timber saddle mirror pebble copper walnut ferry meadow anchor violet basket thunder "
    "kettle marble willow engine paper candle summit barrel garden ribbon hollow signal feather quarry index buffer "
    "module parser token socket branch commit schema cursor handle vector matrix kernel packet router cache thread"
).split()


@dataclass(slots=True)
class Said:
    """One message of the history, in no API's words."""

    role: Literal["user", "assistant", "result"]
    text: str
    calls: tuple[tuple[str, str, dict[str, str]], ...] = ()
    """(call id, tool, arguments)"""
    call_id: str = ""


@dataclass(slots=True)
class Agent:
    """What an agent carries from call to call."""

    rng: random.Random
    style: Style
    model: str
    tools: list[dict[str, str]] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    history: list[Said] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    ttls: tuple[str | None, str | None] = ("5m", "5m")
    """Of the breakpoints at the end of the system prompt and of the messages; `None` = none."""
    billing: bool = False
    turns: int = 0

    def words(self, least: int, most: int) -> str:
        """Some prose."""
        return " ".join(self.rng.choices(WORDS, k=self.rng.randint(least, most)))

    def tool(self) -> dict[str, str]:
        """A new tool."""
        name = f"{self.rng.choice(WORDS)}_{self.rng.choice(WORDS)}_{self.rng.randint(100, 999)}"
        return {"name": name, "description": self.words(20, 90)}

    def answer(self) -> Said:
        """What the model says next: a text, and mostly tool calls."""
        self.turns += 1
        number = self.rng.choice((0, 1, 1, 1, 2, 3)) if self.tools else 0
        calls = tuple(
            (f"call_{self.turns}_{at}", self.rng.choice(self.tools)["name"], {"path": self.words(1, 6)})
            for at in range(number)
        )
        return Said("assistant", self.words(10, 60), calls)

    def go_on(self, answer: Said, *, results: tuple[int, int] = (60, 700)) -> int:
        """Take the answer into the history, and what follows it; how many messages that were."""
        new = [answer]
        for call_id, _, _ in answer.calls:
            new.append(Said("result", self.words(*results), call_id=call_id))
        if not answer.calls or self.rng.random() < 0.2:
            new.append(Said("user", self.words(5, 80)))
        self.history += new
        return len(new)

    def body(self, *, marks: bool = True) -> dict[str, Any]:
        """The request."""
        made = {"anthropic": self._anthropic, "chat": self._chat, "gemini": self._gemini}.get(
            self.style, self._responses
        )(marks)
        return made | self.params

    def wire(self, answer: Said) -> list[Any]:
        """The answer as the API says it."""
        if self.style == "anthropic":
            return self._blocks(answer)
        if self.style == "chat":
            return [self._chat_message(answer)]
        if self.style == "gemini":
            return self._gemini_parts(answer)
        items = self._items(answer)
        return [item | {"id": f"it_{self.turns}_{at}", "status": "completed"} for at, item in enumerate(items)]

    def _anthropic(self, marks: bool) -> dict[str, Any]:
        on_system, on_messages = self.ttls if marks else (None, None)
        tools: list[Any] = [
            {"name": tool["name"], "description": tool["description"], "input_schema": _SCHEMA} for tool in self.tools
        ]
        system: list[Any] = [{"type": "text", "text": text} for text in self.system]
        messages: list[dict[str, Any]] = []
        for said in self.history:
            role = "assistant" if said.role == "assistant" else "user"
            if messages and messages[-1]["role"] == role:
                messages[-1]["content"] += self._blocks(said)
            else:
                messages.append({"role": role, "content": self._blocks(said)})
        for message in messages[:-1]:  # what was sent as a list of one text comes again as a string
            if len(message["content"]) == 1 and message["content"][0]["type"] == "text":
                message["content"] = message["content"][0]["text"]
        for block, ttl in ((system[-1], on_system), (messages[-1]["content"][-1], on_messages)):
            if ttl:
                block["cache_control"] = {"type": "ephemeral"} | ({"ttl": ttl} if ttl != "5m" else {})
        if self.billing:
            text = f"x-anthropic-billing-header: cc_version=2.0; cch={self.rng.randrange(16**5):05x};"
            system.insert(0, {"type": "text", "text": text})
        return {"model": self.model, "max_tokens": 4096, "system": system, "messages": messages} | (
            {"tools": tools} if tools else {}
        )

    def _blocks(self, said: Said) -> list[dict[str, Any]]:
        if said.role == "result":
            return [{"type": "tool_result", "tool_use_id": said.call_id, "content": said.text}]
        calls = [{"type": "tool_use", "id": id_, "name": name, "input": args} for id_, name, args in said.calls]
        return [{"type": "text", "text": said.text}, *calls]

    def _chat(self, marks: bool) -> dict[str, Any]:
        system = [{"role": "system", "content": "\n\n".join(self.system)}]
        tools = [{"type": "function", "function": {**tool, "parameters": _SCHEMA}} for tool in self.tools]
        messages = system + [self._chat_message(said) for said in self.history]
        return {"model": self.model, "messages": messages} | ({"tools": tools} if tools else {})

    def _chat_message(self, said: Said) -> dict[str, Any]:
        if said.role == "result":
            return {"role": "tool", "tool_call_id": said.call_id, "content": said.text}
        made: dict[str, Any] = {"role": said.role, "content": said.text}
        if said.calls:
            made["tool_calls"] = [
                {"id": id_, "type": "function", "function": {"name": name, "arguments": _arguments(args)}}
                for id_, name, args in said.calls
            ]
        return made

    def _gemini(self, marks: bool) -> dict[str, Any]:
        contents: list[dict[str, Any]] = []
        for said in self.history:
            role = "model" if said.role == "assistant" else "user"
            if contents and contents[-1]["role"] == role:
                contents[-1]["parts"] += self._gemini_parts(said)
            else:
                contents.append({"role": role, "parts": self._gemini_parts(said)})
        system = {"parts": [{"text": text} for text in self.system]}
        made = {"model": self.model, "systemInstruction": system, "contents": contents}
        declared = [{**tool, "parameters": _SCHEMA} for tool in self.tools]
        return made | ({"tools": [{"functionDeclarations": declared}]} if declared else {})

    def _gemini_parts(self, said: Said) -> list[dict[str, Any]]:
        if said.role == "result":
            return [{"functionResponse": {"name": said.call_id, "response": {"result": said.text}}}]
        return [{"text": said.text}, *({"functionCall": {"name": name, "args": args}} for _, name, args in said.calls)]

    def _responses(self, marks: bool) -> dict[str, Any]:
        tools = [{"type": "function", **tool, "parameters": _SCHEMA, "strict": False} for tool in self.tools]
        items = [item for said in self.history for item in self._items(said)]
        made = {"model": self.model, "instructions": "\n\n".join(self.system), "input": items, "store": False}
        return made | ({"tools": tools} if tools else {})

    def _items(self, said: Said) -> list[dict[str, Any]]:
        if said.role == "result":
            return [{"type": "function_call_output", "call_id": said.call_id, "output": said.text}]
        kind = "output_text" if said.role == "assistant" else "input_text"
        message = {"type": "message", "role": said.role, "content": [{"type": kind, "text": said.text}]}
        return [
            message,
            *(
                {"type": "function_call", "call_id": id_, "name": name, "arguments": _arguments(args)}
                for id_, name, args in said.calls
            ),
        ]


_SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


def _arguments(args: dict[str, str]) -> str:
    return '{"path":"' + args["path"] + '"}'


MODELS: dict[Style, tuple[str, ...]] = {
    "anthropic": ("claude-sonnet-4-5", "claude-opus-4-8", "claude-opus-4-1"),
    "chat": ("gpt-4.1", "gpt-4o"),
    "responses": ("gpt-5.1", "gpt-4.1"),
    "exact": ("gpt-5.6-sol", "gpt-5.6-luna"),
    "gemini": ("gemini-2.5-flash", "gemini-2.5-flash-lite"),
}


def new_agent(rng: random.Random, style: Style, *, small: bool = False) -> Agent:
    """An agent with a first request, too small to be cached if asked for."""
    agent = Agent(rng, style, rng.choice(MODELS[style]))
    if small:
        agent.model = "claude-haiku-4-5" if style == "anthropic" else agent.model
        agent.system = [agent.words(10, 40)]
        agent.history = [Said("user", agent.words(5, 30))]
        return agent
    agent.tools = [agent.tool() for _ in range(rng.randint(4, 16))]
    agent.system = [
        agent.words(1500, 2500) if style == "gemini" else agent.words(150, 900) for _ in range(rng.choice((1, 1, 2)))
    ]
    agent.history = [Said("user", agent.words(500, 1400))]
    if style == "anthropic":
        agent.ttls = rng.choice((("5m", "5m"), ("1h", "5m"), ("1h", "1h")))
        agent.billing = rng.random() < 0.5
        agent.params = {"thinking": {"type": "disabled"}, "metadata": {"user_id": "user_1"}}
        agent.headers = {"anthropic-beta": "prompt-caching-2024-07-31"}
    elif style not in ("chat", "gemini"):
        agent.params = {"prompt_cache_key": f"key-{rng.randrange(10**6)}", "reasoning": {"effort": "low"}}
        if style == "responses" and rng.random() < 0.3:
            agent.params["prompt_cache_retention"] = "24h"
    return agent
