import pytest

from llmprof_addon.capture.agents import AGENTS, GENERIC, agent_of


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("claude -p hello", "claude"),
        ("/usr/local/bin/codex exec hello", "codex"),
        ("npx @openai/codex exec", "codex"),
        ("npx -y gemini@latest", "gemini"),
        ("node ./node_modules/.bin/opencode", "opencode"),
        ("python claude", "generic"),
        ("bash -c claude", "generic"),
        ("", "generic"),
    ],
)
def test_an_agent_is_known_by_its_command(command: str, name: str) -> None:
    assert agent_of(command.split()).name == name


@pytest.mark.parametrize("agent", [*AGENTS, GENERIC], ids=lambda agent: agent.name)
def test_every_row_can_be_filled_in(agent: object) -> None:
    assert agent.trusts  # type: ignore[attr-defined]
    texts = [*agent.reverse.values(), *agent.reverse_arguments]  # type: ignore[attr-defined]
    assert all("{" not in text.format(reverse="http://here").replace('{"env":{', "") for text in texts)
