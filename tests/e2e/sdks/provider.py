"""The made-up provider of all SDKs: one loopback server for all hosts, which knows them by their paths."""

import json
import re
from collections.abc import Callable

from tests.e2e import answers
from tests.e2e.replay import Answer, Request
from tests.e2e.sdks import bedrock_answers, chat_answers, cohere_answers, gemini_answers, ollama_answers
from tests.e2e.sdks.asked import Body

KEY = "sk-fake-0123456789-of-the-sdks"
AWS_KEY_ID, AWS_SECRET = "AKIAFAKE0123456789AB", "fake+secret/0123456789abcdefghijklmnopq"
HOSTS = (
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "ollama.com",
    "api.mistral.ai",
    "api.cohere.com",
    "api.groq.com",
    "bedrock-runtime.us-east-1.amazonaws.com",
)
CLAUDE_ON_BEDROCK = "anthropic.claude-haiku-4-5-20251001-v1:0"

_PATHS: tuple[tuple[str, Callable[[Body, re.Match[str]], Answer]], ...] = (
    (r"/openai/v1/chat/completions", lambda body, _: chat_answers.groq(body)),
    (r"/api/chat", lambda body, _: ollama_answers.answer(body)),
    (r"/v2/chat", lambda body, _: cohere_answers.answer(body)),
    (
        r"/v1(?:beta)?/models/(.+):(streamG|g)enerateContent",
        lambda body, path: gemini_answers.answer(body, path[1], stream=path[2] == "streamG"),
    ),
    (
        r"/model/(.+)/converse(-stream)?",
        lambda body, path: bedrock_answers.converse(body, stream=bool(path[2])),
    ),
    (
        r"/model/(.+)/invoke(-with-response-stream)?",
        lambda body, path: bedrock_answers.invoke(body, stream=bool(path[2])),
    ),
)


def provider(request: Request) -> Answer:
    """Answer a request that carries the key where its provider has it; 404 for paths that nobody has."""
    assert _key(request) in (KEY, AWS_KEY_ID), (request.target, request.headers)
    assert not any(name.lower().startswith("x-llmprof") for name, _ in request.headers)
    path = request.target.partition("?")[0]
    for pattern, answer in _PATHS:
        if found := re.fullmatch(pattern, path):
            return answer(json.loads(request.body), found)
    if path == "/v1/chat/completions" and json.loads(request.body)["model"].startswith("mistral"):
        return chat_answers.mistral(json.loads(request.body))
    return answers.answer(request)


def _key(request: Request) -> str | None:
    if key := request.header("x-api-key") or request.header("x-goog-api-key"):
        return key
    held = request.header("authorization") or ""
    if signed := re.match(r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/us-east-1/bedrock/", held):
        return signed[1]
    return held.removeprefix("Bearer ")
