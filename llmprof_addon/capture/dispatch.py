"""Hooks called without looking for them: which addons listen to which hook is found once, not for every call.

mitmproxy asks every addon for every hook, and after each one again for `update`; with the few addons of our own proxy
that was a fifth of a small call's time.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any

from mitmproxy import addonmanager, exceptions, hooks, master

logger = logging.getLogger(__name__)


class Dispatch(addonmanager.AddonManager):
    """An addon manager that remembers the listeners of each hook until an addon is added or removed."""

    def __init__(self, owner: master.Master):
        super().__init__(owner)  # type: ignore[no-untyped-call]
        self._listeners: dict[str, tuple[Callable[..., Any], ...]] = {}

    def register(self, addon: Any) -> Any:
        """As in mitmproxy; forgets the listeners."""
        self._listeners.clear()
        return super().register(addon)  # type: ignore[no-untyped-call]

    def remove(self, addon: Any) -> None:
        """As in mitmproxy; forgets the listeners."""
        self._listeners.clear()
        super().remove(addon)  # type: ignore[no-untyped-call]

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call all listeners in the order of the addons; one that raises is logged, and the others are called."""
        listeners = self._listeners.get(event.name)
        if listeners is None:
            found = (func for addon in self.chain for _, func in self._iter_hooks(addon, event))
            listeners = self._listeners[event.name] = tuple(found)
        for listener in listeners:
            try:
                result = listener(*event.args())
                if result is not None and inspect.isawaitable(result):
                    await result
            except exceptions.AddonHalt:
                return
            except exceptions.OptionsError:
                raise
            except Exception:
                logger.exception("error in %s", event.name)
