"""All keys that work at this moment, by who answers them; made from the bindings themselves."""

import textwrap
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

WIDTH, FRAME = 84, 7
"""Cells of the dialog, and of its border, padding and scrollbar."""
KEYS = 14
NAME = 11
"""Cells of the columns of keys and names."""


class HelpScreen(ModalScreen[None]):
    """Keys, then what they do, and the signs of the screen that says them in `HELP_SIGNS`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", id="help.close", tooltip="Back to where you were")
    ]

    def __init__(self, about: Screen[Any]) -> None:
        """`about`: the screen whose keys are shown, with its focused widget."""
        super().__init__()
        self._groups = groups(about)
        self._signs: str = getattr(about, "HELP_SIGNS", "")

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll(classes="dialog help"):
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Lay the groups out."""
        theme = self.app.theme_variables
        shown, indent = Text(), 2 + KEYS + NAME
        for title, lines in self._groups:
            shown.append(f"{title}\n", style=f"bold {theme['primary']}")
            for keys, name, said in lines:
                shown.append(f"  {keys:<{KEYS}}", style=theme["accent"])
                shown.append(f"{name:<{NAME}}", style="bold")
                rest = textwrap.wrap(said, max(20, min(WIDTH, self.app.size.width * 95 // 100) - FRAME - indent))
                shown.append(f"{f'\n{" " * indent}'.join(rest)}\n")
            shown.append("\n")
        shown.append("Mouse  ", style=f"bold {theme['primary']}")
        shown.append(
            "click selects, double click opens, the wheel scrolls; a title sorts; resting says exact numbers\n"
        )
        shown.append("Signs  ", style=f"bold {theme['primary']}")
        shown.append("≈ estimated   ≥ at least, a price is missing   – not known")
        shown.append(f"\n       {self._signs}" if self._signs else "")
        self.query_one(Static).update(shown)
        self.query_one(VerticalScroll).focus()


def groups(screen: Screen[Any]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Title and lines (keys, name, what they do) of each who answers keys, the focused widget first."""
    found: dict[int, tuple[str, dict[str, tuple[list[str], str, str]]]] = {}
    for key, active in screen.active_bindings.items():
        binding, node = active.binding, active.node
        # Those of the screen without an id are Textual's own: focus, copying.
        if not active.enabled or not binding.description or (isinstance(node, Screen) and not binding.id):
            continue
        _, lines = found.setdefault(id(node), (_title(node), {}))
        said = active.tooltip or binding.tooltip
        keys, *_ = lines.setdefault(binding.action, ([], binding.description, said))
        keys.append(screen.app.get_key_display(binding.with_key(key)))
    return [
        (title, [(" ".join(dict.fromkeys(keys)), name, said) for keys, name, said in lines.values()])
        for title, lines in found.values()
    ]


def _title(node: DOMNode) -> str:
    if isinstance(node, Screen):
        return str(node.title or "This screen")
    if node is node.app:
        return "Everywhere"
    return str(getattr(node, "HELP_TITLE", "") or "".join(_words(type(node).__name__)))


def _words(name: str) -> list[str]:
    """`WindowTable` in words: `Window table`."""
    return [f" {letter.lower()}" if place and letter.isupper() else letter for place, letter in enumerate(name)]
