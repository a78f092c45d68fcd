"""What single agents need beside the variables that every child gets: data, one row an agent.

The rows follow what the agents were seen to do (Claude Code 2.1.197 and 2.1.329, Codex 0.169.0) and what the others
document of themselves. `{reverse}` stands for the base URL of the reverse listener.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent, found by the name of its command."""

    name: str
    commands: tuple[str, ...]
    trusts: tuple[str, ...]
    """The variables that name the authorities it trusts, any of which is enough."""
    reverse: Mapping[str, str] = field(default_factory=dict)
    """Variables that lead it to the reverse listener."""
    reverse_arguments: tuple[str, ...] = ()
    """What has to stand behind its command for that, where no variable does it."""
    note: str = ""
    """What interception itself changes in what it sends, or what a person has to know."""


AGENTS: tuple[Agent, ...] = (
    Agent(
        name="claude",
        commands=("claude",),
        trusts=("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"),
        reverse={
            "ANTHROPIC_BASE_URL": "{reverse}",
            # What it does by itself only towards the provider's own host.
            "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",
            "ENABLE_TOOL_SEARCH": "true",
        },
        # `env` of its settings file wins over the environment.
        reverse_arguments=("--settings", '{{"env":{{"ANTHROPIC_BASE_URL":"{reverse}"}}}}'),
        note="behind a base URL Claude Code sends another prompt (measured with 2.1.197: 26 tools and 22.6k tokens,"
        " against 11 tools and 14.7k in forward mode) and leaves out the ids of its cache diagnosis",
    ),
    Agent(
        name="codex",
        commands=("codex",),
        trusts=("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"),
        reverse_arguments=("-c", 'openai_base_url="{reverse}/v1"'),
        note="Codex reads no variable for its base URL, and ignores NODE_EXTRA_CA_CERTS",
    ),
    Agent(
        name="gemini",
        commands=("gemini",),
        trusts=("NODE_EXTRA_CA_CERTS",),
        reverse={"GOOGLE_GEMINI_BASE_URL": "{reverse}/gemini", "CODE_ASSIST_ENDPOINT": "{reverse}/code_assist"},
    ),
    Agent(
        name="aider",
        commands=("aider",),
        trusts=("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
        reverse={"OPENAI_API_BASE": "{reverse}/v1", "ANTHROPIC_BASE_URL": "{reverse}"},
    ),
    Agent(
        name="opencode",
        commands=("opencode",),
        trusts=("NODE_EXTRA_CA_CERTS",),
        note="opencode takes base URLs from its own configuration alone: use forward mode",
    ),
    Agent(
        name="copilot",
        commands=("copilot",),
        trusts=("NODE_EXTRA_CA_CERTS",),
        reverse={"COPILOT_API_URL": "{reverse}/copilot"},
    ),
    Agent(
        name="goose",
        commands=("goose",),
        trusts=("SSL_CERT_FILE",),
        reverse={"OPENAI_HOST": "{reverse}", "ANTHROPIC_HOST": "{reverse}"},
    ),
    Agent(name="cline", commands=("cline",), trusts=("NODE_EXTRA_CA_CERTS",)),
)

GENERIC = Agent(
    name="generic",
    commands=(),
    trusts=("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    reverse={
        "OPENAI_BASE_URL": "{reverse}/v1",
        "OPENAI_API_BASE": "{reverse}/v1",
        "ANTHROPIC_BASE_URL": "{reverse}",
        "GOOGLE_GEMINI_BASE_URL": "{reverse}/gemini",
        "OLLAMA_HOST": "{reverse}/ollama",
    },
)
"""Any other program: the variables that SDKs read."""


def agent_of(command: Sequence[str]) -> Agent:
    """The agent that a command starts, also through `npx` or `uvx`; `GENERIC` for any other program."""
    names = [Path(word).name.partition("@")[0].removesuffix(".exe").removesuffix(".js") for word in command[:3]]
    if names and names[0] not in ("npx", "uvx", "bunx", "pnpm", "node"):
        names = names[:1]
    by_command = {name: agent for agent in AGENTS for name in agent.commands}
    return next((by_command[name] for name in names if name in by_command), GENERIC)
