"""The first look: what the three screens are for, in a few lines, over the demo's data."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

PLACES = (
    (
        "Runs",
        "What happened, and what did it cost?",
        "One line is one agent session; below it, what its prompts are made of.",
    ),
    (
        "Run",
        "Where did the context grow?",
        "One column is one call, coloured by what fills its prompt. d compares.",
    ),
    (
        "Call",
        "What is in this prompt?",
        "Each part as wide as its tokens; the cached ones stand left.",
    ),
)


class TourScreen(ModalScreen[None]):
    """One panel; any key goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,space,q", "dismiss", "Begin", id="tour.close", tooltip="Close this, and look around")
    ]

    def compose(self) -> ComposeResult:
        """The places, and the keys that go everywhere."""
        with Vertical(classes="dialog tour"):
            yield Static("Where do my tokens and dollars go?", classes="dialog-title", markup=False)
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Lay the text out, in the colours of the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw())
        self._draw()

    def _draw(self) -> None:
        theme = self.app.theme_variables
        shown = Text("A coding agent is being recorded right now, into a store of its own.\n\n")
        for name, question, about in PLACES:
            shown.append(f"{name:<6}", style=f"bold {theme['primary']}")
            shown.append(f"{question}\n", style="bold")
            shown.append(f"{about}\n\n")
        for key, said in (("enter", "in"), ("escape", "back"), ("?", "all keys"), ("ctrl+p", "all actions")):
            shown.append(key, style=theme["accent"])
            shown.append(f" {said}   ")
        shown.append("\n\n≈ estimated   ≥ at least   – not known", style="dim")
        shown.append("                 enter begins", style=f"bold {theme['accent']}")
        self.query_one(".tour > Static:last-child", Static).update(shown)

    def on_click(self, event: events.Click) -> None:
        """So does a click."""
        self.dismiss()
