"""Small questions: a line of text, or yes and no. The answer comes back as the screen's result."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static


class Dialog[T](ModalScreen[T | None]):
    """Base of dialogs: a panel in the middle; escape and a click beside it answer nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel", tooltip="Close without an answer")
    ]

    def action_cancel(self) -> None:
        """Answer nothing."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A click beside the panel."""
        if event.widget is self:
            self.action_cancel()

    def complain(self, reason: str) -> None:
        """Say in the place of the hint why an answer cannot be taken."""
        hint = self.query_one(".dialog-hint", Static)
        hint.update(Text(reason, style=self.app.theme_variables["error"]))
        hint.display = True


class Ask(Dialog[str]):
    """One line of text."""

    def __init__(
        self, title: str, *, value: str = "", hint: str = "", refuse: Callable[[str], str | None] | None = None
    ) -> None:
        """`refuse` says why a text cannot be taken, or `None`."""
        super().__init__()
        self._title, self._value, self._hint = title, value, hint
        self._refuse = refuse or (lambda _: None)

    def compose(self) -> ComposeResult:
        """Title, line, hint."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._title), classes="dialog-title")
            yield Input(value=self._value, select_on_focus=False)
            yield Static(Text(self._hint), classes="dialog-hint")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Save", id="yes", variant="primary", compact=True)
                yield Button("Cancel", id="no", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the text, or say why not."""
        self._take()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same with the mouse."""
        if event.button.id == "yes":
            self._take()
        else:
            self.action_cancel()

    def _take(self) -> None:
        value = self.query_one(Input).value.strip()
        if reason := self._refuse(value):
            self.complain(reason)
        else:
            self.dismiss(value)


class Confirm(Dialog[bool]):
    """Yes or no; no is where enter stands at first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", id="dialog.yes", tooltip="Do it"),
        Binding("n", "cancel", "No", id="dialog.no", tooltip="Leave everything as it is"),
        Binding("left,h", "app.focus_previous", show=False, id="dialog.left"),
        Binding("right,l", "app.focus_next", show=False, id="dialog.right"),
    ]

    def __init__(self, question: str, consequence: str, *, yes: str = "Delete") -> None:
        super().__init__()
        self._question, self._consequence, self._yes = question, consequence, yes

    def compose(self) -> ComposeResult:
        """Question, consequence, buttons."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._question), classes="dialog-title")
            yield Static(Text(self._consequence), classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button("No (n)", id="no", compact=True)
                yield Button(f"{self._yes} (y)", id="yes", variant="error", compact=True)

    def on_mount(self) -> None:
        """Nothing is done by a key pressed too often."""
        self.query_one("#no", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same with the mouse."""
        self.dismiss(event.button.id == "yes" or None)

    def action_yes(self) -> None:
        """Agree."""
        self.dismiss(True)
