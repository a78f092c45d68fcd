"""What is said in the comparison with other proxies: prompts of agents, and the answers, the same in every process.

All of it follows from a seed. Answers to a conversation are found by what its prompt says (`answer_key`), since some
proxies write a body anew before they send it on.
"""

import json
import re
from collections.abc import Iterable

from llmprof_addon.model.exchange import Exchange
from tests.benchmarks.growth import BYTES_A_TURN, conversation

SEED = 0
TURNS = 100
AGENTS = 8
"""That send the large prompts in the background, in turn."""
OPENING_BYTES = 150_000
BACKGROUND_BYTES = 2_000
"""That they read in a turn."""
BACKGROUND_SEED = 1_000

CHUNKS = 40
PAUSE_SECONDS = 0.01
"""Between two chunks of a stream."""

_SAID = (
    b'{"model":"claude-sonnet-4-5","max_tokens":64,%s"messages":[{"role":"user","content":"Say ok, please: %08d."}]}'
)
DELTA = b'"text_delta"'
"""Stands once in each chunk of a stream between the first and the last."""


def small(number: int, stream: bool = False) -> bytes:
    """A prompt of one line, of the same length for every number."""
    return _SAID % (b'"stream":true,' if stream else b"", number)


def talks(number: int, step: int = BYTES_A_TURN) -> list[list[Exchange]]:
    """So many conversations of an agent that reads files of `step` bytes, from the first turn to the last."""
    return [conversation(SEED + at, TURNS, step) for at in range(number)]


def background(calls: int) -> list[Exchange]:
    """So many calls with prompts of some 200 KB, of agents that have come far, each going on from its last one."""
    turns = -(-calls // AGENTS)
    made = [conversation(BACKGROUND_SEED + at, turns, BACKGROUND_BYTES, OPENING_BYTES) for at in range(AGENTS)]
    return [one for turn in zip(*made, strict=True) for one in turn][:calls]


def answer_key(body: bytes) -> tuple[int, int] | None:
    """Conversation and turn of a prompt; `None` for a small one."""
    if found := _PROJECT.search(body):
        return int(found[1]), body.count(b'"tool_use_id"')
    return None


_PROJECT = re.compile(rb"files of project (\d+)\.")


def answers(exchanges: Iterable[Exchange]) -> dict[tuple[int, int], bytes]:
    """Their answers, by what the prompts say."""
    found = {}
    for exchange in exchanges:
        key = answer_key(exchange.request_body)
        assert key is not None
        found[key] = exchange.response_body
    return found


def _answer(text: str) -> dict[str, object]:
    usage = {"input_tokens": 17, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 4}
    return {
        "id": "msg_small", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_sequence": None,
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage,
    }  # fmt: skip


SMALL_ANSWER = json.dumps(_answer("ok")).encode()


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()


def _stream() -> list[bytes]:
    begun = _answer("") | {"content": [], "stop_reason": None}
    block = {"type": "text", "text": ""}
    words = [{"type": "text_delta", "text": f"word {number} "} for number in range(CHUNKS)]
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        _event("message_start", message=begun) + _event("content_block_start", index=0, content_block=block),
        *(_event("content_block_delta", index=0, delta=word) for word in words),
        _event("content_block_stop", index=0)
        + _event("message_delta", delta=ended, usage={"output_tokens": 3 * CHUNKS})
        + _event("message_stop"),
    ]


STREAM = _stream()
"""The chunks of a streamed answer."""
