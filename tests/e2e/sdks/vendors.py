"""SDKs of those who have a dialect of their own."""

import json
from typing import Any

import boto3
import cohere
import ollama
from google import genai
from google.genai import types

from tests.e2e.answers import MODELS
from tests.e2e.sdks.chat import FUNCTION, TOOL, WEATHER, Chat, Said
from tests.e2e.sdks.gemini_answers import THOUGHTS
from tests.e2e.sdks.provider import AWS_KEY_ID, AWS_SECRET, CLAUDE_ON_BEDROCK, KEY


class GoogleGenai(Chat):
    """`google-genai`."""

    prefix, provider, api, app = "/gemini", "gcp.gemini", "gemini.generate_content", "google-genai"
    model = answered_model = "gemini-2.5-flash"
    output_tokens = 7 + THOUGHTS

    def open(self, base_url: str | None) -> None:
        self._client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=base_url))

    def user(self, text: str) -> Any:
        return types.Content(role="user", parts=[types.Part(text=text)])

    def result(self, call: tuple[str, str, Any], text: str) -> Any:
        return types.Content(
            role="user", parts=[types.Part.from_function_response(name=call[1], response={"result": text})]
        )

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        declared = types.FunctionDeclaration(
            name=FUNCTION["name"], description=FUNCTION["description"], parameters_json_schema=WEATHER
        )
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[declared])] if tools else None,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        asked: Any = {"model": self.model, "contents": history, "config": config}
        if stream:
            answers = list(self._client.models.generate_content_stream(**asked))
        else:
            answers = [self._client.models.generate_content(**asked)]
        parts = [part for each in answers for part in each.candidates[0].content.parts]
        calls = [part.function_call for part in parts if part.function_call]
        return Said(
            text="".join(part.text or "" for part in parts),
            calls=[(call.id, call.name, call.args) for call in calls],
            turn=types.Content(role="model", parts=parts),
        )


class Ollama(Chat):
    """`ollama`."""

    prefix, provider, api, app = "/ollama", "ollama", "ollama.chat", "ollama-python"
    model = answered_model = "llama3.2"
    is_priced = False

    def open(self, base_url: str | None) -> None:
        headers = {"authorization": f"Bearer {KEY}"}
        self._client = ollama.Client(host=base_url or "https://ollama.com", headers=headers)

    def result(self, call: tuple[str, str, Any], text: str) -> Any:
        return {"role": "tool", "tool_name": call[1], "content": text}

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        asked: Any = {"model": self.model, "messages": history, "tools": [TOOL] if tools else None}
        answers = list(self._client.chat(stream=True, **asked)) if stream else [self._client.chat(**asked)]
        messages = [each.message for each in answers]
        calls = [call for message in messages for call in message.tool_calls or ()]
        return Said(
            text="".join(message.content or "" for message in messages),
            calls=[("", call.function.name, call.function.arguments) for call in calls],
            turn=messages[0],
        )


class Cohere(Chat):
    """`cohere`, version 2 of its API."""

    prefix, provider, api, app = "/cohere", "cohere", "cohere.chat", "cohere"
    model, answered_model = "command-a-03-2025", None

    def open(self, base_url: str | None) -> None:
        self._client = cohere.ClientV2(api_key=KEY, base_url=base_url)

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        asked: Any = {"model": self.model, "messages": history} | ({"tools": [TOOL]} if tools else {})
        if not stream:
            message = self._client.chat(**asked).message
            calls = message.tool_calls or []
            return Said(
                text="".join(block.text for block in message.content or ()),
                calls=[(call.id, call.function.name, json.loads(call.function.arguments)) for call in calls],
                turn=message,
            )
        text, streamed = "", list[Any]()
        for event in self._client.chat_stream(**asked):
            if event.type == "content-delta":
                text += event.delta.message.content.text
            elif event.type == "tool-call-start":
                streamed.append(event.delta.message.tool_calls.model_dump())
            elif event.type == "tool-call-delta":
                streamed[-1]["function"]["arguments"] += event.delta.message.tool_calls.function.arguments
        return Said(
            text=text,
            calls=[
                (each["id"], each["function"]["name"], json.loads(each["function"]["arguments"])) for each in streamed
            ],
            turn={"role": "assistant", "tool_plan": "I ask.", "tool_calls": streamed},
        )


