"""A coding agent with helpers, as Claude Code puts them on the wire, over a provider with a real prompt cache.

What happens to it: a title is made beside it, two helpers work side by side and one of them has a helper of its own, a
tool's schema and an earlier message change, the prefix expires over lunch, a call is refused, the history is compacted.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from llmprof_addon.model.exchange import Client, Exchange
from tests.factories import STARTED_NS
from tests.simulator.agents import Agent, Said
from tests.simulator.providers import ANTHROPIC, Provider
from tests.tui.recording import MINUTE, SECOND, call_id

RUN = 7
APP = "claude-cli/2.1.329 (external, cli)"
SESSION = "5e55101d-0000-4000-8000-000000000007"
TASK = "Move the upload client to streaming, and keep the tests green."
EXPLORE = "Find every place that reads a whole upload into memory, and list file and line."
WRITE = "Write the tests for the streaming client first: small, large, and cut off in the middle."
LOOK = "Read the retry helper and say whether it is safe to call twice."

RULES = """You are Forge, a careful engineer who works in a terminal.

## Rules
Read before you edit. Keep changes small, run the tests after each of them, and say what you saw.

Today is {day}. The branch is clean and three commits ahead.
"""


@dataclass(slots=True)
class Crew:
    """The agents of one session and the calls that they have made."""

    provider: Provider
    rng: random.Random
    made: list[Exchange] = field(default_factory=list)

    def agent(self, task: str, *, model: str = "claude-sonnet-4-5", tools: int = 6, **headers: str) -> Agent:
        """An agent with a first request."""
        agent = Agent(self.rng, "anthropic", model)
        names = ("read_file", "search", "edit_file", "run_tests", "list_folder", "show_diff")[:tools]
        agent.tools = [{"name": name, "description": agent.words(60, 120)} for name in names]
        agent.system = [RULES.format(day="Monday") + agent.words(900, 1200)]
        agent.history = [Said("user", task)]
        agent.headers = {f"x-claude-code-{name.replace('_', '-')}": value for name, value in headers.items()}
        agent.params = {"stream": True}
        return agent

    def turn(
        self, agent: Agent, say: str, *calls: tuple[str, str, dict[str, str]], seconds: float = 6, status: int = 200
    ) -> None:
        """One call of an agent; `calls` are id, tool and arguments of what its answer asks for."""
        answer = Said("assistant", f"{say} {agent.words(10, 40)}", calls)
        headers = {"user-agent": APP, "x-claude-code-session-id": SESSION, **agent.headers}
        exchange, _ = self.provider.call(
            agent.body(),
            agent.wire(answer),
            uid=call_id(RUN, len(self.made)),
            session="",
            headers=headers,
            seconds=seconds,
            status=status,
        )
        self.made.append(replace(exchange, session=None, client=Client(user_agent=APP, peer="127.0.0.1")))
        if status == 200:
            agent.history.append(answer)
            agent.turns += 1

    def result(self, agent: Agent, text: str = "", *, seconds: float = 3) -> None:
        """The results of all tools that the agent's last answer asked for."""
        for call_id_, tool, _ in agent.history[-1].calls:
            agent.history.append(Said("result", text or f"{tool}: {agent.words(150, 500)}", call_id=call_id_))
        self.provider.clock_ns += round(seconds * SECOND)

    def work(self, agent: Agent, turns: int) -> None:
        """Some turns with a tool each; the last answer asks for none."""
        for step in range(turns):
            last = step + 1 == turns
            tool = agent.tools[step % len(agent.tools)]["name"]
            name = f"toolu_{len(self.made)}"
            self.turn(
                agent, f"Step {step + 1}.", *(() if last else ((name, tool, {"path": f"src/{agent.words(1, 1)}.py"}),))
            )
            if not last:
                self.result(agent)


def crew(started_ns: int = STARTED_NS + 90 * MINUTE) -> Iterator[Exchange]:
    """The calls of the session, as they were made."""
    rng = random.Random("crew")
    crew = Crew(Provider(ANTHROPIC, started_ns), rng)
    main = crew.agent(TASK, request_class="main")
    title = crew.agent(f"A title for: {TASK}", model="claude-haiku-4-5", tools=0, request_class="auxiliary")
    title.system = ["Make a title of at most five words."]
    crew.turn(title, "Streaming uploads", seconds=1)
    crew.work(main, 3)
    main.history.append(Said("user", "Let helpers look at it first."))
    spawned = (("toolu_explore", "Agent", {"prompt": EXPLORE}), ("toolu_write", "Agent", {"prompt": WRITE}))
    crew.turn(main, "Two helpers.", *spawned)
    explore = crew.agent(EXPLORE, request_class="subagent", agent_id="a1f0c0de", agent_type="Explore")
    write = crew.agent(WRITE, request_class="subagent", agent_id="b2f0c0de", agent_type="general-purpose")
    crew.work(explore, 3)
    crew.work(write, 2)
    explore.history.append(Said("user", "Look closer."))
    crew.turn(explore, "One more.", ("toolu_look", "Agent", {"prompt": LOOK}))
    look = crew.agent(
        LOOK, request_class="subagent", agent_id="c3f0c0de", agent_type="Explore", parent_agent_id="a1f0c0de"
    )
    crew.work(look, 2)
    crew.result(explore, "It is safe.")
    crew.work(explore, 1)
    write.history.append(Said("user", "Go on."))
    crew.work(write, 3)
    crew.result(main, "Found four places.")
    crew.work(main, 2)
    main.tools[1] = main.tools[1] | {"description": "Search the repository. " + main.tools[1]["description"]}
    main.history.append(Said("user", "Now change them."))
    crew.work(main, 3)
    crew.provider.clock_ns += 47 * MINUTE
    main.history.append(Said("user", "I am back from lunch. Are the tests green?"))
    crew.turn(main, "", seconds=2, status=529)
    crew.provider.clock_ns += 5 * SECOND
    crew.work(main, 2)
    main.system = [main.system[0].replace("Monday", "Tuesday")]
    main.history.append(Said("user", "Clean up."))
    crew.work(main, 3)
    sums = crew.agent("Sum up what was done so far.", tools=0, request_class="compaction", compaction="auto")
    sums.system, sums.history = main.system, [*main.history, Said("user", "Sum up what was done so far.")]
    sums.tools = main.tools
    crew.turn(sums, "Four places were changed.", seconds=9)
    main.history = [Said("user", "What was done so far: four places were changed. " + main.words(60, 90))]
    main.headers |= {"x-claude-code-context-compacted": "auto"}
    crew.turn(main, "Ready.")
    del main.headers["x-claude-code-context-compacted"]
    main.history.append(Said("user", "Thanks. Write the changelog."))
    crew.work(main, 2)
    yield from crew.made
