"""Made-up answers of Bedrock: Converse, and InvokeModel with Claude's body; streams as AWS event stream."""

import json
from base64 import b64encode
from collections.abc import Iterable
from struct import pack
from zlib import crc32

from tests.e2e import answers
from tests.e2e.answers import ARGUMENTS
from tests.e2e.replay import Answer
from tests.e2e.sdks.asked import CITY, OUTPUT_TOKENS, Asked, Body, pieces


def message(event_type: str, payload: Body) -> bytes:
    """One event with its two checksums (Smithy, "Amazon Event Stream specification"): prelude, headers, payload."""
    named = ((":event-type", event_type), (":content-type", "application/json"), (":message-type", "event"))
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + pack(">H", len(value)) + value.encode() for name, value in named
    )
    data = json.dumps(payload).encode()
    prelude = pack(">II", 16 + len(headers) + len(data), len(headers))
    framed = prelude + pack(">I", crc32(prelude)) + headers + data
    return framed + pack(">I", crc32(framed))


def _streamed(events: Iterable[tuple[str, Body]]) -> Answer:
    return Answer(
        headers=(("content-type", "application/vnd.amazon.eventstream"), ("x-amzn-requestid", "made-up")),
        framing="chunked",
        chunks=[message(name, payload) for name, payload in events],
        pause_seconds=0.002,
    )


def asked(body: Body) -> Asked:
    """What a Converse request says."""
    block = body["messages"][-1]["content"][-1]
    result = block.get("toolResult")
    tools = body.get("toolConfig", {}).get("tools", ())
    return Asked(
        text=result["content"][0]["text"] if result else block["text"],
        is_result=bool(result),
        tool=tools[0]["toolSpec"]["name"] if tools else None,
        messages=len(body["messages"]),
    )


def converse(body: Body, *, stream: bool) -> Answer:
    """`/model/{id}/converse` and `converse-stream`."""
    said = asked(body)
    usage = {"inputTokens": said.input_tokens, "outputTokens": OUTPUT_TOKENS}
    usage["totalTokens"] = sum(usage.values())
    reason, metrics = "tool_use" if said.calls else "end_turn", {"latencyMs": 41}
    if not stream:
        block: Body = {"text": said.reply}
        if said.calls:
            block = {"toolUse": {"toolUseId": said.call_id, "name": said.calls, "input": CITY}}
        output = {"message": {"role": "assistant", "content": [block]}}
        whole = {"output": output, "stopReason": reason, "usage": usage, "metrics": metrics}
        return Answer(chunks=[json.dumps(whole).encode()])
    events: list[tuple[str, Body]] = [("messageStart", {"role": "assistant"})]
    if said.calls:
        start = {"toolUse": {"toolUseId": said.call_id, "name": said.calls}}
        events.append(("contentBlockStart", {"contentBlockIndex": 0, "start": start}))
        deltas: list[Body] = [{"toolUse": {"input": piece}} for piece in pieces(ARGUMENTS)]
    else:
        deltas = [{"text": piece} for piece in pieces(said.reply)]
    events += [("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}) for delta in deltas]
    events += [
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": reason}),
        ("metadata", {"usage": usage, "metrics": metrics}),
    ]
    return _streamed(events)


def invoke(body: Body, *, stream: bool) -> Answer:
    """`/model/{id}/invoke` and `invoke-with-response-stream` of a Claude: its own body, counts in headers too."""
    whole, events = answers.messages({**body, "model": "claude-haiku-4-5"})
    if not stream:
        usage = whole["usage"]
        counts = (
            ("x-amzn-bedrock-input-token-count", str(usage["input_tokens"])),
            ("x-amzn-bedrock-output-token-count", str(usage["output_tokens"])),
        )
        return Answer(headers=(("content-type", "application/json"), *counts), chunks=[json.dumps(whole).encode()])
    data = [json.loads(event.partition("data: ")[2]) for event in events]
    metrics = {"inputTokenCount": whole["usage"]["input_tokens"], "outputTokenCount": whole["usage"]["output_tokens"]}
    data[-1]["amazon-bedrock-invocationMetrics"] = metrics
    return _streamed(("chunk", {"bytes": b64encode(json.dumps(each).encode()).decode()}) for each in data)
