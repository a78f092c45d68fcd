"""What the screen of a call does beside showing it: findings into words, texts out of it, what a person has chosen."""

from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.screen import Screen

from llmprof_addon.export.findings import Paths
from llmprof_addon.export.text import counted
from llmprof_addon.model.component import Kind
from llmprof_tui import pager
from llmprof_tui.screens.call_questions import Advice
from llmprof_tui.widgets.entry import Level
from llmprof_tui.widgets.finding_list import FindingList

LEVELS_SETTING = "messages.levels"


def show_advice(shown: FindingList, found: Advice, paths: Paths) -> None:
    """Show the findings that concern a call, or that there are none."""
    number = len(found.findings)
    if number:
        summary = f"{counted(number, 'finding')} of the run {'concerns' if number == 1 else 'concern'} this call"
        shown.show(((summary, "strong"),), found.findings, {}, paths=paths)
    elif found.looked:
        shown.say("✓ Nothing found.", "No finding of the run concerns this call.", colour="success")
    else:
        shown.say("Not looked at yet.", "The worker looks at runs beside their calls.")


def copy(screen: Screen[Any], name: str, text: str) -> None:
    """Copy a text."""
    if text:
        screen.app.copy_text(name, text)  # type: ignore[attr-defined]  # the application is always ours
    else:
        screen.notify("there is no text to copy here", severity="warning", markup=False)


def page(screen: Screen[Any], name: str, text: str) -> None:
    """Open a text in the pager."""
    if not text:
        screen.notify("there is no text to open here", severity="warning", markup=False)
        return
    try:
        pager.show(screen.app, text)
    except pager.PagerError as error:
        screen.notify(error.hint or name, title=error.message, severity="error", markup=False)


def kept_levels(app: App[Any]) -> dict[Kind, Level]:
    """The levels that a person chose before, as far as they can be read."""
    preferences = getattr(app, "preferences", None)
    kept = {} if preferences is None else preferences.get(LEVELS_SETTING, {})
    kinds, levels = {kind.value for kind in Kind}, {level.value for level in Level}
    if not isinstance(kept, dict):
        return {}
    return {Kind(kind): Level(level) for kind, level in kept.items() if kind in kinds and level in levels}


def keep_levels(app: App[Any], levels: Mapping[Kind, Level]) -> None:
    """Remember the levels that a person chose."""
    if preferences := getattr(app, "preferences", None):
        preferences.set(LEVELS_SETTING, {kind.value: level.value for kind, level in levels.items()})
