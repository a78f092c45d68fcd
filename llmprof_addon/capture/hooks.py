"""The capture class: a mitmproxy addon that records LLM calls, in llmprof's own proxy and in any other mitmproxy.

Its hooks run in the event loop of the proxy, so they only note and hand over: decoding, redaction, disk and everything
after are other threads' and processes'. A call is handed over once: at its end, its failure, or the proxy's shutdown.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.flow import Error
from mitmproxy.proxy import mode_specs

import llmprof_addon
from llmprof_addon import clock
from llmprof_addon.capture.exchange import Pending, Wishes, finished, saved, take_wishes
from llmprof_addon.capture.failures import CLIENT_LEFT, OWN
from llmprof_addon.capture.redaction import Clean, redact
from llmprof_addon.capture.websocket import Socket, ending, saved_turns
from llmprof_addon.model.exchange import Exchange, Mode, Outcome
from llmprof_addon.providers.registry import SOCKET_APIS, api_of, is_llm_call
from llmprof_addon.settings import Settings
from llmprof_addon.spool.proxies import ProxyFile, ProxyRecord
from llmprof_addon.spool.statefile import alive, read_state
from llmprof_addon.spool.workerprocess import WorkerProcess
from llmprof_addon.spool.writer import SpoolWriter

logger = logging.getLogger(__name__)

URL_SCHEME = "llmprof_scheme"
"""Key in a flow's metadata: the scheme that its request had before `LLMPROF_CONNECT` changed it."""
STOPPED = "the proxy was stopped"
BODY_FIRST = "llmprof_body_first"
"""Key in a flow's metadata: where it goes is known only with its body."""
SERVED_AS = "llmprof_served_as"
"""Key in a flow's metadata: the provider that a configured upstream stands for."""
_WAITING_BYTES = 32 * 1024 * 1024
"""How far reading a file may run ahead of the spool."""


