"""Start the proxy and record, until ctrl-C.

Two ways in are open at once. Reverse: the application takes llmprof for the provider (base URL). Forward: the
application goes through llmprof as its HTTPS proxy; only the hosts of LLM providers are decrypted.

Examples:
  llmprof up
  llmprof up --port 4100 --forward-port 4101
  llmprof up --upstream https://openrouter.ai/api      OpenAI-compatible requests go there in reverse mode
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import home_flag

if TYPE_CHECKING:
    from llmprof_addon.capture.master import ProxyInfo
    from llmprof_addon.settings import Settings

FLAGS = ("host", "port", "forward_port", "upstream", "anthropic_upstream", "db_url", "pricing", "capture", "llm_hosts")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the settings that people change from the command line."""
    add = parser.add_argument
    add("--host", help="address to listen on (LLMPROF_HOST, 127.0.0.1)")
    add("--port", metavar="PORT", help="reverse listener, 0 = any free port (LLMPROF_PORT, 4000)")
    add("--forward-port", metavar="PORT", help="forward listener (LLMPROF_FORWARD_PORT, 4001)")
    add("--upstream", metavar="URL", help="where OpenAI-compatible requests go (LLMPROF_UPSTREAM)")
    add("--anthropic-upstream", metavar="URL", help="where Anthropic requests go (LLMPROF_ANTHROPIC_UPSTREAM)")
    add("--db-url", metavar="URL", help="sqlite:///PATH or postgresql://… (LLMPROF_DB_URL)")
    add("--pricing", metavar="JSON", help="price overrides (LLMPROF_PRICING)")
    add("--capture", metavar="DIR", help="save each call as a replayable exchange file (LLMPROF_CAPTURE)")
    add("--llm-hosts", metavar="HOST=API,…", help="more hosts to decrypt and record (LLMPROF_LLM_HOSTS)")
    add("--debug", action="store_true", default=None, help="log more (LLMPROF_DEBUG)")
    # Of the proxy that `llmprof run` starts.
    add("--leased", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run until told to stop."""
    from llmprof_addon import settings as settings_
    from llmprof_addon.capture import master
    from llmprof_addon.errors import ConfigError
    from llmprof_addon.pricing.overrides import read_overrides
    from llmprof_addon.providers.dialects import MODULES
    from llmprof_addon.store.open import open_store

    flags = {name: getattr(args, name) for name in (*FLAGS, "home", "debug")}
    settings = settings_.load(flags)
    settings.ensure_home()
    # What the worker could not use is told now, not by its failures behind running clients.
    read_overrides(settings.pricing)
    for host, api in settings.llm_hosts.items():
        if api not in MODULES:
            raise ConfigError(f"LLMPROF_LLM_HOSTS, {host}: unknown API {api!r}", hint=f"known are {', '.join(MODULES)}")
    open_store(settings.db_url).close()
    return master.run(settings, ready=lambda proxy: _announce(settings, proxy), leased=args.leased)


def _announce(settings: "Settings", proxy: "ProxyInfo") -> None:
    from llmprof_addon.export import waysin

    lines = waysin.lines(
        host=proxy.host, reverse_port=proxy.port, forward_port=proxy.forward_port, ca_dir=settings.ca_dir
    )
    others = _for_others(settings, proxy)
    print(
        f"""\
llmprof is recording to {settings.home}

{lines}
{others}
Then: llmprof runs{home_flag(settings)}      ctrl-C stops""",
        flush=True,
    )


def _for_others(settings: "Settings", proxy: "ProxyInfo") -> str:
    """How other machines come in, where the address lets them."""
    import os

    from llmprof_addon.capture.guard import is_loopback
    from llmprof_addon.settings import TOKEN_FILE, variable

    if is_loopback(proxy.host):
        return ""
    where = variable("token") if os.environ.get(variable("token")) else settings.home / TOKEN_FILE
    return (
        f"\nOther machines need the token in {where}: the header x-llmprof-token, http://token:TOKEN@HOST:"
        f"{proxy.forward_port} as proxy, or http://HOST:{proxy.port}/llmprof/token/TOKEN as base URL\n"
    )
