"""What to do where nothing was recorded yet: the commands, with this home's ports."""

import shlex
from pathlib import Path

from llmprof_addon import settings
from llmprof_addon.export import waysin
from llmprof_tui.source import Source


def how_to_record(source: Source) -> str:
    """The way to the first recorded call; commands are indented. Raises `ConfigError` if a setting is wrong."""
    found = settings.load({"home": str(source.home)})
    home = "" if found.home == Path.home() / ".llmprof" else f" --home {shlex.quote(str(found.home))}"
    proxies = [proxy for proxy in source.recorder().proxies if proxy.ports]
    ports = proxies[0].ports if proxies else {}
    lines = waysin.lines(
        host=found.host,
        reverse_port=ports.get("reverse", found.port),
        forward_port=ports.get("forward", found.forward_port),
        ca_dir=found.ca_dir,
    )
    demo = "Look at a recorded run first, without key or internet:\n  llmprof tui --demo"
    if proxies:
        first = f"{demo}\n\nThe proxy runs. Paste one of these where your application starts:\n"
    else:
        first = f"Run a program and record its calls:\n  llmprof run{home} -- python agent.py\n\n{demo}\n\n"
        first += f"Or start the proxy, and paste its lines where your application starts:\n  llmprof up{home}\n"
    return f"\n{first}\n{lines}"
