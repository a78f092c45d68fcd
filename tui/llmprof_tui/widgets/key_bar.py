"""The keys that work at this moment, on the last line: as many as fit whole, those that lead away always.

One widget instead of one per key, as in Textual's footer: it changes with every focus and every key that starts or
ceases to work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widget import Widget

from llmprof_tui.widgets.looks import blended

GAP = 2
LEAVES = ("escape", "app.")
"""Keys and starts of ids of what leads away: they stand on the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key and what it does."""

    key: str
    shown: str
    name: str
    enabled: bool = True
    tooltip: str = ""

    @property
    def cells(self) -> int:
        """Its width."""
        return cell_len(self.shown) + 1 + cell_len(self.name)


def placed(head: Sequence[Key], tail: Sequence[Key], width: int) -> list[tuple[int, Key]]:
    """First cell of each key: those of the tail at the right, before them as many of the head as fit, from the left.

    Of a tail that is too wide, its last ones leave first.
    """
    kept = list(tail)
    while kept and _cells(kept) > width:
        kept.pop()
    room = width - _cells(kept) - (GAP if kept else 0)
    places, at = [], 0
    for key in head:
        if at + key.cells > room:
            break
        places.append((at, key))
        at += key.cells + GAP
    at = width - _cells(kept)
    for key in kept:
        places.append((at, key))
        at += key.cells + GAP
    return places


def _cells(keys: Sequence[Key]) -> int:
    return sum(key.cells for key in keys) + GAP * max(0, len(keys) - 1)


class KeyBar(Widget):
    """Follows the keys of the screen that it stands on."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--name", "keys--faint"}
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $footer-background;
        & > .keys--key { color: $footer-key-foreground; text-style: bold; }
        & > .keys--name { color: $footer-foreground; }
        & > .keys--faint { color: $foreground 40%; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._head: list[Key] = []
        self._tail: list[Key] = []

    def on_mount(self) -> None:
        """Follow the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self.screen)

    def _follow(self, _: Screen[Any]) -> None:
        head: list[Key] = []
        tail: list[Key] = []
        for away, key in self._keys():
            (tail if away else head).append(key)
        if (head, tail) != (self._head, self._tail):
            self._head, self._tail = head, tail
            self.refresh()

    def _keys(self) -> Iterator[tuple[bool, Key]]:
        seen = set()
        palette = self.app.COMMAND_PALETTE_BINDING
        active = self.screen.active_bindings
        for pressed in [*(each for each in active if each != palette), *(each for each in active if each == palette)]:
            _, binding, enabled, tooltip = active[pressed]
            if binding.action in seen or not (binding.show or pressed == palette):
                continue
            if not enabled and getattr(self.app, "monochrome", False):
                continue  # what is faint elsewhere would look like the others, or like the background
            seen.add(binding.action)
            away = pressed == palette or (binding.id or "").startswith(LEAVES) or binding.key in LEAVES
            key = Key(
                key=binding.key,
                shown=self.app.get_key_display(binding),
                name="Palette" if pressed == palette else binding.description,
                enabled=enabled,
                tooltip=tooltip or binding.tooltip,
            )
            yield away, key

    @property
    def _places(self) -> list[tuple[int, Key]]:
        head, tail, width = self._head, self._tail, self.content_size.width
        # The palette lists what every key does: it leaves for them.
        if _cells([*head, *tail]) > width:
            tail = [key for key in tail if key.key != self.app.COMMAND_PALETTE_BINDING]
        return placed(head, tail, width)

    def render(self) -> Text:
        """The keys."""
        looks = {name: blended(self, f"keys--{name}") for name in ("key", "name", "faint")}
        line = Text(no_wrap=True, end="")
        for at, key in self._places:
            line.append(" " * (at - line.cell_len))
            line.append(key.shown, looks["key" if key.enabled else "faint"])
            line.append(f" {key.name}", looks["name" if key.enabled else "faint"])
        return line

    def _key_at(self, event: events.MouseEvent) -> Key | None:
        at = event.get_content_offset(self)
        if at is not None:
            for start, key in self._places:
                if start <= at.x < start + key.cells:
                    return key
        return None

    def on_click(self, event: events.Click) -> None:
        """Do what the key does."""
        key = self._key_at(event)
        if key is not None and key.enabled:
            self.app.simulate_key(key.key)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say what the key under the mouse does."""
        key = self._key_at(event)
        tip = (key.tooltip or None) if key else None
        if self.tooltip != tip:
            self.tooltip = tip