class Capture:
    """Records LLM calls; with `relays` it also streams whatever else passes, which it does not look at."""

    def __init__(self, settings: Settings, *, interpreter: str, relays: bool = False, drain_seconds: float = 15.0):
        self.settings = settings
        self._hosts = settings.known_hosts
        self.relays = relays
        self.ports: dict[str, int] = {}
        self.upstreams: dict[str, str] = {}
        self.local_servers: list[dict[str, Any]] = []
        self.refused: Counter[str] = Counter()
        self._drain_seconds = drain_seconds
        self._started_ns = clock.now_ns()
        self._open: dict[str, Pending | None] = {}
        self._sockets: dict[str, Socket] = {}
        self._reads_files = False
        self._told: set[str] = set()
        self._ticking: asyncio.Task[None] | None = None
        self._writer: SpoolWriter | None = None
        self._file = ProxyFile(settings.home, os.getpid())
        self._worker = WorkerProcess(
            interpreter=interpreter,
            package_parent=Path(llmprof_addon.__file__).resolve().parents[1],
            arguments=("--home", str(settings.home)),
            environ=settings.as_environ(),
            log=settings.home / "worker.log",
        )

    # lifecycle

    def start(self) -> None:
        """Open the spool and start the worker; may be called again."""
        if self._writer is None:
            self.settings.ensure_home()
            self._writer = SpoolWriter(
                self.settings.spool_dir,
                prepare=partial(redact, decodes_response=self.settings.capture is not None, clean=Clean()),
                capture_dir=self.settings.capture,
                on_written=self._worker.nudge,
            )
            self._worker.start()

    def running(self) -> None:
        """Start, and keep the state file fresh from now on."""
        self.start()
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            self.report()
            await asyncio.sleep(1.0)

    def report(self) -> None:
        """Bring the state file up to date, and say once what keeps the worker from working."""
        self._file.write(self.record(), now=False)
        state = read_state(self.settings.home / "worker.json") or {}
        if not alive(state.get("pid", 0)):  # what an earlier one left
            state = {}
        waiting = f"calls pass on and wait in {self.settings.spool_dir}"
        for line, then in (
            (state.get("store_error"), waiting),
            (self._worker.last_error, waiting),
            (self._writer and self._writer.last_error, "calls pass on; `llmprof status` counts those that are lost"),
        ):
            if line and line not in self._told:
                self._told.add(line)
                logger.warning("%s (%s)", line, then)

    def record(self) -> ProxyRecord:
        """What this proxy says of itself."""
        writer = self._writer
        in_flight = [pending for pending in self._open.values() if pending]
        in_flight += [pending for socket in self._sockets.values() for pending in socket.waiting]
        return ProxyRecord(
            pid=os.getpid(),
            version=llmprof_addon.__version__,
            started_ns=self._started_ns,
            ports=dict(self.ports),
            upstreams=dict(self.upstreams),
            local_servers=list(self.local_servers),
            in_flight=len(in_flight),
            sessions=dict(Counter(pending.wishes.session for pending in in_flight if pending.wishes.session)),
            queued_bytes=writer.queued_bytes if writer else 0,
            dropped_bodies=writer.dropped_bodies if writer else 0,
            lost=writer.lost if writer else 0,
            refused=dict(self.refused),
            last_error=writer.last_error if writer else None,
        )

    @property
    def in_flight(self) -> int:
        """Requests that are not answered to the end, calls and others."""
        return len(self._open) + sum(socket.in_flight for socket in self._sockets.values())

    def withdraw(self) -> None:
        """Be found by nobody any more; what is in flight goes on."""
        if self._ticking:
            self._ticking.cancel()
            self._ticking = None
        self._file.remove()

    def done(self) -> None:
        """Hand over what is in flight as aborted, write all of it, and let the worker drain the spool."""
        if self._ticking:
            self._ticking.cancel()
            self._ticking = None
        for pending in self._open.values():
            if pending:
                self._put(finished(pending, "aborted", STOPPED))
        for socket in self._sockets.values():
            self._put_all(socket.close("aborted", STOPPED, clock.now_ns()))
        self._open.clear()
        self._sockets.clear()
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        # Whoever profiles a file waits for the result; a proxy leaves what is left to the next one.
        writer.close(3600.0 if self._reads_files else 10.0)
        if not self._worker.stop(24 * 3600.0 if self._reads_files else self._drain_seconds) and self._reads_files:
            logger.warning("%s; what is left waits in %s", self._worker.last_error, self.settings.spool_dir)
        self._file.remove()

    # calls

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if not flow.live:  # out of a file: handed over at its end
            return
        wishes = take_wishes(flow.request)
        if BODY_FIRST in flow.metadata:
            self._open[flow.id] = None
            flow.metadata[BODY_FIRST] = (wishes, clock.now_ns())
        else:
            self._enter(flow, wishes)

    def request(self, flow: http.HTTPFlow) -> None:
        if held := flow.metadata.pop(BODY_FIRST, None):
            self._enter(flow, *held)

    def _enter(self, flow: http.HTTPFlow, wishes: Wishes, started_ns: int | None = None) -> None:
        """Note a request whose upstream is known; with `started_ns` its body has been read."""
        request = flow.request
        if served_as := flow.metadata.get(SERVED_AS):
            wishes.provider = served_as
        api = None if OWN in flow.metadata else self._api(flow)
        scheme = flow.metadata.get(URL_SCHEME)
        url = request.url if scheme is None else scheme + request.url[len(request.scheme) :]
        mode: Mode = "reverse" if isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode) else "forward"
        begin = partial(_begin, flow, mode, url, wishes)
        if api is not None and request.method == "POST":
            self._open[flow.id] = begin(at_ns=started_ns)
            return
        self._open[flow.id] = None
        if api in SOCKET_APIS and is_upgrade(request):
            self._sockets[flow.id] = Socket(begin)
        if self.relays and OWN not in flow.metadata and started_ns is None:
            request.stream = True

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        pending = self._open.get(flow.id)
        if flow.response and (pending or (self.relays and flow.live)):
            flow.response.stream = pending.tee if pending else True

    def response(self, flow: http.HTTPFlow) -> None:
        if flow.live:
            self._end(flow, "complete")
        elif flow.error is None:  # else the error follows, of which the response is a part
            self._read(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        if flow.live or flow.id in self._open:
            self._end(flow, "aborted" if _client_left(flow) else "error", flow.error.msg if flow.error else None)
        else:
            self._read(flow)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        if flow.websocket is None or not flow.websocket.messages:
            return
        message = flow.websocket.messages[-1]
        if self.relays:  # kept for the life of the socket otherwise
            flow.websocket.messages.clear()
        socket = self._sockets.get(flow.id)
        if socket is None or not message.is_text:
            return
        over = socket.take(message.content, clock.now_ns(), from_client=message.from_client)
        if over is not None:
            self._put(over)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        if socket := self._sockets.pop(flow.id, None):
            self._put_all(socket.close(*ending(flow), clock.now_ns()))

    def _end(self, flow: http.HTTPFlow, outcome: Outcome, error: str | None = None) -> None:
        pending = self._open.pop(flow.id, None)
        if flow.websocket is None:  # refused, if it was asked for at all
            self._sockets.pop(flow.id, None)
        if pending:
            self._put(finished(pending, outcome, error))
            if self.relays:  # the body has been sent, and the flow lives on until the garbage collector finds it
                flow.request.raw_content = None

    def _read(self, flow: http.HTTPFlow) -> None:
        """Take a call out of a file; waits for the spool, since a file can be read faster than it is written."""
        if self._writer is None:
            return
        for exchange in saved_calls(flow, self.settings):
            self._reads_files = True
            while self._writer.queued_bytes > _WAITING_BYTES:
                time.sleep(0.01)
            self._put(exchange)

    def _put_all(self, exchanges: Iterable[Exchange]) -> None:
        for exchange in exchanges:
            self._put(exchange)

    def _put(self, exchange: Exchange) -> None:
        if self._writer is not None:
            self._writer.put(exchange)

    def _api(self, flow: http.HTTPFlow) -> str | None:
        """The dialect of a request, were it a call's."""
        request = flow.request
        api = is_llm_call("POST", request.host, request.path, self._hosts, port=request.port)
        # In reverse mode whoever is behind it: the path says what.
        reverse = isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode)
        return api_of(request.path) if api is None and reverse else api


