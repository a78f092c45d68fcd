"""A PostgreSQL server of Debian's package in a scratch folder, on a unix socket alone, and a command run beside it.

    python -m tests.store.server COMMAND ...

The command finds the server's URL in `LLMPROF_TEST_PG`. Whatever becomes of it, the server is stopped and its folder
removed. What is missing is installed where apt and root are there, else one line says what to install.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PASSWORD = "fake-password"
_DEBIAN = Path("/usr/lib/postgresql")


class Unavailable(Exception):
    """Why there can be no server."""


class Server:
    """One server with a database, from the beginning to the end of a `with` block."""

    def __init__(self, *, durable: bool = False) -> None:
        """Prepare a folder. One that is not `durable` may forget its last commits in a crash."""
        self._programs = programs()
        # Not below a folder that only we can enter, and short: the path of a socket has 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="llmprof-pg-", dir="/tmp"))
        self._user = _unprivileged()
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._durable = durable

    def url(self, *, user: str = "llmprof", password: str = PASSWORD, database: str = "postgres") -> str:
        """The URL of a database on this server."""
        return f"postgresql://{user}:{password}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {"listen_addresses": "", "unix_socket_directories": self.folder, "max_connections": "60"}
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        given = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", self.folder / "log", "-o", given)

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` breaks off what clients do, `immediate` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-D", self._data, "-m", how)

    @property
    def is_running(self) -> bool:
        """Whether it is there."""
        return (self._data / "postmaster.pid").exists()

    @property
    def log(self) -> str:
        """What it said so far."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *arguments: object) -> None:
        who = self._user
        with tempfile.TemporaryFile() as output:  # a pipe would stay open in the server
            done = subprocess.run(
                [str(self._programs / program), *map(str, arguments)],
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=60,
                user=who.pw_uid if who else None,
                group=who.pw_gid if who else None,
                extra_groups=[] if who else None,
            )
            output.seek(0)
            said = output.read().decode(errors="replace")
        if done.returncode:
            raise Unavailable(f"{program} failed: {said}{self.log}")

    def __enter__(self) -> Self:
        try:
            secret = self.folder / "password"
            secret.write_text(PASSWORD)
            secret.chmod(0o644)
            authentication = ("--auth=scram-sha-256", f"--pwfile={secret}", "--username=llmprof")
            self._run("initdb", "-D", self._data, "--no-sync", "--encoding=UTF8", *authentication)
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.is_running:
                self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def programs() -> Path:
    """The folder of the newest server on this machine. Raises `Unavailable`."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise Unavailable("no PostgreSQL server found; install Debian's package: apt-get install postgresql")


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs the server, which refuses root; `None` for whoever we are."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def install() -> None:
    """Install Debian's package, if there is no server and we may."""
    try:
        programs()
    except Unavailable:
        apt = shutil.which("apt-get")
        if apt is None or os.geteuid() != 0:
            raise
        print("Installing Debian's PostgreSQL ...", flush=True)
        # The package would start a server of its own, on a TCP port, but not in this run level.
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        command = [apt, "install", "-qq", "-y", "--no-install-recommends", "postgresql"]
        if subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL).returncode:
            subprocess.run([apt, "update", "-qq"], env=quiet, stdout=subprocess.DEVNULL, check=False)
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)


def main(command: Sequence[str]) -> int:
    """Run a command beside a server; its exit code, 3 if there can be no server."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        install()
        with Server() as server:
            return subprocess.run(command, env=os.environ | {"LLMPROF_TEST_PG": server.url()}).returncode
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
