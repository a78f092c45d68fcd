"""SDKs that speak a dialect near OpenAI's, and libraries that stand on other SDKs."""

import asyncio
import json
import os
from collections.abc import Sequence
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it fetches a list of prices otherwise

import groq
import litellm
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from litellm.llms.custom_httpx.http_handler import HTTPHandler
from mistralai.client import Mistral as MistralClient
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.e2e.answers import MODELS
from tests.e2e.sdks.chat import RESULT, TOOL, TURNS, Chat, Said, tool_result
from tests.e2e.sdks.gemini_answers import THOUGHTS
from tests.e2e.sdks.provider import KEY

GPT = "gpt-4o-mini"


def said(message: Any) -> Said:
    """A whole message of a chat."""
    calls = message.tool_calls or []
    return Said(
        text=message.content or "",
        calls=[(call.id, call.function.name, json.loads(call.function.arguments)) for call in calls],
        turn=message.model_dump(exclude_none=True),
    )


def streamed(deltas: list[Any]) -> Said:
    """The deltas of a chat."""
    text = "".join(delta.content or "" for delta in deltas)
    parts = [part for delta in deltas for part in delta.tool_calls or ()]
    if not parts:
        return Said(text=text)
    arguments = "".join(part.function.arguments or "" for part in parts)
    call = (parts[0].id, parts[0].function.name, json.loads(arguments))
    function = {"name": call[1], "arguments": arguments}
    tool_call = {"id": call[0], "type": "function", "function": function}
    return Said(text=text, calls=[call], turn={"role": "assistant", "content": None, "tool_calls": [tool_call]})


class Groq(Chat):
    """`groq`."""

    prefix, provider, api, app = "/groq", "groq", "openai.chat", "groq-python"
    model = answered_model = "llama-3.3-70b-versatile"

    def open(self, base_url: str | None) -> None:
        self._client = groq.Groq(api_key=KEY, base_url=base_url, max_retries=0)

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        asked: Any = {"model": self.model, "messages": history} | ({"tools": [TOOL]} if tools else {})
        if not stream:
            return said(self._client.chat.completions.create(**asked).choices[0].message)
        chunks = list(self._client.chat.completions.create(stream=True, **asked))
        return streamed([chunk.choices[0].delta for chunk in chunks if chunk.choices])


class Mistral(Chat):
    """`mistralai`."""

    prefix, provider, api, app = "/mistral", "mistral", "mistral.chat", "mistral-client-python"
    model = answered_model = "mistral-small-latest"

    def open(self, base_url: str | None) -> None:
        self._client = MistralClient(api_key=KEY, server_url=base_url)

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        asked: Any = {"model": self.model, "messages": history} | ({"tools": [TOOL]} if tools else {})
        if not stream:
            return said(self._client.chat.complete(**asked).choices[0].message)
        return streamed([event.data.choices[0].delta for event in self._client.chat.stream(**asked)])


class LitellmOpenai(Chat):
    """`litellm` to OpenAI."""

    prefix, provider, api, app = "/v1", "openai", "openai.chat", "openai-python"  # it sends that SDK's user agent
    model, answered_model = GPT, MODELS[GPT]
    named = f"openai/{GPT}"

    def open(self, base_url: str | None) -> None:
        self._base_url = base_url
        # Clients that were made at import, or for another proxy.
        litellm.module_level_client = HTTPHandler()
        litellm.in_memory_llm_clients_cache.flush_cache()
        litellm.suppress_debug_info = True

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        asked: Any = {"model": self.named, "messages": history, "api_key": KEY, "api_base": self._base_url}
        asked |= {"tools": [TOOL]} if tools else {}
        if not stream:
            return said(litellm.completion(**asked).choices[0].message)
        chunks = list(litellm.completion(stream=True, stream_options={"include_usage": True}, **asked))
        return streamed([chunk.choices[0].delta for chunk in chunks if chunk.choices])


class LitellmAnthropic(LitellmOpenai):
    """`litellm` to Anthropic."""

    prefix, provider, api, app = "", "anthropic", "anthropic.messages", "litellm"
    model, answered_model = "claude-haiku-4-5", MODELS["claude-haiku-4-5"]
    named = "anthropic/claude-haiku-4-5"


class LitellmGemini(LitellmOpenai):
    """`litellm` to Gemini."""

    prefix, provider, api, app = "/gemini/v1beta", "gcp.gemini", "gemini.generate_content", "litellm"
    model = answered_model = "gemini-2.5-flash"
    named = "gemini/gemini-2.5-flash"
    output_tokens = 7 + THOUGHTS


class Langchain(Chat):
    """`langchain-openai`."""

    prefix, provider, api, app = "/v1", "openai", "openai.chat", "openai-python"
    model, answered_model = GPT, MODELS[GPT]

    def open(self, base_url: str | None) -> None:
        self._model = ChatOpenAI(model=GPT, api_key=KEY, base_url=base_url, max_retries=0, stream_usage=True)

    def user(self, text: str) -> Any:
        return HumanMessage(text)

    def result(self, call: tuple[str, str, Any], text: str) -> Any:
        return ToolMessage(text, tool_call_id=call[0])

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        model: Any = self._model.bind_tools([TOOL]) if tools else self._model
        if stream:
            first, *others = model.stream(history)
            message = sum(others, first)
        else:
            message = model.invoke(history)
        calls = [(call["id"], call["name"], call["args"]) for call in message.tool_calls]
        return Said(text=message.content, calls=calls, turn=message)


class PydanticAi(Chat):
    """`pydantic-ai`, which does the loop itself."""

    prefix, provider, api, app = "/v1", "openai", "openai.chat", "pydantic-ai"
    model, answered_model = GPT, MODELS[GPT]

    def open(self, base_url: str | None) -> None:
        self._base_url = base_url

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        raise AssertionError("it asks by itself")

    def loop(self, question: str, *, stream: bool) -> str:
        turns = 0

        def get_weather(city: str) -> str:
            """Ask for the weather."""
            nonlocal turns
            turns += 1
            assert city == "Bergen"
            return tool_result(turns)

        said = asyncio.run(self._run([question], tools=[get_weather], streams=stream))
        assert turns == TURNS - 1
        assert said == [f"You said: {RESULT}"]
        return said[0]

    def at_once(self, questions: Sequence[str]) -> list[str]:
        return asyncio.run(self._run(questions, tools=[], streams=None))

    async def _run(self, questions: Sequence[str], *, tools: list[Any], streams: bool | None) -> list[str]:
        """All questions together; `streams` is `None` for every second one."""
        async with AsyncOpenAI(api_key=KEY, base_url=self._base_url, max_retries=0) as client:
            model = OpenAIChatModel(GPT, provider=OpenAIProvider(openai_client=client))
            agent: Any = Agent(model, tools=tools)

            async def ask(number: int, question: str) -> str:
                if not (number % 2 if streams is None else streams):
                    return str((await agent.run(question)).output)
                async with agent.run_stream(question) as result:
                    return str(await result.get_output())

            return await asyncio.gather(*(ask(number, question) for number, question in enumerate(questions)))
