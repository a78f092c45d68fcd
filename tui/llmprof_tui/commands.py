"""The palette's entries of a screen: every action that a key does there, for who does not know the key."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen

HIDDEN = ("table.", "dialog.", "app.")
"""Starts of binding ids that are no entries: moving about, and what the palette says itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: title, explanation, what to do."""

    title: str
    about: str
    action: str
    node: Any

    async def run(self, screen: Screen[Any]) -> None:
        """Do it."""
        await screen.app.run_action(self.action, self.node)


def entries(screen: Screen[Any]) -> Iterator[Entry]:
    """Entries of the keys that work at this moment, and of `palette` of the screen if it has one."""
    seen = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        # Those without an id are Textual's own: focus, copying.
        if not active.enabled or not binding.id or binding.id.startswith(HIDDEN) or not binding.description:
            continue
        key = (binding.action, id(active.node))
        if key not in seen:
            seen.add(key)
            yield _entry(screen, active)
    for title, about, action in getattr(screen, "palette", tuple)():
        yield Entry(title, about, action, screen)


def _entry(screen: Screen[Any], active: ActiveBinding) -> Entry:
    binding = active.binding
    keys = screen.app.get_key_display(binding)
    about = active.tooltip or binding.tooltip
    return Entry(binding.description, f"{about}  ({keys})" if about else keys, binding.action, active.node)


class ScreenCommands(Provider):
    """The entries of the screen in front."""

    async def discover(self) -> Hits:
        """All of them."""
        for entry in entries(self.screen):
            yield DiscoveryHit(entry.title, partial(entry.run, self.screen), help=entry.about)

    async def search(self, query: str) -> Hits:
        """Those whose title or explanation fits."""
        matcher = self.matcher(query)
        for entry in entries(self.screen):
            score = max(matcher.match(entry.title), matcher.match(entry.about) / 2)
            if score > 0:
                yield Hit(score, matcher.highlight(entry.title), partial(entry.run, self.screen), help=entry.about)
