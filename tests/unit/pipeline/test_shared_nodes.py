"""Two dialects that are sent the same JSON share its nodes, though one reads parts inside that the other does not."""

from itertools import permutations
from pathlib import Path

import pytest

from llmprof_addon.cli import laws
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.factories import CHAT_URL, MESSAGES_URL, make_exchange

PICTURE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "14 files"}, PICTURE]}
MESSAGES = [
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "ls", "input": {}}]},
    {"role": "user", "content": [RESULT]},
]
CONVERSE_URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/converse"


@pytest.mark.parametrize("urls", list(permutations((MESSAGES_URL, CHAT_URL, CONVERSE_URL))))
def test_each_call_is_stored_and_obeys_the_laws(urls: tuple[str, ...], tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        for number, url in enumerate(urls):
            body = {"model": "some-model", "messages": MESSAGES}
            exchange = make_exchange(body, {}, id=f"{number:032x}", url=url)
            assert process(exchange, store, PriceBook()) is not None
        for number in range(len(urls)):
            row = queries.call(store, f"{number:032x}")
            assert row is not None
            assert list(laws.check_call(store, row)) == []
