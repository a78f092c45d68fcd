"""Runs by hand: calls that start while one is active belong to it, whichever program makes them.

Asked for in a dialog that says what is, written in a thread, told by the screen that asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Static

from llmprof_addon.export import text
from llmprof_addon.store.manual import ManualRun
from llmprof_tui.screens.dialogs import Dialog
from llmprof_tui.screens.loading import LoadingScreen

GROUP = "manual"
_DONE = {"start": "started", "pause": "paused", "resume": "goes on", "end": "ended"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants done."""

    action: str
    """`start`, `pause`, `resume` or `end`."""
    name: str = ""
    note: str | None = None


class ManualDialog(Dialog[Wish]):
    """The state of the latest run by hand, what can be done with it, and a name for a new one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "wish('pause')", "Pause", id="manual.pause", tooltip="Leave calls out that start from now on"),
        Binding("r", "wish('resume')", "Resume", id="manual.resume", tooltip="Take calls in again"),
        Binding("e", "wish('end')", "End", id="manual.end", tooltip="Leave the run as it is"),
        Binding("left", "app.focus_previous", show=False, id="dialog.left"),
        Binding("right", "app.focus_next", show=False, id="dialog.right"),
    ]

    def __init__(self, found: ManualRun | None) -> None:
        """`found`: the one that was started last, if ever one was."""
        super().__init__()
        self._state = "ended" if found is None else found.state
        self._found = found

    def compose(self) -> ComposeResult:
        """State, buttons, the fields of a new one."""
        begun = self._state != "ended"
        with Vertical(classes="dialog"):
            yield Static("A run by hand", classes="dialog-title")
            yield Static(Text(state_said(self._found)), classes="dialog-text", id="manual-state")
            if begun:
                with Horizontal(classes="dialog-buttons"):
                    if self._state == "active":
                        yield Button("Pause (p)", id="pause", compact=True)
                    else:
                        yield Button("Resume (r)", id="resume", variant="primary", compact=True)
                    yield Button("End (e)", id="end", compact=True)
                yield Static("Start another one, which ends it", classes="dialog-hint")
            with Horizontal(classes="field"):
                yield Label("Name")
                yield Input(placeholder="what to call the run", compact=True, id="name")
            with Horizontal(classes="field"):
                yield Label("Note")
                yield Input(placeholder="a remark, if you like", compact=True, id="note")
            yield Static("", classes="dialog-hint", id="complaint")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Start", id="start", variant="default" if begun else "primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Where nothing runs, a name is what is wanted."""
        self.query_one("#complaint").display = False
        if self._state == "ended":
            self.query_one("#name").focus()
        else:
            self.query_one("#pause, #resume", Button).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done at the moment is not offered."""
        if action != "wish":
            return True
        possible = {"active": ("pause", "end"), "paused": ("resume", "end")}.get(self._state, ())
        return parameters[0] in possible

    def action_wish(self, action: str) -> None:
        """Pause, resume or end."""
        self.dismiss(Wish(action=action))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start it."""
        self._start()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same with the mouse."""
        match event.button.id:
            case "start":
                self._start()
            case "cancel" | None:
                self.action_cancel()
            case action:
                self.action_wish(action)

    def _start(self) -> None:
        name = " ".join(self.query_one("#name", Input).value.split())
        note = self.query_one("#note", Input).value.strip()
        if name:
            self.dismiss(Wish(action="start", name=name, note=note or None))
        else:
            complaint = self.query_one("#complaint", Static)
            complaint.update(Text("a name needs a letter", style=self.app.theme_variables["error"]))
            complaint.display = True
            self.query_one("#name").focus()


def state_said(found: ManualRun | None) -> str:
    """What is to be said of the latest one, on a line or two."""
    if found is None:
        return "All calls that start while it is active belong to it, whichever program makes them."
    since, until = found.intervals[0][0], found.intervals[-1][1]
    ended = f" to {text.when(until)}" if until is not None else ""
    said = f"“{text.plain(found.name)}” {'is' if found.state != 'ended' else 'has'} {found.state}: "
    said += f"{text.counted(found.calls, 'call')}, from {text.when(since)}{ended}"
    return f"{said}\n{text.plain(found.note)}" if found.note else said


def control(screen: LoadingScreen, then: Callable[[], None]) -> None:
    """Ask what is to be done with the run by hand, and do it."""

    def asked(found: ManualRun | None) -> None:
        screen.app.push_screen(ManualDialog(found), answered)

    def answered(wish: Wish | None) -> None:
        if wish is not None:
            screen.load(GROUP, lambda source: source.change_manual(wish.action, wish.name, wish.note), told(wish))

    def told(wish: Wish) -> Callable[[ManualRun | None], None]:
        def tell(found: ManualRun | None) -> None:
            if found is None:  # another window or command was quicker
                screen.notify("it is no longer in that state", title="Nothing changed", severity="warning")
            else:
                screen.notify(f"“{text.plain(found.name)}” {_DONE[wish.action]}", markup=False)
            then()

        return tell

    screen.load(GROUP, lambda source: source.manual(), asked)