def is_upgrade(request: http.Request) -> bool:
    """Whether a request asks for a WebSocket."""
    return request.method == "GET" and request.headers.get("upgrade", "").lower() == "websocket"


def saved_calls(flow: http.HTTPFlow, settings: Settings) -> Iterable[Exchange]:
    """The LLM calls of a flow of a file: by its path, since the host may have been any gateway's."""
    request = flow.request
    api = is_llm_call("POST", request.host, request.path, settings.known_hosts, port=request.port) or api_of(
        request.path
    )
    if flow.websocket is not None and api in SOCKET_APIS:
        return saved_turns(flow, partial(_begin, flow, "import", request.pretty_url, take_wishes(request)))
    return [saved(flow)] if flow.websocket is None and api is not None and request.method == "POST" else []


def _begin(
    flow: http.HTTPFlow, mode: Mode, url: str, wishes: Wishes, message: bytes | None = None, at_ns: int | None = None
) -> Pending:
    started_ns = clock.now_ns() if at_ns is None else at_ns
    return Pending(flow=flow, mode=mode, url=url, wishes=wishes, message=message, started_ns=started_ns)


def _client_left(flow: http.HTTPFlow) -> bool:
    """Whether it was the client that ended the exchange."""
    if CLIENT_LEFT in flow.metadata:
        return bool(flow.metadata[CLIENT_LEFT])
    message = flow.error.msg if flow.error else ""
    gone = not flow.client_conn.state & ConnectionState.CAN_READ
    return gone or message == Error.KILLED_MESSAGE or message.startswith(("Client disconnected", "stream reset by"))
