"""llmprof's own proxy: mitmproxy's core with only the addons that two listeners need, and a clean way in and out.

Measured against `mitmdump`: 1.6 times the throughput, half the time to start.
"""

import asyncio
import errno
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread

from mitmproxy import http, master, options
from mitmproxy.addons import block, core, disable_h2c, next_layer, proxyserver, tlsconfig, update_alt_svc

from llmprof_addon.capture import ca, discovery, failures, http1, lean
from llmprof_addon.capture.dispatch import Dispatch
from llmprof_addon.capture.gateway import Gateway
from llmprof_addon.capture.hooks import Capture
from llmprof_addon.capture.launches import Launches
from llmprof_addon.capture.routes import Routes, Target
from llmprof_addon.capture.routing import is_ourselves
from llmprof_addon.capture.scope import Scope
from llmprof_addon.errors import StartError
from llmprof_addon.settings import Settings, access_token
from llmprof_addon.spool.leases import launch_lock, living_leases
from llmprof_addon.spool.proxies import living

DRAIN_SECONDS = 10.0
"""How long running answers may take to end after the first signal."""
LEASE_SECONDS = 1.0
"""How often a proxy that was started for others looks whether anybody needs it."""
IDLE_SECONDS = 4 * 3600
"""mitmproxy closes a connection on which nothing moves; models think for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyInfo:
    """Where a proxy listens."""

    host: str
    port: int
    forward_port: int


class SlimMaster(master.Master):
    """A mitmproxy with nothing but what the two listeners need."""

    def __init__(self, opts: options.Options, *addons: object):
        super().__init__(opts)
        self.addons = Dispatch(self)
        self.proxyserver = proxyserver.Proxyserver()
        self.addons.add(  # type: ignore[no-untyped-call]  # mitmproxy declares no types here
            core.Core(),
            block.Block(),
            disable_h2c.DisableH2C(),
            self.proxyserver,
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            update_alt_svc.UpdateAltSvc(),
            *addons,
        )

    def stop(self) -> None:
        """End, at once."""
        self.shutdown()  # type: ignore[no-untyped-call]  # mitmproxy declares no return type


def run(settings: Settings, *, ready: Callable[[ProxyInfo], None] | None = None, leased: bool = False) -> int:
    """Serve until SIGINT or SIGTERM, if `leased` also until nobody has a lease; `ready` is called once we listen.

    Raises `ConfigError` and `StartError` before that.
    """
    settings.ensure_home()
    _log_to_stderr(debug=settings.debug)
    if changed := settings.close_home():
        logging.getLogger(__name__).warning("others could read %s: taken away", ", ".join(changed))
    _raise_file_limit()
    _calm_collector()
    asyncio.run(_serve(settings, ready, leased))
    return 0


async def _serve(settings: Settings, ready: Callable[[ProxyInfo], None] | None, leased: bool) -> None:
    routes = Routes(settings)
    capture = Capture(settings, interpreter=sys.executable, relays=True)
    capture.upstreams.update(routes.upstreams())
    bundle = ca.ensure_authority(settings)
    token = access_token(settings.home)
    gateway = Gateway(
        settings, routes, capture.ports, lambda: capture.record().to_json(), refused=capture.refused, token=token
    )
    opts = options.Options()
    proxy = SlimMaster(opts, Scope(settings, bundle=bundle), Launches(), gateway, capture)
    failures.install()
    http1.install()
    lean.install()
    _spare_type_checks()
    wanted = {"port": settings.port, "forward_port": settings.forward_port}
    ports = _free_ports(settings.host, wanted)
    trusted = ca.trusted_upstream(settings)
    forward = f"upstream:{settings.upstream_proxy.url}" if settings.upstream_proxy else "regular"
    opts.update(
        # The target stands for nothing: every request is routed. Not https, which would open a UDP listener as well.
        mode=[
            f"reverse:http://127.0.0.1:1@{settings.host}:{ports['port']}",
            f"{forward}@{settings.host}:{ports['forward_port']}",
        ],
        confdir=str(settings.ca_dir),
        connection_strategy="lazy",
        keep_host_header=True,
        ssl_verify_upstream_trusted_ca=str(trusted) if trusted else None,
        tcp_timeout=IDLE_SECONDS,
    )
    info = ProxyInfo(host=settings.host, port=ports["port"], forward_port=ports["forward_port"])
    capture.ports.update(reverse=info.port, forward=info.forward_port)
    stop = _stopper(proxy, capture)
    await proxy.proxyserver.setup_servers()
    for name, instance in zip(wanted, proxy.proxyserver.servers, strict=True):
        if instance.last_exception is not None:
            raise _not_free(settings.host, name, ports[name], instance.last_exception)
    capture.start()
    _on_signals(stop)
    _discover(settings, routes, capture)
    announced = _Announce(lambda: ready(info) if ready else None)
    proxy.addons.add(announced)
    leases = asyncio.get_running_loop().create_task(_until_unneeded(settings, capture, stop)) if leased else None
    await proxy.run()
    if leases is not None:
        leases.cancel()


async def _until_unneeded(settings: Settings, capture: Capture, stop: Callable[[], None]) -> None:
    """Stop once nobody has a lease; those who take one hold the lock while they look whether we are there."""
    lock = launch_lock(settings.home)
    while True:
        await asyncio.sleep(LEASE_SECONDS)
        if living_leases(settings.home) or not lock.acquire():
            continue
        try:
            if not living_leases(settings.home):
                capture.withdraw()
                stop()
                return
        finally:
            lock.release()


def _discover(settings: Settings, routes: Routes, capture: Capture) -> None:
    """Look for local servers beside everything else, and route to those that are found."""
    loop = asyncio.get_running_loop()
    others = [port for record in living(settings.home) for port in record.ports.values()]
    ours = {**capture.ports, **{f"another {port}": port for port in others}}

    def publish(found: list[Target]) -> None:
        routes.add_found(found)
        capture.upstreams.update(routes.upstreams())
        capture.local_servers.extend(map(discovery.to_json, found))

    def look() -> None:
        found = discovery.find(settings, lambda host, port: is_ourselves(host, port, ours, settings.host))
        try:
            loop.call_soon_threadsafe(publish, found)
        except RuntimeError:  # the proxy has ended
            pass

    Thread(target=look, name="llmprof-discovery", daemon=True).start()


class _Announce:
    """Last addon: calls back when all others run."""

    def __init__(self, ready: Callable[[], None]):
        self._ready = ready

    def running(self) -> None:
        self._ready()


def _stopper(proxy: SlimMaster, capture: Capture) -> Callable[[], None]:
    """What a signal calls: the first lets running answers end, the second does not."""
    draining: list[asyncio.Task[None]] = []

    async def drain() -> None:
        proxy.options.update(server=False)
        end = asyncio.get_running_loop().time() + DRAIN_SECONDS
        while capture.in_flight and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)  # a call is over for its hooks just before its last bytes are sent
        proxy.stop()

    def stop() -> None:
        if draining:
            proxy.stop()
        else:
            draining.append(asyncio.get_running_loop().create_task(drain()))

    return stop


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _free_ports(host: str, wanted: dict[str, int]) -> dict[str, int]:
    """The ports to listen on, 0 replaced by free ones. Raises `StartError` that names the flag of one in use.

    mitmproxy would report a port in use with its own words, and refuses two listeners on port 0 of one host.
    """
    ports: dict[str, int] = {}
    held: list[socket.socket] = []
    try:
        for name, port in wanted.items():
            held.append(probe := socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
            if sys.platform != "win32":  # there it would let two servers share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise _not_free(host, name, port, error) from error
            ports[name] = probe.getsockname()[1]
    finally:
        for probe in held:
            probe.close()
    return ports


def _not_free(host: str, name: str, port: int, error: Exception) -> StartError:
    flag = f"--{name.replace('_', '-')}"
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        message = f"port {port} of {host} is in use"
    elif code == errno.EACCES:
        message = f"port {port} of {host} may not be used by this account"
    else:
        return StartError(f"cannot listen on {host}:{port}: {error}", hint="give another address with --host")
    return StartError(message, hint=f"give another one with {flag} or LLMPROF_{name.upper()} (0 = any free port)")


def _log_to_stderr(*, debug: bool) -> None:
    """One line per warning; mitmproxy's own lines about single connections only with `--debug`."""
    logging.basicConfig(format="llmprof: %(message)s", level=logging.INFO if debug else logging.WARNING, force=True)
    for name in ("mitmproxy.proxy.mode_servers", "mitmproxy.addons.proxyserver"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it says of ports is said in one line by us
    logging.getLogger("mitmproxy.proxy.server").addFilter(
        lambda record: "the proxy's certificate" not in record.getMessage()  # said by `Scope`, with what to do
    )


def _calm_collector() -> None:
    """Collect garbage less often, and never look at what mitmproxy's import made, which lives as long as we do."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _spare_type_checks() -> None:
    """Leave out mitmproxy's type checks of every message's fields, which serve its own tests: 5% of a call's time."""
    http.MessageData.__post_init__ = lambda self: None  # type: ignore[method-assign]


def _raise_file_limit() -> None:
    """Two sockets a connection: raise the soft limit of open files to the hard one."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):  # macOS calls no limit what it then refuses
        logging.getLogger(__name__).info("the limit of open files stays at %s", soft)
