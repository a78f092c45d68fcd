"""All filters of the list of runs in one dialog; what it offers comes from the store."""

from dataclasses import dataclass, field, replace
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Select, Static

from llmprof_addon import clock
from llmprof_addon.export import text
from llmprof_addon.store.listing import Facets, RunFilter
from llmprof_tui import periods
from llmprof_tui.screens.dialogs import Dialog
from llmprof_tui.widgets.asked import ASKS, complaint_of

DATES = "dates"
ANY = "any"
_FAILED = {"failed": True, "ok": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs are listed: a filter without times, and a period."""

    filter: RunFilter = field(default_factory=RunFilter)
    period: str = "all"

    def bounded(self, now_ns: int) -> RunFilter:
        """The filter with the period's times."""
        since, until = periods.bounds(self.period, now_ns)
        return replace(self.filter, since_ns=since, until_ns=until)

    def chips(self) -> dict[str, str]:
        """What holds, in words, by key."""
        held = {name: getattr(self.filter, name) for name in ("app", "model", "provider", "tag")}
        found = {name: f"{name} {text.plain(value)}" for name, value in held.items() if value is not None}
        if self.filter.failed is not None:
            found["failed"] = "with failed calls" if self.filter.failed else "without failed calls"
        if self.period != "all":
            found["period"] = periods.said(self.period)
        if self.filter.query:
            found["query"] = f"“{text.plain(self.filter.query)}”"
        return found

    def without(self, key: str) -> "Wanted":
        """The same without one of the chips."""
        if key == "period":
            return replace(self, period="all")
        gone: Any = "" if key == "query" else None
        return replace(self, filter=replace(self.filter, **{key: gone}))


class FilterDialog(Dialog[Wanted]):
    """Choices of what the store holds, a status, a period or dates, words."""

    def __init__(self, wanted: Wanted, facets: Facets) -> None:
        super().__init__()
        self._wanted, self._facets = wanted, facets

    def compose(self) -> ComposeResult:
        """One line a filter."""
        held, facets = self._wanted.filter, self._facets
        dated = self._wanted.period not in periods.NAMES
        first, _, last = self._wanted.period.partition("..") if dated else ("", "", "")
        with Vertical(classes="dialog"):
            yield Static("Which runs?", classes="dialog-title")
            with Horizontal(classes="field"):
                yield Label("Search")
                yield Input(held.query, placeholder=ASKS, compact=True, id="query")
            named = {"app": facets.apps, "model": facets.models, "provider": facets.providers, "tag": facets.tags}
            for name, values in named.items():
                yield self._choice(name, values, getattr(held, name))
            status = ANY if held.failed is None else "failed" if held.failed else "ok"
            yield self._field("status", [(ANY, ANY), ("with failed calls", "failed"), ("without", "ok")], status)
            spans = [(periods.said(name), name) for name in periods.NAMES]
            yield self._field("period", [*spans, ("from … to …", DATES)], DATES if dated else self._wanted.period)
            with Horizontal(classes="field", id="dates"):
                yield Label("Dates")
                yield Input(first, placeholder="2026-11-01", compact=True, id="first")
                yield Input(last, placeholder="2026-11-30", compact=True, id="last")
            yield Static(classes="dialog-hint")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Show", id="yes", variant="primary", compact=True)
                yield Button("Clear all", id="clear", compact=True)
                yield Button("Cancel", id="no", compact=True)

    def _choice(self, name: str, values: tuple[str, ...], held: str | None) -> Horizontal:
        offered = values if held is None or held in values else (held, *values)
        # Select tells values by equality: what the store holds is prefixed, so that none of it means "any".
        options = [(ANY, ANY), *((Text(text.plain(value)), f"={value}") for value in offered)]
        return self._field(name, options, ANY if held is None else f"={held}")

    def _field(self, name: str, options: "list[Any]", value: str) -> Horizontal:
        choice = Select[str](options, value=value, allow_blank=False, compact=True, id=name)
        return Horizontal(Label(name.capitalize()), choice, classes="field")

    def on_mount(self) -> None:
        """Dates are asked for only where they are wanted."""
        self._show_dates()
        self.query_one(".dialog-hint").display = False
        self.query_one("#query").focus()

    def on_select_changed(self, event: Select.Changed) -> None:
        """As above."""
        self._show_dates()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes what is set."""
        self._take()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take, clear, or leave."""
        match event.button.id:
            case "yes":
                self._take()
            case "clear":
                self.dismiss(Wanted())
            case _:
                self.action_cancel()

    def _show_dates(self) -> None:
        self.query_one("#dates").display = self._chosen("period") == DATES

    def _chosen(self, name: str) -> str:
        return str(self.query_one(f"#{name}", Select).value)

    def _facet(self, name: str) -> str | None:
        chosen = self._chosen(name)
        return None if chosen == ANY else chosen.removeprefix("=")

    def _take(self) -> None:
        period = self._chosen("period")
        if period == DATES:
            first, last = (self.query_one(f"#{name}", Input).value.strip() for name in ("first", "last"))
            period = f"{first}..{last}" if first or last else "all"
        try:
            periods.bounds(period, clock.now_ns())
        except ValueError as error:
            self.complain(text.plain(str(error)))
            return
        query = self.query_one("#query", Input).value.strip()
        if (complaint := complaint_of(query)) is not None:
            self.complain(complaint)
            return
        found = RunFilter(
            app=self._facet("app"),
            model=self._facet("model"),
            provider=self._facet("provider"),
            tag=self._facet("tag"),
            failed=_FAILED.get(self._chosen("status")),
            query=query,
        )
        self.dismiss(Wanted(filter=found, period=period))
