"""The demo's client: an HTTP client that runs the scripted conversation as an agent would, over either way in."""

import http.client
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llmprof_addon.cli.demo.script import MODEL, REMINDER, REQUEST, SYSTEM, TOOLS, TURNS
from llmprof_addon.model.part import Json
from llmprof_addon.wire import sse

HOST = "api.anthropic.com"
CACHED = {"type": "ephemeral"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The two ways into the proxy."""

    host: str
    reverse_port: int
    forward_port: int
    ca_file: Path
    """The proxy's CA certificate, which the forward way has to trust."""


def run(ways: Ways, progress: Callable[[int, str], None]) -> None:
    """Run all turns, the first half with the proxy as base URL, the second through it as HTTPS proxy."""
    reminder = REMINDER.format(started=f"{datetime.now():%Y-%m-%d %H:%M:%S}")
    messages: list[Json] = [
        {"role": "user", "content": [{"type": "text", "text": reminder}, {"type": "text", "text": REQUEST}]}
    ]
    for number, turn in enumerate(TURNS):
        mode = "reverse" if number < len(TURNS) // 2 else "forward"
        progress(number, mode)
        answer = _send(ways, mode, _body(messages))
        messages.append({"role": "assistant", "content": answer})
        calls = [block for block in answer if block["type"] == "tool_use"]
        if not calls:
            return
        results = [{"type": "tool_result", "tool_use_id": call["id"], "content": turn.result} for call in calls]
        messages.append({"role": "user", "content": results})


def _body(messages: list[Json]) -> Json:
    """The request, with cache markers behind the system prompt and on the newest block, as agents set them."""
    *earlier, last = messages
    *blocks, newest = last["content"]
    marked = {**last, "content": [*blocks, {**newest, "cache_control": CACHED}]}
    return {
        "model": MODEL,
        "max_tokens": 4096,
        "stream": True,
        "system": [{"type": "text", "text": SYSTEM, "cache_control": CACHED}],
        "tools": TOOLS,
        "messages": [*earlier, marked],
    }


def _send(ways: Ways, mode: str, body: Json) -> list[dict[str, Any]]:
    """Send one request and return the content blocks of the streamed answer."""
    connection: http.client.HTTPConnection
    if mode == "reverse":
        connection = http.client.HTTPConnection(ways.host, ways.reverse_port, timeout=60)
    else:
        context = ssl.create_default_context(cafile=str(ways.ca_file))
        connection = http.client.HTTPSConnection(ways.host, ways.forward_port, timeout=60, context=context)
        connection.set_tunnel(HOST, 443)
    headers = {
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "x-api-key": "sk-ant-fake-demo-key",
        "user-agent": "llmprof-demo/1.0",
    }
    try:
        connection.request("POST", "/v1/messages", json.dumps(body), headers)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise ConnectionError(f"the demo's upstream answered {response.status}: {data[:200].decode(errors='replace')}")
    return _blocks(data)


def _blocks(data: bytes) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    arguments: list[str] = []
    for event in sse.parse(data):
        value = json.loads(event.data)
        match value["type"]:
            case "content_block_start":
                blocks.append(dict(value["content_block"]))
                arguments.clear()
            case "content_block_delta" if value["delta"]["type"] == "text_delta":
                blocks[-1]["text"] += value["delta"]["text"]
            case "content_block_delta":
                arguments.append(value["delta"]["partial_json"])
            case "content_block_stop" if arguments:
                blocks[-1]["input"] = json.loads("".join(arguments))
    return blocks
