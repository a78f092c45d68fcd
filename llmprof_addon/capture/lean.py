"""mitmproxy's core in fewer steps, for llmprof's own proxy: the same bytes, and the same hooks in the same order.

A hook runs where it is asked for, unless one of its listeners has to be awaited: mitmproxy makes a task of each, and
goes on in another turn of the event loop. What one event has to send is sent by one system call, not head and body by
one each. Headers are found without several calls of functions for every header that there is.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from copy import copy
from typing import Any

from mitmproxy import http
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, context, events, mode_servers
from mitmproxy.proxy.server import ConnectionIO
from mitmproxy.utils import asyncio_utils

from llmprof_addon.capture.dispatch import Dispatch

JOINED_BYTES = 64 * 1024
"""More than this is sent piece by piece: to copy it would take longer than another system call."""


class Handler(mode_servers.ProxyConnectionHandler):
    """A client's connection, with those that it needs upstream."""

    async def server_event(self, event: events.Event) -> None:
        """Let the layers handle an event, and do what they ask for."""
        async with self._server_event_lock:  # nothing below awaits, but tasks that it makes begin at once
            self.timeout_watchdog.register_activity()
            try:
                self._handle(event)
            except Exception as error:
                told = f"mitmproxy failed on a connection, which is closed: {type(error).__name__}: {error}"
                self.log(told, logging.ERROR)
                self.log("where it failed", logging.DEBUG, exc_info=True)
                # Whoever waits for an answer would wait for ever; the end of the connection ends the calls on it.
                there = self.transports.get(self.client)
                if there is not None and there.handler is not None and self.client.connected:
                    self.close_connection(self.client)

    def _handle(self, event: events.Event) -> None:
        addons = self.master.addons
        assert isinstance(addons, Dispatch)
        unsent: dict[Connection, list[bytes]] = {}
        waiting = deque([event])
        try:
            while waiting:
                for command in self.layer.handle_event(waiting.popleft()):
                    if isinstance(command, commands.SendData):
                        unsent.setdefault(command.connection, []).append(command.data)
                        continue
                    self._send(unsent)  # before anything else is done, above all by a hook
                    if not isinstance(command, commands.StartHook):
                        self._do(command)
                    elif addons.call(command):
                        if command.blocking:
                            waiting.append(events.HookCompleted(command))
                    else:
                        self._begin(self.hook_task(command), f"handle_hook({command.name})", keep_ref=True)
        finally:
            self._send(unsent)

    def _send(self, unsent: dict[Connection, list[bytes]]) -> None:
        for connection, pieces in unsent.items():
            there = self.transports.get(connection)
            if there is None or there.writer is None or there.writer.is_closing():
                continue
            if len(pieces) > 1 and sum(map(len, pieces)) <= JOINED_BYTES:
                pieces = [b"".join(pieces)]
            for piece in pieces:
                there.writer.write(piece)
        unsent.clear()

    def _do(self, command: commands.Command) -> None:
        match command:
            case commands.Log():
                self.log(command.message, command.level)
            case commands.OpenConnection():
                assert command.connection not in self.transports
                name = f"server connection handler {command.connection.address}"
                self.transports[command.connection] = ConnectionIO(self._begin(self.open_connection(command), name))
            case commands.RequestWakeup():
                self.wakeup_timer.add(self._begin(self.wakeup(command), f"wakeup timer ({command.delay:.1f}s)"))
            case commands.ConnectionCommand() if command.connection not in self.transports:
                pass  # it has been closed already
            case commands.CloseTcpConnection():
                self.close_connection(command.connection, command.half_close)
            case commands.CloseConnection():
                self.close_connection(command.connection)
            case _:
                raise RuntimeError(f"unexpected command: {command}")

    def _begin(self, work: Coroutine[Any, Any, None], name: str, *, keep_ref: bool = False) -> asyncio.Task[None]:
        return asyncio_utils.create_task(work, name=name, keep_ref=keep_ref, client=self.client.peername)


def fork(self: context.Context) -> context.Context:
    """As in mitmproxy, without making a server for the new context, which gets the one that there is."""
    forked = copy(self)
    forked.layers = self.layers.copy()
    return forked


def get_all(self: http.Headers, name: str | bytes) -> list[str]:
    """As in mitmproxy."""
    wanted = _lower(name)
    return [value.decode("utf-8", "surrogateescape") for key, value in self.fields if key.lower() == wanted]


def get(self: http.Headers, name: str | bytes, default: Any = None) -> Any:
    """As in mitmproxy, which catches an error for every name that is not there."""
    values = get_all(self, name)
    return ", ".join(values) if values else default


def contains(self: http.Headers, name: object) -> bool:
    """As in mitmproxy, by the same way."""
    wanted = _lower(name)
    return any(key.lower() == wanted for key, _ in self.fields)


def _lower(name: Any) -> bytes:
    data: bytes = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    return data.lower()


def install() -> None:
    """Let all connections of this process use what is here."""
    mode_servers.ProxyConnectionHandler = Handler  # type: ignore[misc]  # the name by which listeners find it
    for owner, name, replacement in (
        (context.Context, "fork", fork),
        (http.Headers, "get_all", get_all),
        (http.Headers, "get", get),
        (http.Headers, "__contains__", contains),
    ):
        setattr(owner, name, replacement)
