"""The Responses API over WebSocket as Codex speaks it: a scripted provider, and a client behind a real proxy."""

import asyncio
import itertools
import json
import random
import ssl
from collections.abc import Coroutine
from typing import Any

from llmprof_addon.pipeline import Explanation, explain
from llmprof_addon.spool import files
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from llmprof_addon.store.rows import CallRow
from tests.e2e.running import Proxy, until
from tests.e2e.sockets import Peer, Upgrade, connect

HOSTS = ("api.openai.com", "chatgpt.com")
PATHS = {"reverse": "/v1/responses", "forward": "/backend-api/codex/responses"}
KEY = "sk-fake-0123456789-of-the-socket"
SESSION = "7f000000-0000-4000-8000-00000000000a"
MODEL = "gpt-5.1-codex"
TOOL = {"type": "function", "name": "exec_command", "description": "Run it.", "parameters": {"type": "object"}}
SYSTEM = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You mend clocks. " * 40}]}
PLACE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<place>workshop</place>"}]}
numbers = itertools.count(1)


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def create(*items: dict[str, Any], case: str, **more: Any) -> dict[str, Any]:
    turn = json.dumps({"session_id": SESSION, "thread_id": SESSION, "request_kind": "turn", "turn_id": f"turn-{case}"})
    metadata = {"case": case, "x-codex-turn-metadata": turn, "x-codex-window-id": f"{SESSION}:0"}
    common = {"model": MODEL, "tools": [TOOL], "tool_choice": "auto", "store": False, "stream": True}
    return {"type": "response.create", **common, "input": list(items), "client_metadata": metadata, **more}


