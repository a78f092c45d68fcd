"""Record a 12-turn run of a coding agent through the real proxy, and report on it. No key, no internet.

A loopback server answers as the provider would (streamed, with a prompt cache); the agent goes through the proxy as its
base URL for the first half and as its HTTPS proxy for the second. It all lands in a home of its own, never in your
store.

Examples:
  llmprof demo
  llmprof demo --home /tmp/demo && llmprof show --home /tmp/demo
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from llmprof_addon.cli.demo.script import TURNS
from llmprof_addon.errors import StartError

if TYPE_CHECKING:
    from llmprof_addon.settings import Settings
    from llmprof_addon.spool.proxies import ProxyRecord

START_SECONDS = 30
STOP_SECONDS = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own: `--home` is by default the folder `demo` in the usual one."""


def run(args: argparse.Namespace) -> int:
    """Run the agent, then print the report."""
    from llmprof_addon import settings as settings_
    from llmprof_addon.cli import report
    from llmprof_addon.cli.demo import agent, upstream
    from llmprof_addon.store.open import open_store

    home = Path(args.home) if args.home else settings_.load().home / "demo"
    db_url = f"sqlite:///{home.expanduser().absolute().as_posix()}/llmprof.db"
    settings = settings_.load({"home": str(home), "db_url": db_url})
    settings.ensure_home()
    began = time.monotonic()
    print("starting the proxy ...", flush=True)
    port, server = upstream.start()
    process = _start(settings, port)
    try:
        proxy = _wait(settings, process)
        ways = agent.Ways(
            host="127.0.0.1",
            reverse_port=proxy.ports["reverse"],
            forward_port=proxy.ports["forward"],
            ca_file=settings.ca_dir / "mitmproxy-ca-cert.pem",
        )
        agent.run(ways, _progress)
    except OSError as error:
        raise StartError(f"the demo's agent could not get through: {error}", hint=_log_hint(settings)) from error
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        server.shutdown()
    print(f"{len(TURNS)} calls recorded in {time.monotonic() - began:.1f} s\n")
    with open_store(settings.db_url, read_only=True) as store:
        report.print_report(store, depth=2)
    _next_steps(settings)
    return 0


def _progress(turn: int, mode: str) -> None:
    if sys.stdout.isatty():
        last = turn + 1 == len(TURNS)
        print(f"\rturn {turn + 1:>2} of {len(TURNS)}, {mode} mode", end="\n" if last else "", flush=True)


def _start(settings: "Settings", upstream_port: int) -> "subprocess.Popen[bytes]":
    """The proxy as a user starts it, on free ports, with the demo's server as the provider."""
    there = f"http://127.0.0.1:{upstream_port}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LLMPROF_")}
    environ |= {
        "LLMPROF_ANTHROPIC_UPSTREAM": there,
        "LLMPROF_CONNECT": f"api.anthropic.com:443={there}",
        "LLMPROF_UPSTREAM_PROXY": "",
        "LLMPROF_LOCAL_DISCOVERY": "0",
    }
    command = [sys.executable, "-m", "llmprof_addon", "up", "--home", str(settings.home), "--db-url", settings.db_url]
    command += ["--host", "127.0.0.1", "--port", "0", "--forward-port", "0"]
    handle = os.open(settings.home / "demo.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "wb") as log:
        return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _wait(settings: "Settings", process: "subprocess.Popen[bytes]") -> "ProxyRecord":
    from llmprof_addon.spool.proxies import living

    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for record in living(settings.home):
            if record.pid == process.pid and record.ports:
                return record
        time.sleep(0.02)
    raise StartError("the proxy did not come up", hint=_log_hint(settings))


def _log_hint(settings: "Settings") -> str:
    return f"{settings.home / 'demo.log'} says why"


def _next_steps(settings: "Settings") -> None:
    own = Path(sys.executable).with_name("llmprof")
    command = "llmprof" if not own.exists() or str(own.parent) in os.environ.get("PATH", "").split(os.pathsep) else own
    if isinstance(command, Path) and command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    home = shlex.quote(str(settings.home))
    print(f"""
The store is {settings.home / "llmprof.db"}
  {command} show --home {home}     the last call, part by part
  {command} calls --home {home}    all of them

Now with your own application: start the proxy, paste the two lines that it prints, run the application.
  {command} up""")
