"""The capture class for a mitmproxy of the user's own: their modes, certificates and options, our recording."""

import logging
import sys
from importlib.util import find_spec
from pathlib import Path

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from llmprof_addon import settings as settings_
from llmprof_addon.capture.hooks import Capture
from llmprof_addon.capture.scope import Scope
from llmprof_addon.errors import ConfigError

logger = logging.getLogger(__name__)


class Llmprof:
    """The addon that the loader file exposes; `addons` are the ones that do the work."""

    name = "llmprof"

    def __init__(self, capture: Capture, scope: Scope):
        self.addons = [scope, capture]
        self._capture = capture

    def load(self, loader: Loader) -> None:
        """Prove that there is a place to record to: an error while mitmproxy starts ends it."""
        try:
            self._capture.settings.ensure_home()
        except ConfigError as error:
            _refuse(error)

    def running(self) -> None:
        server = ctx.master.addons.get("proxyserver")
        listening = [address for instance in server.servers for address in instance.listen_addrs] if server else []
        self._capture.ports.update({str(address[1]): address[1] for address in listening})


def make_addons(*, interpreter: str | None = None, home: str | None = None) -> list[object]:
    """What `addons` of a mitmproxy script is set to. `interpreter` runs the worker; settings are the environment's."""
    try:
        settings = settings_.load({"home": home})
    except ConfigError as error:
        _refuse(error)
        return []
    return [Llmprof(Capture(settings, interpreter=interpreter or _interpreter()), Scope(settings, default="all"))]


def _refuse(error: ConfigError) -> None:
    # mitmproxy ends when an error is logged during its start; an exception would be told with its traceback.
    logger.error("llmprof: %s%s", error.message, f"; {error.hint}" if error.hint else "")


def _interpreter() -> str:
    """The interpreter of the worker for a checkout: its own environment, else this one if it has what is needed."""
    checkout = Path(__file__).resolve().parents[2]
    for place in (".venv/bin/python", ".venv/Scripts/python.exe"):
        if (checkout / place).exists():
            return str(checkout / place)
    if any(find_spec(name) is None for name in ("peewee", "tiktoken")) or getattr(sys, "frozen", False):
        logger.warning("llmprof: nothing here can run its worker; write a loader with `llmprof addon` and use that")
    return sys.executable