def bedrock(base_url: str | None) -> Any:
    """A client of `boto3`. Its signatures hold for the host that it calls: behind a base URL it refuses them."""
    session = boto3.Session(AWS_KEY_ID, AWS_SECRET, region_name="us-east-1")
    return session.client("bedrock-runtime", endpoint_url=base_url)


class Converse(Chat):
    """`boto3`: `converse` and `converse_stream`."""

    prefix, provider, api, app = "/bedrock", "aws.bedrock", "bedrock.converse", "boto3"
    model, answered_model = CLAUDE_ON_BEDROCK, None

    def open(self, base_url: str | None) -> None:
        self._client = bedrock(base_url)

    def user(self, text: str) -> Any:
        return {"role": "user", "content": [{"text": text}]}

    def result(self, call: tuple[str, str, Any], text: str) -> Any:
        return {"role": "user", "content": [{"toolResult": {"toolUseId": call[0], "content": [{"text": text}]}}]}

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        asked: Any = {"modelId": self.model, "messages": history}
        if tools:
            spec = {"name": FUNCTION["name"], "description": "Ask.", "inputSchema": {"json": WEATHER}}
            asked["toolConfig"] = {"tools": [{"toolSpec": spec}]}
        if not stream:
            message = self._client.converse(**asked)["output"]["message"]
        else:
            message = {"role": "assistant", "content": [self._block(self._client.converse_stream(**asked)["stream"])]}
        calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        return Said(
            text="".join(block.get("text", "") for block in message["content"]),
            calls=[(call["toolUseId"], call["name"], call["input"]) for call in calls],
            turn=message,
        )

    def _block(self, events: Any) -> Any:
        use, text = {}, ""
        for event in events:
            use |= event.get("contentBlockStart", {}).get("start", {}).get("toolUse", {})
            delta = event.get("contentBlockDelta", {}).get("delta", {})
            text += delta.get("text", "") + delta.get("toolUse", {}).get("input", "")
        return {"toolUse": {**use, "input": json.loads(text)}} if use else {"text": text}


class Invoke(Chat):
    """`boto3`: `invoke_model` and `invoke_model_with_response_stream`, with the body of a Claude."""

    prefix, provider, api, app = "/bedrock", "aws.bedrock", "bedrock.invoke", "boto3"
    model, answered_model = CLAUDE_ON_BEDROCK, MODELS["claude-haiku-4-5"]

    def open(self, base_url: str | None) -> None:
        self._client = bedrock(base_url)

    def result(self, call: tuple[str, str, Any], text: str) -> Any:
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call[0], "content": text}]}

    def ask(self, history: list[Any], *, stream: bool, tools: bool = False) -> Said:
        body: Any = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": history}
        if tools:
            body["tools"] = [{"name": FUNCTION["name"], "description": "Ask.", "input_schema": WEATHER}]
        if not stream:
            answer = self._client.invoke_model(modelId=self.model, body=json.dumps(body))
            blocks = json.loads(answer["body"].read())["content"]
        else:
            answer = self._client.invoke_model_with_response_stream(modelId=self.model, body=json.dumps(body))
            blocks = [self._block(json.loads(event["chunk"]["bytes"]) for event in answer["body"])]
        return Said(
            text="".join(block.get("text", "") for block in blocks),
            calls=[(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
            turn={"role": "assistant", "content": blocks},
        )

    def _block(self, events: Any) -> Any:
        block, text = {}, ""
        for event in events:
            block |= event.get("content_block", {})
            delta = event.get("delta", {})
            text += delta.get("text", "") + delta.get("partial_json", "")
        return {**block, "input": json.loads(text)} if block["type"] == "tool_use" else {**block, "text": text}
