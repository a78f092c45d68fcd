"""Request bodies -> response bodies, as Anthropic and OpenAI would answer them, their caches included.

Only what is on the wire is looked at. Token numbers come from a tokenizer of the simulator's own: what the program
counts or estimates of these texts is never the same.
"""

import json
import re
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from llmprof_addon.model.exchange import Client, Exchange
from tests.simulator.caches import SECOND, Block, ExactCache, MarkedCache, Served, SteppedCache

ANTHROPIC = "https://api.anthropic.com/v1/messages"
CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/{model}:generateContent"

_WORD = re.compile(r"\w+|[^\w\s]")


def tokens_of(text: str) -> int:
    """Tokens of a text: about one for every four letters of a word, and for every sign."""
    return sum(-(-len(word) // 5) for word in _WORD.findall(text))


def _dumps(value: Any) -> str:
    text: str = json.dumps(value, separators=(",", ":"))
    return text


@dataclass(slots=True)
class Provider:
    """One provider with the caches of its models."""

    url: str
    clock_ns: int
    caches: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    """What it says of the next miss, if it says anything."""
    exact: bool = False
    misses: Random | None = None
    """Decides which calls of a cache that promises nothing find nothing there."""

    def evict(self) -> None:
        """Empty all caches."""
        for cache in self.caches.values():
            cache.evict()

    def call(
        self,
        body: dict[str, Any],
        answer: list[Any],
        *,
        uid: str,
        session: str,
        headers: dict[str, str],
        seconds: float = 4.0,
        status: int = 200,
    ) -> tuple[Exchange, Served]:
        """Answer a request at the present time of the clock, which is then behind the answer."""
        started = self.clock_ns
        first, ended = started + round(seconds * SECOND / 4), started + round(seconds * SECOND)
        served = Served(0, 0, 0)
        response: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        if status == 200:
            served, response = self._answer(body, answer, uid, headers, started, first)
        self.clock_ns = ended
        exchange = Exchange(
            id=uid,
            started_ns=started,
            first_chunk_ns=first,
            ended_ns=ended,
            mode="reverse",
            method="POST",
            url=self.url.format(model=body["model"]),
            request_headers=(("content-type", "application/json"), *headers.items()),
            response_headers=(("content-type", "application/json"),),
            status=status,
            client=Client(user_agent="simulated/1.0", peer="127.0.0.1"),
            session=session,
            request_body=_dumps({key: body[key] for key in body if self.url != GEMINI or key != "model"}).encode(),
            response_body=_dumps(response).encode(),
        )
        return exchange, served

    def _answer(
        self, body: dict[str, Any], answer: list[Any], uid: str, headers: dict[str, str], now: int, ready: int
    ) -> tuple[Served, dict[str, Any]]:
        if self.url == ANTHROPIC:
            return self._anthropic(body, answer, uid, headers, now, ready)
        if self.url == GEMINI:
            return self._gemini(body, answer, uid, now, ready)
        return self._openai(body, answer, uid, now, ready)

    def _gemini(
        self, body: dict[str, Any], answer: list[Any], uid: str, now: int, ready: int
    ) -> tuple[Served, dict[str, Any]]:
        cache = self.caches.setdefault("", SteppedCache(lives_ns=3600 * SECOND, minimum=2048, step=256))
        served = cache.serve(body["model"], gemini_blocks(body), now, ready)
        if self.misses is not None and self.misses.random() < 0.15:
            served = Served(served.total, 0, 0)
        # What else it keeps, nobody is promised.
        served = replace(served, left=served.read)
        usage = {"promptTokenCount": served.total, "candidatesTokenCount": tokens_of(_dumps(answer))}
        usage |= {"cachedContentTokenCount": served.read} if served.read else {}
        usage["totalTokenCount"] = served.total + usage["candidatesTokenCount"]
        candidate = {"content": {"role": "model", "parts": answer}, "finishReason": "STOP", "index": 0}
        return served, {
            "candidates": [candidate], "usageMetadata": usage, "modelVersion": body["model"], "responseId": uid
        }  # fmt: skip

    def _anthropic(
        self, body: dict[str, Any], answer: list[Any], uid: str, headers: dict[str, str], now: int, ready: int
    ) -> tuple[Served, dict[str, Any]]:
        model = body["model"]
        cache = self.caches.setdefault(model, MarkedCache(minimum=4096 if "haiku-4-5" in model else 1024))
        served = cache.serve(model + headers.get("anthropic-beta", ""), anthropic_blocks(body), now, ready)
        usage: dict[str, Any] = {
            "input_tokens": served.total - served.read - served.written,
            "cache_read_input_tokens": served.read,
            "cache_creation_input_tokens": served.written,
            "cache_creation": {
                "ephemeral_5m_input_tokens": served.written - served.written_1h,
                "ephemeral_1h_input_tokens": served.written_1h,
            },
            "output_tokens": tokens_of(_dumps(answer)),
        }
        response = {
            "id": f"msg_{uid}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": answer,
            "stop_reason": "tool_use" if answer[-1]["type"] == "tool_use" else "end_turn",
            "usage": usage,
        }
        if self.reason:
            response["diagnostics"] = {"cache_miss_reason": {"type": self.reason, "cache_missed_input_tokens": 1}}
        return served, response

    def _openai(
        self, body: dict[str, Any], answer: list[Any], uid: str, now: int, ready: int
    ) -> tuple[Served, dict[str, Any]]:
        keyed = ("prompt_cache_key", "service_tier", "reasoning", "reasoning_effort", "text", "response_format")
        seed = _dumps([body["model"], *(body.get(name) for name in keyed)])
        if self.exact:
            exact = self.caches.setdefault("", ExactCache(lives_ns=1800 * SECOND))
            served = exact.serve(seed, openai_blocks(body), now, ready)
        else:
            stepped = self.caches.setdefault("", SteppedCache(lives_ns=420 * SECOND))
            lives = 86_400 * SECOND if body.get("prompt_cache_retention") == "24h" else None
            served = stepped.serve(seed, openai_blocks(body), now, ready, lives)
        output = tokens_of(_dumps(answer))
        details = {"cached_tokens": served.read} | ({"cache_write_tokens": served.written} if self.exact else {})
        if self.url == RESPONSES:
            usage = {"input_tokens": served.total, "input_tokens_details": details, "output_tokens": output}
            usage["total_tokens"] = served.total + output
            response = {"id": f"resp_{uid}", "object": "response", "status": "completed", "model": body["model"]}
            response |= {"output": answer, "usage": usage}
            if self.reason:
                response["prompt_cache_diagnostics"] = {"type": "cache_miss", "reason": self.reason}
            return served, response
        usage = {"prompt_tokens": served.total, "prompt_tokens_details": details, "completion_tokens": output}
        usage["total_tokens"] = served.total + output
        choice = {"index": 0, "message": answer[0], "finish_reason": "stop"}
        model = f"{body['model']}-2025-04-14"
        return served, {"id": f"chatcmpl-{uid}", "model": model, "choices": [choice], "usage": usage}


PREAMBLE = 346
"""Hidden tokens of tools at Anthropic."""


def _stripped(value: Any) -> Any:
    return {key: each for key, each in value.items() if key != "cache_control"} if isinstance(value, dict) else value


def _ttl(value: Any) -> str | None:
    mark = value.get("cache_control") if isinstance(value, dict) else None
    return mark.get("ttl", "5m") if mark else None


def anthropic_blocks(body: dict[str, Any]) -> list[Block]:
    """The prompt as the cache sees it: tools, system, messages, and what invalidates from where on."""
    out: list[Block] = []
    for at, tool in enumerate(body.get("tools", ())):
        text = _dumps(_stripped(tool))
        out.append(Block(text.encode(), tokens_of(text) + 8 + PREAMBLE * (at == 0), _ttl(tool)))
    system = body.get("system", [])
    if isinstance(system, str):
        system = [{"type": "text", "text": system}]
    from_system = _dumps([body.get("speed"), (body.get("output_config") or {}).get("format")])
    from_messages = _dumps(
        [body.get("thinking"), body.get("tool_choice"), (body.get("output_config") or {}).get("effort")]
    )
    for block in system:
        if block["text"].startswith("x-anthropic-billing-header:"):
            continue
        out.append(Block((from_system + block["text"]).encode(), tokens_of(block["text"]) + 3, _ttl(block)))
    for at, message in enumerate(body["messages"]):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            text = message["role"] + _dumps(_stripped(block)) + (from_messages if at == 0 else "")
            size = tokens_of(_said(block)) + 4
            out.append(Block(text.encode(), size, _ttl(block)))
    return out


def _said(block: dict[str, Any]) -> str:
    if block["type"] == "tool_use":
        return f"{block['name']}{_dumps(block['input'])}"
    content = block.get("content", block.get("text", ""))
    return content if isinstance(content, str) else _dumps(content)


def openai_blocks(body: dict[str, Any]) -> list[Block]:
    """The prompt as the cache sees it: tools, then what is said, item by item, and the start of the answer."""
    out = []
    for tool in body.get("tools", ()):
        text = _dumps(tool)
        out.append(Block(text.encode(), tokens_of(text) + 6))
    if "instructions" in body:
        out.append(Block(body["instructions"].encode(), tokens_of(body["instructions"]) + 4))
    for item in body.get("messages", body.get("input", ())):
        size = tokens_of(_dumps([value for key, value in item.items() if key not in ("id", "tool_call_id", "call_id")]))
        out.append(Block(_dumps(item).encode(), size + 4))
    return out


def gemini_blocks(body: dict[str, Any]) -> list[Block]:
    """The prompt as the cache sees it: tools, system, contents part by part."""
    declared = [one for tool in body.get("tools", ()) for one in tool["functionDeclarations"]]
    out = [Block(_dumps(one).encode(), tokens_of(_dumps(one)) + 5) for one in declared]
    out += [Block(one["text"].encode(), tokens_of(one["text"]) + 2) for one in body["systemInstruction"]["parts"]]
    for content in body["contents"]:
        for part in content["parts"]:
            said = part.get("text") or _dumps(part)
            out.append(Block((content["role"] + said).encode(), tokens_of(said) + 2))
    return out
