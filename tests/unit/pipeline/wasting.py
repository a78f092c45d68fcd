"""An agent of Anthropic's in real traffic, which can be made to waste."""

import json
import random
from dataclasses import replace
from typing import Any

from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import Store
from tests.factories import STARTED_NS
from tests.simulator.agents import WORDS
from tests.simulator.caches import SECOND
from tests.simulator.providers import ANTHROPIC, Provider

BOOK = PriceBook(None)
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}


class Agent:
    """An agent of Anthropic's that marks its prompts, and can be made to waste."""

    def __init__(self, store: Store, *, servers: tuple[str, ...] = ()) -> None:
        self.store, self.chance = store, random.Random(5)
        self.provider = Provider(ANTHROPIC, STARTED_NS)
        names = ["read_file", "run", *(f"mcp__{server}__{name}" for server in servers for name in ("find", "list"))]
        self.tools = [{"name": name, "description": self.words(60), "input_schema": SCHEMA} for name in names]
        self.system = self.words(1_500)
        self.messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": self.words(40)}]}]
        self.turns = 0

    def words(self, number: int) -> str:
        return " ".join(f"{self.chance.choice(WORDS)}{self.chance.randint(0, 99)}" for _ in range(number))

    def turn(
        self,
        result: str,
        *,
        tool: str = "read_file",
        path: str | None = None,
        ttl: str = "5m",
        outcome: str = "complete",
    ) -> str:
        """One call, and what the tool that it asks for gives; the call's id."""
        self.turns += 1
        uid, marker = f"{self.turns:032x}", {"type": "ephemeral"} | ({} if ttl == "5m" else {"ttl": ttl})
        arguments = {"path": path or f"src/{self.words(1)}.py"}
        asked = {"type": "tool_use", "id": f"toolu_{self.turns}", "name": tool, "input": arguments}
        said = [{"type": "text", "text": f"Next is {arguments['path']}."}, asked]
        messages = json.loads(json.dumps(self.messages))
        messages[-1]["content"][-1]["cache_control"] = marker
        body = {
            "model": "claude-sonnet-4-5",
            "max_tokens": 4000,
            "tools": self.tools,
            "system": [{"type": "text", "text": self.system, "cache_control": marker}],
            "messages": messages,
        }
        self.provider.clock_ns += 20 * SECOND
        exchange, _ = self.provider.call(body, said, uid=uid, session="planted", headers={})
        process(replace(exchange, outcome=outcome), self.store, BOOK)  # type: ignore[arg-type]
        if outcome == "complete":
            given = {"type": "tool_result", "tool_use_id": asked["id"], "content": result}
            self.messages += [{"role": "assistant", "content": said}, {"role": "user", "content": [given]}]
        return uid

    def work(self, turns: int = 6) -> None:
        """Read so many files."""
        for _ in range(turns):
            self.turn(self.words(120))