def events(request: dict[str, Any], id_: str) -> list[dict[str, Any]]:
    """What the provider answers: a tool call where the last item says `look`, else a text."""
    last = json.dumps(request["input"][-1:])
    shell = {"id": id_, "object": "response", "model": MODEL, "status": "in_progress", "output": []}
    item: dict[str, Any] = {"type": "message", "id": f"msg_{id_}", "role": "assistant", "status": "completed"}
    item["content"] = [{"type": "output_text", "text": "It ticks.", "annotations": []}]
    if "look" in last:
        item = {"type": "function_call", "id": f"fc_{id_}", "call_id": f"call_{id_}", "name": "exec_command"}
        item |= {"arguments": '{"cmd": "ls"}', "status": "completed"}
    output = [] if request.get("generate") is False else [item]
    usage = {"input_tokens": 400, "input_tokens_details": {"cached_tokens": 128}, "output_tokens": 9 * len(output)}
    usage |= {"output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 400 + 9 * len(output)}
    done = [{"type": "response.output_item.done", "output_index": 0, "item": one} for one in output]
    if output and "content" in item:
        delta = {"output_index": 0, "content_index": 0, "item_id": item["id"], "delta": "It ticks."}
        done.insert(0, {"type": "response.output_text.delta", **delta})
    completed = {**shell, "status": "completed", "output": output, "usage": usage}
    told = [
        {"type": "response.created", "response": shell},
        *done,
        {"type": "response.completed", "response": completed},
    ]
    return [event | {"sequence_number": number} for number, event in enumerate(told)]


async def provider(peer: Peer, upgrade: Upgrade) -> None:
    """Answers every request; does at its word what real ones do by accident."""
    if "realtime" in upgrade.target:
        peer.keeps = False
        while (message := await peer.receive()) is not None:
            await peer.send(message)
        return
    while (message := await peer.receive()) is not None:
        if isinstance(message, bytes):
            await peer.send(message[::-1])
            continue
        if not message.startswith('{"type": "response.create"'):
            continue
        request = json.loads(message)
        text = json.dumps(request["input"])
        await peer.send(json.dumps({"type": "codex.rate_limits", "plan": "fake"}))
        if "die now" in text:
            await peer.send(json.dumps({"type": "response.created", "response": {"id": "resp_dying"}}))
            await peer.abort()
            return
        if "refuse" in text:
            error = {"type": "invalid_request_error", "code": "previous_response_not_found", "message": "Who?"}
            await peer.send(json.dumps({"type": "error", "status": 400, "error": error}))
            continue
        if "wait" in text:
            await peer.send(json.dumps({"type": "response.created", "response": {"id": "resp_waiting"}}))
            continue
        if "flood" in text:
            peer.keeps = False
            for number in range(100):
                delta = {"output_index": 0, "content_index": 0, "item_id": "m", "delta": f"{number} " + "x" * 10_000}
                await peer.send(json.dumps({"type": "response.output_text.delta", **delta}))
        spread = random.Random(text)
        for event in events(request, f"resp_{next(numbers)}"):
            told = json.dumps(event)
            cuts = sorted(spread.sample(range(1, len(told)), 3)) if "pieces" in text else ()
            await peer.send(told, cuts)


class Client:
    """A client behind the proxy, one way or the other."""

    def __init__(self, proxy: Proxy, way: str):
        self.proxy, self.way = proxy, way

    async def connect(self, case: str, path: str | None = None) -> Peer:
        forward = self.way == "forward"
        headers = (
            ("authorization", f"Bearer {KEY}"),
            ("originator", "codex_exec"),
            ("user-agent", "codex_exec/0.169.0 (Linux)"),
            ("session-id", SESSION),
            ("x-llmprof-tag", f"case:{case}"),
        )
        return await connect(
            self.proxy.forward_port if forward else self.proxy.reverse_port,
            path or PATHS[self.way],
            host="chatgpt.com",
            tls=ssl.create_default_context(cafile=self.proxy.bundle) if forward else None,
            headers=headers,
        )

    def kept(self, case: str) -> list[Any]:
        """The exchanges of a case as they went to the spool."""
        paths = sorted((self.proxy.home / "kept").glob("*.exchange"))
        made = [files.decode(path.read_bytes()) for path in paths]
        return [exchange for exchange in made if ("case", case) in exchange.tags]

    def explained(self, case: str, calls: int) -> list[Explanation]:
        """The stored calls of a case, in the order in which they started."""

        def tagged() -> list[CallRow]:
            if not self.proxy.stored():
                return []
            with open_store(f"sqlite:///{self.proxy.home}/llmprof.db", read_only=True) as store:
                return [row for row in queries.calls(store) if row.tags.get("case") == case][::-1]

        until(lambda: len(tagged()) >= calls, 60, lambda: self.proxy.log)
        with open_store(f"sqlite:///{self.proxy.home}/llmprof.db", read_only=True) as store:
            found = [explain(store, row) for row in tagged()]
        assert len(found) == calls
        return found


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    async def limited() -> Any:
        return await asyncio.wait_for(coroutine, 60)

    return asyncio.run(limited())


async def ask(peer: Peer, request: dict[str, Any]) -> dict[str, Any]:
    """Send a request, read up to its end; the last message."""
    await peer.send(json.dumps(request))
    while (message := await peer.receive()) is not None:
        told: dict[str, Any] = json.loads(message)
        if told["type"] in ("response.completed", "error"):
            return told
    raise AssertionError("the socket was closed before the answer's end")


async def session(client: Client, case: str) -> Peer:
    """A pre-warm, then three turns, of which the second brings the first one's tool output."""
    peer = await client.connect(case)
    done = await ask(peer, create(SYSTEM, PLACE, case=case, generate=False))
    done = await ask(peer, create(said("Please look."), case=case, previous_response_id=done["response"]["id"]))
    call = done["response"]["output"][0]["call_id"]
    result = {"type": "function_call_output", "call_id": call, "output": "clock.txt " * 30}
    done = await ask(peer, create(result, case=case, previous_response_id=done["response"]["id"]))
    await ask(peer, create(said("Thank you."), case=case, previous_response_id=done["response"]["id"]))
    await peer.close()
    return peer


def tokens(explained: Explanation) -> dict[str, int]:
    return {total.kind.value: total.tokens for total in explained.row.composition}
