"""The spool: a folder of exchange files between proxies, which add, and the one worker, which takes.

A file is there when it is renamed into place, under a name that sorts by the end of its exchange. What the worker
cannot process goes to `failed/` with its traceback beside it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from llmprof_addon.errors import SpoolError
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.spool import files
from llmprof_addon.spool.files import SUFFIX
from llmprof_addon.spool.statefile import alive, make_private

TRACEBACK_SUFFIX = ".traceback.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How much lies in a folder."""

    files: int = 0
    bytes: int = 0
    oldest_ended_ns: int | None = None


def unchanged(exchange: Exchange) -> Exchange:
    """The exchange as it is: the redaction of those that have none."""
    return exchange


def file_name(exchange: Exchange) -> str:
    """The name of its file: sorting by names is sorting by end."""
    return f"{exchange.ended_ns:020d}-{exchange.id}{SUFFIX}"


def write_exchange(folder: Path, exchange: Exchange) -> str:
    """Write an exchange file into a folder, as a whole or not at all, and give back its name. Raises `OSError`.

    The folder is created with its first file.
    """
    name = file_name(exchange)
    path, draft = f"{folder}/{name}", f"{folder}/.{name}.{os.getpid()}.tmp"
    # One write: each system call hands the interpreter to the proxy's event loop and has to get it back.
    data = memoryview(b"".join((files.header(exchange), exchange.request_body, exchange.response_body)))
    try:
        handle = _create(draft, folder)
        try:
            while data:  # one write may take less than it is given
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)
        os.replace(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    return name


def _create(path: str, folder: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_private(folder)
        return os.open(path, flags, 0o600)


class Spool:
    """A spool folder; it is created with the first file."""

    def __init__(self, folder: Path, *, redact: Callable[[Exchange], Exchange] = unchanged, keep_damaged: bool = True):
        """`redact` is applied to what goes to `failed/`, where files stay; `keep_damaged` where it cannot be."""
        self._keep_damaged = keep_damaged
        self.folder = folder
        self.failed_folder = folder / "failed"
        self._redact = redact

    def add(self, exchange: Exchange) -> str:
        """Put an exchange in, and give back the name of its file. Raises `OSError`."""
        return write_exchange(self.folder, exchange)

    def scan(self) -> list[str]:
        """The names of all files that wait, oldest first."""
        return sorted(entry.name for entry in _entries(self.folder) if entry.name.endswith(SUFFIX))

    def read(self, name: str) -> Exchange:
        """One exchange. Raises `SpoolError`."""
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise SpoolError(f"cannot read {self.folder / name}: {error.strerror}") from error
        return files.decode(data)

    def done(self, name: str) -> None:
        """Take away a file whose rows are in the store."""
        (self.folder / name).unlink(missing_ok=True)

    def quarantine(self, name: str, traceback: str) -> None:
        """Move a file that cannot be processed to `failed/`, redacted, its traceback beside it. Raises `OSError`."""
        os.stat(self.folder / name)
        make_private(self.failed_folder)
        report = self.failed_folder / (name.removesuffix(SUFFIX) + TRACEBACK_SUFFIX)
        handle = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(traceback)
        try:
            exchange = self.read(name)
        except SpoolError:  # nothing that could be redacted: as damaged as it is
            if self._keep_damaged:
                os.replace(self.folder / name, self.failed_folder / name)
            else:
                self.done(name)
            return
        write_exchange(self.failed_folder, self._redact(exchange))
        self.done(name)

    def backlog(self) -> Backlog:
        """What waits for the worker."""
        return _backlog(self.folder)

    def failed(self) -> Backlog:
        """What could not be processed."""
        return _backlog(self.failed_folder)

    def sweep(self) -> int:
        """Remove the drafts of writers that died while they wrote; how many there were."""
        swept = 0
        for entry in _entries(self.folder):
            draft, _, suffix = entry.name.rpartition(".")
            pid = draft.rpartition(".")[2]
            if suffix == "tmp" and not (pid.isdigit() and alive(int(pid))):
                try:
                    os.unlink(entry.path)
                except OSError:  # gone, or a disk that is read-only
                    continue
                swept += 1
        return swept


def metadata_only(exchange: Exchange) -> Exchange:
    """An exchange whose redaction failed: without anything that might hold a secret."""
    kept = ("content-type", "content-encoding", "user-agent")
    return replace(
        exchange,
        url=_bare(exchange.url),
        request_headers=tuple(pair for pair in exchange.request_headers if pair[0].lower() in kept),
        response_headers=tuple(pair for pair in exchange.response_headers if pair[0].lower() in kept),
        request_body=b"",
        response_body=b"",
        request_truncated=exchange.request_truncated + len(exchange.request_body),
        response_truncated=exchange.response_truncated + len(exchange.response_body),
    )


def _bare(url: str) -> str:
    address, _, _ = url.partition("?")
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else address


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _backlog(folder: Path) -> Backlog:
    count = size = 0
    oldest: str | None = None
    for entry in _entries(folder):
        if not entry.name.endswith(SUFFIX):
            continue
        try:
            size += entry.stat().st_size
        except FileNotFoundError:  # taken in the meantime
            continue
        count += 1
        oldest = entry.name if oldest is None else min(oldest, entry.name)
    ended = oldest.partition("-")[0] if oldest else ""
    return Backlog(files=count, bytes=size, oldest_ended_ns=int(ended) if ended.isdigit() else None)
