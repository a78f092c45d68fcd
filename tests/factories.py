"""Central values with sensible defaults: each test names only what it is about."""

import json
import tomllib
from base64 import b64encode
from pathlib import Path
from struct import pack
from typing import Any
from zlib import crc32

from llmprof_addon.model.call import Answer, Call, Prompt
from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.model.usage import Usage

STARTED_NS = 1_800_000_000_000_000_000
"""2027-01-15T08:00:00Z."""

CHAT_URL = "https://api.openai.com/v1/chat/completions"
MESSAGES_URL = "https://api.anthropic.com/v1/messages"
RESPONSES_URL = "https://api.openai.com/v1/responses"


def make_exchange(request: Json = None, response: Json = None, **fields: Any) -> Exchange:
    """An exchange of two seconds; `request` and `response` are JSON values, or bytes as they are."""
    given: dict[str, Any] = {
        "id": "0" * 31 + "1",
        "started_ns": STARTED_NS,
        "first_chunk_ns": STARTED_NS + 300_000_000,
        "ended_ns": STARTED_NS + 2_000_000_000,
        "mode": "reverse",
        "method": "POST",
        "url": MESSAGES_URL,
        "request_headers": (("content-type", "application/json"), ("user-agent", "test-client/1.0")),
        "response_headers": (("content-type", "application/json"),),
        "status": 200,
        "client": Client(user_agent="test-client/1.0", peer="127.0.0.1"),
        "request_body": body_bytes({} if request is None else request),
        "response_body": body_bytes({} if response is None else response),
    }
    return Exchange(**(given | fields))


def body_bytes(body: Json) -> bytes:
    """A body as a client sends it."""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def aws_message(name: str, payload: Json, *, kind: str = "event") -> bytes:
    """One message of an AWS event stream, as the service writes it."""
    named = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + pack(">H", len(value)) + value.encode()
        for key, value in named.items()
    )
    body = body_bytes(payload)
    prelude = pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + pack(">I", crc32(prelude)) + headers + body
    return message + pack(">I", crc32(message))


def aws_stream(lines: bytes) -> bytes:
    """An AWS event stream of the lines of a fixture: `{"event": name, "payload": {…}}`, or with a model's own `chunk`,
    which InvokeModel sends in base64."""
    out = b""
    for line in lines.splitlines():
        held = json.loads(line)
        kind = "exception" if held["event"].endswith("Exception") else "event"
        payload = {"bytes": b64encode(body_bytes(held["chunk"])).decode()} if "chunk" in held else held["payload"]
        out += aws_message(held["event"], payload, kind=kind)
    return out


def make_part(text: str | None = "Say hello.", **fields: Any) -> Part:
    """A user's text block that opens a message; its value follows from its text unless it is given."""
    given: dict[str, Any] = {
        "kind": PartKind.TEXT,
        "role": "user",
        "text": text,
        "value": {"type": "text", "text": text},
        "place": "messages/content",
        "wrapper": {"role": fields.get("role", "user")},
    }
    return Part(**(given | fields))


def make_tool(name: str = "read_file", description: str = "Read a file.", **fields: Any) -> Part:
    """A tool schema as the Messages API writes it."""
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    value = {"name": name, "description": description, "input_schema": schema}
    text = json.dumps(value, separators=(",", ":"))
    given: dict[str, Any] = {"kind": PartKind.TOOL_SCHEMA, "text": text, "name": name, "value": value, "place": "tools"}
    return Part(**(given | fields))


def make_usage(input_tokens: int | None = 100, output_tokens: int | None = 20, **fields: Any) -> Usage:
    """Reported usage."""
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens, **fields)


def make_call(
    *,
    tools: tuple[Part, ...] = (),
    system: tuple[Part, ...] = (),
    messages: tuple[Part, ...] | None = None,
    **fields: Any,
) -> Call:
    """A call to Anthropic of one user message, answered with one text."""
    messages = (make_part(),) if messages is None else messages
    parts = locate([*tools, *system, *messages])
    cut, end = len(tools), len(tools) + len(system)
    model = fields.get("request_model", "claude-sonnet-4-5")
    prompt = Prompt(
        tools=parts[:cut], system=parts[cut:end], messages=parts[end:], params={"model": model, "max_tokens": 100}
    )
    answer = Answer(
        parts=(make_part("Hello.", role="assistant"),),
        usage=make_usage(),
        response_id="msg_1",
        response_model=model,
        finish_reasons=("end_turn",),
    )
    given: dict[str, Any] = {
        "provider": "anthropic",
        "api": "anthropic.messages",
        "request_model": model,
        "prompt": prompt,
        "answer": answer,
        "price_provider": "anthropic",
    }
    return Call(**(given | fields))


FIXTURES = Path(__file__).parent.parent / "fixtures"


def fixture_cases(dialect: str) -> list[str]:
    """The names of a dialect's fixtures."""
    return sorted(path.parent.name for path in (FIXTURES / dialect).glob("*/meta.toml"))


RESPONSES = {
    "response.json": "application/json",
    "response.sse": "text/event-stream; charset=utf-8",
    "response.ndjson": "application/x-ndjson",
    "response.aws.jsonl": "application/vnd.amazon.eventstream",
}
"""File of a fixture's response, and the content type it came with."""


def fixture_exchange(dialect: str, case: str, **fields: Any) -> Exchange:
    """A fixture as capture would hand it over."""
    folder = FIXTURES / dialect / case
    meta = tomllib.loads((folder / "meta.toml").read_text(encoding="utf-8"))
    response = next(folder / name for name in RESPONSES if (folder / name).exists())
    body = response.read_bytes()
    given: dict[str, Any] = {
        "url": f"https://{meta['host']}{meta['path']}",
        "status": meta["status"],
        "transport": "sse" if response.suffix == ".sse" else "http",
        "request_headers": tuple(meta.get("request_headers", {}).items()),
        "response_headers": (("content-type", RESPONSES[response.name]), *meta.get("response_headers", {}).items()),
        "request_body": (folder / "request.json").read_bytes(),
        "response_body": aws_stream(body) if response.name == "response.aws.jsonl" else body,
    }
    return make_exchange(**(given | fields))
