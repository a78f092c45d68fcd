import json
import random
import zlib

import pytest

from llmprof_addon.store.compress import pack, squeeze, unpack, unsqueeze

CONTENTS = {
    "empty": b"",
    "tiny": b"{}",
    "64 bytes": b"a" * 64,
    "65 bytes": b"a" * 65,
    "repetitive": b"words " * 2000,
    "incompressible": random.Random(1).randbytes(500),
}


@pytest.mark.parametrize("data", CONTENTS.values(), ids=CONTENTS)
def test_contents_come_back(data: bytes) -> None:
    stored = pack(data)
    assert len(stored) <= len(data)
    assert unpack(stored, len(data)) == data


def test_contents_of_a_version_without_the_dictionary_come_back() -> None:
    data = json.dumps({"type": "text", "text": "words and more words " * 20}).encode()
    assert unpack(zlib.compress(data, 6), len(data)) == data


def test_a_damaged_content_is_an_error() -> None:
    data = b"words and more words " * 20
    stored = pack(data)
    for damaged in (stored[:-1], stored[:9], stored[:-1] + bytes([stored[-1] ^ 1])):
        with pytest.raises(zlib.error):
            unpack(damaged, len(data))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text", "text": "The tests pass."},
        {"type": "tool_use", "id": "toolu_01AbC", "name": "read", "input": {"path": "src/main.py"}},
        {"role": "tool", "tool_call_id": "call_1", "content": "no such file"},
    ],
    ids=("text", "tool call", "tool result"),
)
def test_small_contents_are_packed(part: dict[str, object]) -> None:
    data = json.dumps(part, separators=(",", ":")).encode()
    assert len(pack(data)) < 0.75 * min(len(data), len(zlib.compress(data, 9)))


def test_small_documents_come_back_small() -> None:
    headers = [["content-type", "application/json"], ["server", "cloudflare"], ["cf-ray", "9abc-FRA"]]
    document = {"request_headers": headers, "odd": "half \ud83d a pair", "n": [1, 2.5, None, True]}
    stored = squeeze(document)
    assert unsqueeze(stored) == document
    assert len(squeeze({"request_headers": headers})) < 50
