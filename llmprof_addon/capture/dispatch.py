"""Hooks called without looking for them: which addons listen to which hook is found once, not for every call.

mitmproxy asks every addon for every hook, and after each one again for `update`; with the few addons of our own proxy
that was a fifth of a small call's time.
"""

import inspect
import logging
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from mitmproxy import addonmanager, exceptions, hooks, master

logger = logging.getLogger(__name__)


class _Listeners(NamedTuple):
    """Of one hook."""

    functions: tuple[Callable[..., Any], ...]
    waits: bool
    """Whether one of them has to be awaited."""
    data: Callable[[hooks.Hook], Any]
    """Gives the argument of a hook that has one."""


class Dispatch(addonmanager.AddonManager):
    """An addon manager that remembers the listeners of each hook until an addon is added or removed."""

    def __init__(self, owner: master.Master):
        super().__init__(owner)  # type: ignore[no-untyped-call]
        self._listeners: dict[str, _Listeners] = {}

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
        for listener in self._of(event).functions:
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

    def call(self, event: hooks.Hook) -> bool:
        """Do the same at once for a hook with one argument; false, and nothing is done, if that has to be awaited."""
        listeners = self._of(event)
        if listeners.waits:
            return False
        data = listeners.data(event)
        for listener in listeners.functions:
            try:
                listener(data)
            except exceptions.AddonHalt:
                break
            except exceptions.OptionsError:
                raise
            except Exception:
                logger.exception("error in %s", event.name)
        return True

    def _of(self, event: hooks.Hook) -> _Listeners:
        found = self._listeners.get(event.name)
        if found is None:
            functions = tuple(func for addon in self.chain for _, func in self._iter_hooks(addon, event))
            names = [field.name for field in fields(event)]  # type: ignore[arg-type]  # every hook is a dataclass
            found = self._listeners[event.name] = _Listeners(
                functions, any(map(inspect.iscoroutinefunction, functions)), attrgetter(*names[:1] or ["name"])
            )
        return found
