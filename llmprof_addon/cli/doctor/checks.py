"""What is looked at: the home, the proxy, the environment of this shell, and the ways of real clients."""

import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from llmprof_addon.errors import LlmprofError

if TYPE_CHECKING:
    from llmprof_addon.capture.agents import Agent
    from llmprof_addon.settings import Settings
    from llmprof_addon.spool.proxies import ProxyRecord

type Mark = Literal["good", "bad", "note"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, and what was found."""

    mark: Mark
    what: str
    found: str


def home(settings: "Settings") -> Iterator[Check]:
    """Home, store and spool."""
    from llmprof_addon.spool.folder import Spool
    from llmprof_addon.store import queries
    from llmprof_addon.store.database import shown, sqlite_path
    from llmprof_addon.store.open import open_store

    try:
        settings.ensure_home()
        yield Check("good", "home", str(settings.home))
    except LlmprofError as error:
        yield Check("bad", "home", _line(error))
        return
    path = sqlite_path(settings.db_url)
    if path is not None and not path.exists():
        yield Check("note", "store", "none yet; the first recorded call makes it")
    else:
        try:
            with open_store(settings.db_url, read_only=True) as store:
                runs, calls = queries.count(store)
            yield Check("good", "store", f"{shown(settings.db_url)}: {calls:,} calls in {runs:,} runs")
        except LlmprofError as error:
            yield Check("bad", "store", _line(error))
    spool = Spool(settings.spool_dir)
    if failed := spool.failed().files:
        yield Check("bad", "spool", f"{failed:,} exchanges could not be processed; see {spool.failed_folder}")
    elif waiting := spool.backlog().files:
        yield Check("note", "spool", f"{waiting:,} calls wait for the worker")


def ports(settings: "Settings", proxies: "Sequence[ProxyRecord]") -> Iterator[Check]:
    """The running proxies, and whether the usual ports are there for one."""
    for proxy in proxies:
        where = ", ".join(f"{mode} :{port}" for mode, port in proxy.ports.items())
        yield Check("good", "proxy", f"process {proxy.pid}: {where}")
        if proxy.last_error:
            yield Check("bad", "proxy", f"process {proxy.pid}: {proxy.last_error}")
    taken = {port for proxy in proxies for port in proxy.ports.values()}
    for name, port in (("port", settings.port), ("forward_port", settings.forward_port)):
        if port and port not in taken and not _free(settings.host, port):
            flag = f"--{name.replace('_', '-')}"
            yield Check("note", "ports", f"{port} is used by another program: `llmprof up {flag} N` takes another one")


def authority(settings: "Settings") -> Iterator[Check]:
    """The certificate that clients have to trust."""
    from cryptography import x509

    path = settings.ca_dir / "mitmproxy-ca-cert.pem"
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        yield Check("bad", "authority", f"{path}: {error}; remove {settings.ca_dir} to have it made anew")
        return
    until = certificate.not_valid_after_utc
    if until < datetime.now(UTC):
        yield Check("bad", "authority", f"{path} has expired; remove {settings.ca_dir} to have it made anew")
    else:
        yield Check("good", "authority", f"{path}, valid until {until:%Y-%m-%d}")


def environment(settings: "Settings", environ: Mapping[str, str], proxies: "Sequence[ProxyRecord]") -> Iterator[Check]:
    """What this shell already says of proxies and authorities; it is built upon."""
    from llmprof_addon.capture.child import trusted_by

    ours = {port for proxy in proxies for port in proxy.ports.values()}
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        if value := environ.get(name):
            where = _without_password(value)
            if _port_of(value) in ours:
                yield Check("good", name, f"{where}, which is llmprof")
            else:
                yield Check("note", name, f"{where}: llmprof goes through it")
    bare = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    spared = [host.strip() for host in bare.split(",") if re.search(r"^\*$|openai|anthropic|googleapis", host)]
    if spared:
        yield Check("bad", "NO_PROXY", f"keeps {', '.join(spared)} from being recorded in forward mode")
    for name, file in trusted_by(environ).items():
        path = Path(file)
        if not path.is_file():
            yield Check("bad", name, f"{file} does not exist")
        elif path.parent != settings.ca_dir:
            yield Check("note", name, f"{file}: its authorities stay trusted")
    if environ.get("SSL_CERT_DIR") == "":
        yield Check(
            "note", "SSL_CERT_DIR", "is empty, which some clients take for no authority; `llmprof run` unsets it"
        )


def clients(settings: "Settings", proxy: "ProxyRecord", host: str, environ: Mapping[str, str]) -> Iterator[Check]:
    """Every client's way: as `llmprof run` leads it, then as this shell does."""
    from llmprof_addon.capture import child
    from llmprof_addon.cli.doctor.clients import CLIENTS, tried

    url = f"http://{host}:{proxy.ports['forward']}"
    led = child.forward(settings, url, environ).applied(environ)
    for client in CLIENTS:
        outcome, said = tried(client, led)
        if outcome == "absent":
            continue
        if outcome == "through":
            yield Check("good", client.name, "recorded by `llmprof run`")
        elif outcome == "elsewhere" and "NODE_USE_ENV_PROXY" in client.proxied_by:
            yield Check("note", client.name, "this Node has no proxy in `fetch` (24 and 22.21 have): use --reverse")
            continue
        else:
            yield Check("bad", client.name, f"not recorded by `llmprof run`: {said}")
            continue
        if _port_of(environ.get("HTTPS_PROXY") or environ.get("https_proxy") or "") != proxy.ports["forward"]:
            continue
        missing = [name for name in client.proxied_by if name.upper() not in {key.upper() for key in environ}]
        outcome, said = tried(client, environ)
        if outcome == "through":
            yield Check("good", client.name, "recorded from this shell")
        elif outcome == "untrusted":
            bundle = led[client.trusts]
            yield Check("bad", client.name, f"from this shell: does not trust llmprof; set {client.trusts}={bundle}")
        elif outcome == "elsewhere" and missing:
            yield Check("bad", client.name, f"from this shell: set {missing[0]}={led.get(missing[0], '1')}")
        elif outcome != "absent":
            yield Check("bad", client.name, f"from this shell: {said}")


def command(words: Sequence[str], agent: "Agent", environ: Mapping[str, str]) -> Iterator[Check]:
    """What is known of the program that shall be recorded."""
    program = shutil.which(words[0], path=environ.get("PATH", os.defpath))
    yield Check("good" if program else "bad", "command", program or f"{words[0]}: command not found")
    yield Check("note", agent.name, f"trusts {' or '.join(agent.trusts)}, which `llmprof run` sets")
    if agent.note:
        yield Check("note", agent.name, agent.note)


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _port_of(url: str) -> int | None:
    try:
        return urlsplit(url if "://" in url else f"http://{url}").port
    except ValueError:
        return None


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", url) if "://" in url else re.sub(r"^[^/@]*@", "…@", url)


def _line(error: LlmprofError) -> str:
    return f"{error.message}{f'; {error.hint}' if error.hint else ''}"
