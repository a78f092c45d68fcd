"""What happens to each call: it follows from a seed and the call's number, the same for both ends of the wire."""

import gzip
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from tests.e2e import answers
from tests.e2e.test_no_secret_written import KEYS, OPAQUE

type Ending = Literal["whole", "cut", "refused", "left", "no call"]
"""What the client sees: all of it; a part and no end; our error; what came before it left; an error or nothing."""
type Wire = Literal["http", "websocket"]

UPSTREAM: dict[str, Ending] = {
    "hangs before": "left",
    "hangs inside": "left",
    "resets before": "refused",
    "resets inside": "cut",
    "closes before": "refused",
    "closes inside": "cut",
    "garbage head": "refused",
    "garbage chunk": "cut",
    "trailers": "whole",
    "early hints": "whole",
    "too short": "cut",
    "too long": "whole",
    "endless": "left",
    "slow": "whole",
    "an error": "whole",
    "closes after": "whole",
    "socket breaks": "cut",
}
"""What the upstream may do to a call."""
CLIENT: dict[str, Ending] = {
    "leaves in headers": "no call",
    "leaves in body": "left",
    "leaves waiting": "left",
    "leaves at first chunk": "left",
    "leaves mid stream": "left",
    "leaves at end": "left",
    "sends garbage": "no call",
    "sends trailers": "whole",
    "sends slowly": "whole",
    "leaves socket": "left",
}
"""What the client may do."""
FAULTS = UPSTREAM | CLIENT
_OF_SOCKETS = ("socket breaks", "leaves socket")
_CHUNKED = ("garbage chunk", "trailers")
_STREAMED = ("endless", "leaves at first chunk", "leaves mid stream")
_WRITERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "/v1/chat/completions": answers.chat,
    "/v1/messages": answers.messages,
    "/v1/responses": answers.responses,
}
_MODELS = {"/v1/messages": "claude-haiku-4-5"}
_WORDS = "fog harbour rope lantern tide gull anchor cable mast hull keel wharf sail pilot buoy chart".split()
_PARAGRAPHS = [" ".join(random.Random(number).choices(_WORDS, k=60)) + f" ({number})." for number in range(64)]
_SECRETS = list(KEYS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One call."""

    number: int
    fault: str
    """A name of `FAULTS`, or empty."""
    wire: Wire
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    payload: bytes
    """The body of the answer; of one without an end its beginning."""
    framing: Literal["length", "chunked", "close"]
    input_tokens: int
    """What the answer reports."""
    chance: float
    """Between 0 and 1: where a fault strikes."""

    @property
    def ending(self) -> Ending:
        """What the client has to see."""
        return FAULTS[self.fault] if self.fault else "whole"

    @property
    def at(self) -> int:
        """The place in the answer's body where a fault strikes, if it does within."""
        return int(self.chance * max(len(self.payload) - 1, 0))

    @property
    def rng(self) -> random.Random:
        """Chance for the rest: splits, pauses, how somebody leaves."""
        return random.Random(f"{self.number} {self.chance}")


def plan(seed: int, number: int, share: float = 0.0, fault: str | None = None) -> Plan:
    """The plan of a call: with this fault (or none, if empty), else with one of chance in this share of them."""
    rng = random.Random(f"{seed} {number}")
    if fault is None:
        fault = rng.choice(list(FAULTS)) if rng.random() < share else ""
    socket = fault in _OF_SOCKETS or (not fault and rng.random() < 0.005)
    path = "/v1/responses" if socket else rng.choice(list(_WRITERS))
    secret = rng.choice(_SECRETS) if rng.random() < 0.5 else "nothing"
    streams = fault in _STREAMED or socket or rng.random() < 0.6
    body = _request(rng, number, path, secret, streams)
    whole, events = _WRITERS[path](body)
    status, payload, told = 200, json.dumps(whole).encode(), {"content-type": "application/json"}
    if fault == "an error":
        status, payload = rng.choice(
            [(429, b'{"error":{"message":"Slower."}}'), (503, b"<html>Busy.</html>"), (401, b"")]
        )
        payload = payload.replace(b"Slower", f"Slower, {secret!r}".encode())
    elif streams:
        payload, told = "".join(events).encode(), {"content-type": "text/event-stream"}
    elif rng.random() < 0.2:
        payload, told = gzip.compress(payload, 1, mtime=0), told | {"content-encoding": "gzip"}
    framing: Any = "chunked" if streams else rng.choice(["length", "length", "chunked", "close"])
    if fault in _CHUNKED:
        framing = "chunked"
    elif fault in ("too short", "too long") or (fault and framing == "close"):
        framing = "length"
    query = f"?key={quote(OPAQUE['query'], safe='')}&note={quote(secret, safe='')}" if rng.random() < 0.2 else ""
    return Plan(
        number=number,
        fault=fault,
        wire="websocket" if socket else "http",
        path=path + query,
        headers=_headers(rng, number, secret),
        body=json.dumps({"type": "response.create", **body} if socket else body).encode(),
        status=status,
        answer_headers=told | ({"x-echoed": secret.replace("\n", " ")} if rng.random() < 0.2 else {}),
        payload=payload,
        framing=framing,
        input_tokens=answers.input_tokens(body),
        chance=rng.random(),
    )


def _request(rng: random.Random, number: int, path: str, secret: str, streams: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": _MODELS.get(path, "gpt-4o-mini"), "stream": streams}
    first = rng.randrange(0, len(_PARAGRAPHS), 8)
    turns = _PARAGRAPHS[first : first + 2 * rng.randrange(5)]
    said = [{"role": role, "content": text} for role, text in zip(itertools.cycle(("user", "assistant")), turns)]
    last = {"role": "user", "content": f"Call {number}: it is\n{secret}"}
    if path == "/v1/responses":
        return body | {"instructions": rng.choice(_PARAGRAPHS[:8]), "input": [*said, last]}
    if path == "/v1/messages":
        return body | {"system": rng.choice(_PARAGRAPHS[:8]), "max_tokens": 100, "messages": [*said, last]}
    system = {"role": "system", "content": rng.choice(_PARAGRAPHS[:8])}
    return body | {"messages": [system, *said, last], "stream_options": {"include_usage": True}}


def _headers(rng: random.Random, number: int, secret: str) -> dict[str, str]:
    echo = secret.replace("\n", " ")
    headers = {"content-type": "application/json", "x-llmprof-tag": f"call:{number}", "x-number": str(number)}
    headers["x-llmprof-session"] = f"storm-{number // 20}"
    headers["user-agent"] = f"storm/1 {echo}" if rng.random() < 0.1 else "storm/1"
    if rng.random() < 0.5:
        return headers | {"authorization": f"Bearer {OPAQUE['bearer']}"}
    return headers | {"x-api-key": OPAQUE["x-api-key"], "cookie": f"session={OPAQUE['cookie']}"}
