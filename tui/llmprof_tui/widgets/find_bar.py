"""The line to search a page with: what is looked for, and which hit of how many is shown."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FindBar(Horizontal):
    """Hidden until `open`; says what is typed."""

    DEFAULT_CSS = """
    FindBar {
        height: 1;
        background: $panel;
        display: none;
        &.-open { display: block; }
        & > .find--slash { width: 3; padding: 0 1; color: $primary; text-style: bold; }
        & > Input, & > Input:focus { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
        & > .find--count { width: auto; padding: 0 1; color: $foreground 70%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="find.close", tooltip="Leave the search, and forget its hits"),
    ]

    class Changed(Message):
        """Another word is looked for."""

        def __init__(self, word: str) -> None:
            super().__init__()
            self.word = word

    class Left(Message):
        """The person goes back to the page; `kept` says whether its hits stay marked."""

        def __init__(self, kept: bool) -> None:
            super().__init__()
            self.kept = kept

    def __init__(self, placeholder: str = "find in names and texts", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        """The slash, the word, the number of hits."""
        yield Static("/", classes="find--slash", markup=False)
        yield Input(placeholder=self._placeholder, select_on_focus=True)
        yield Static("", classes="find--count", markup=False)

    @property
    def word(self) -> str:
        """What is looked for."""
        return self.query_one(Input).value

    def open(self) -> None:
        """Show the line, ready to type."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def fill(self, word: str) -> None:
        """Show the line with this word, which whoever gives it looks for."""
        self.add_class("-open")
        with self.prevent(Input.Changed):
            self.query_one(Input).value = word

    def say(self, count: str) -> None:
        """Say how many hits there are."""
        self.query_one(".find--count", Static).update(count)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass the word on."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the page, hits stay."""
        event.stop()
        self.post_message(self.Left(kept=True))

    def action_close(self) -> None:
        """Back to the page without hits."""
        self.remove_class("-open")
        self.post_message(self.Left(kept=False))
