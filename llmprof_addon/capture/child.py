"""The environment of a program that is started to be recorded: proxy, trust in our authority, or base URLs.

What the environment already says is built upon: a corporate authority stays trusted, hosts that go without a proxy keep
doing so, and a corporate proxy is the one that ours goes through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmprof_addon.capture import ca
from llmprof_addon.capture.agents import GENERIC, Agent
from llmprof_addon.settings import Settings

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")

CA_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CURL_CA_BUNDLE",
    "CODEX_CA_CERTIFICATE",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "DENO_CERT",
)
"""The variables of all runtimes that take a file of authorities."""

_LOCAL = ("localhost", "127.0.0.1", "::1")

_NESTED = ("CLAUDECODE", "CLAUDE_CODE_SSE_PORT")
"""What an agent leaves in the environment of its children, and what makes one of its kind behave otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Variables to set, and to take away."""

    variables: Mapping[str, str]
    without: tuple[str, ...] = ()

    def applied(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment with this change."""
        kept = {name: value for name, value in environ.items() if name not in self.without}
        return kept | dict(self.variables)


def forward(settings: Settings, proxy_url: str, environ: Mapping[str, str]) -> Change:
    """Through the forward listener at this URL. Makes the bundle of authorities. Raises `StartError`."""
    bundle = str(bundle_of(settings, environ))
    variables = dict.fromkeys(PROXY_VARIABLES, proxy_url) | dict.fromkeys(CA_VARIABLES, bundle)
    given = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    no_proxy = ",".join([*hosts, *(host for host in _LOCAL if host not in hosts)])
    # Node has proxies in its own fetch, and looks at the variables only if it is told to.
    variables |= {"NO_PROXY": no_proxy, "no_proxy": no_proxy, "NODE_USE_ENV_PROXY": "1"}
    # An empty folder of authorities makes some OpenSSL clients trust nobody.
    empty = ("SSL_CERT_DIR",) if environ.get("SSL_CERT_DIR") == "" else ()
    return Change(variables=variables, without=(*(name for name in _NESTED if name in environ), *empty))


def reverse(base_url: str, agent: Agent, environ: Mapping[str, str]) -> Change:
    """To the reverse listener at this base URL, by the variables of this agent and of SDKs."""
    named = {**GENERIC.reverse, **agent.reverse}
    variables = {name: value.format(reverse=base_url) for name, value in named.items()}
    return Change(variables=variables, without=tuple(name for name in _NESTED if name in environ))


def reverse_command(command: list[str], base_url: str, agent: Agent) -> list[str]:
    """The command with the arguments that lead this agent to the reverse listener."""
    return [*command[:1], *(word.format(reverse=base_url) for word in agent.reverse_arguments), *command[1:]]


def bundle_of(settings: Settings, environ: Mapping[str, str]) -> Path:
    """A file with the usual authorities, those that this environment names in any variable, and our own."""
    named = {environ[name] for name in CA_VARIABLES if environ.get(name)}
    return ca.bundle_with(settings, sorted(path for path in map(Path, named) if path.is_file()))


def trusted_by(environ: Mapping[str, str]) -> dict[str, str]:
    """The files of authorities that an environment names, by variable."""
    return {name: environ[name] for name in CA_VARIABLES if environ.get(name)}
