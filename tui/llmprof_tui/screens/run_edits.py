"""What a person changes of a run: asked for in a dialog, written in a thread, told by the screen that asked."""

from collections.abc import Callable

from llmprof_addon.export import text
from llmprof_addon.store.rows import RunRow
from llmprof_tui.screens.dialogs import Ask, Confirm
from llmprof_tui.screens.loading import LoadingScreen

GROUP = "edit"


def ask_name(screen: LoadingScreen, row: RunRow, then: Callable[[], None]) -> None:
    """Ask for a name and rename the run."""

    def answered(name: str | None) -> None:
        if name is not None:
            screen.load(GROUP, lambda source: source.rename_run(row.id, name or None), lambda _: then())

    hint = "An empty name gives back the start of its first request."
    screen.app.push_screen(Ask("Name of the run", value=text.plain(row.label or ""), hint=hint), answered)


def ask_tags(screen: LoadingScreen, row: RunRow, then: Callable[[], None]) -> None:
    """Ask for all tags of the run and set them."""

    def answered(said: str | None) -> None:
        if said is not None:
            tags: dict[str, str | None] = {**dict.fromkeys(row.tags), **read_tags(said)}
            screen.load(GROUP, lambda source: source.tag_run(row.id, tags), lambda _: then())

    value = ", ".join(f"{key}:{tag}" for key, tag in row.tags.items())
    ask = Ask("Tags of the run", value=text.plain(value), hint="key:value, key:value", refuse=_no_tags)
    screen.app.push_screen(ask, answered)


def ask_deletion(screen: LoadingScreen, row: RunRow, then: Callable[[], None]) -> None:
    """Ask whether the run is to be deleted, and delete it."""

    def answered(yes: bool | None) -> None:
        if yes:
            screen.load(GROUP, lambda source: source.delete_run(row.id), lambda _: then())

    name = text.plain(row.label or row.id[:12])
    lost = f"{text.counted(row.calls, 'call')} with all texts and numbers. This cannot be undone."
    screen.app.push_screen(Confirm(f"Delete “{name}”?", lost), answered)


def read_tags(said: str) -> dict[str, str]:
    """Tags written as `key:value, key:value`; a key alone has an empty value. Raises `ValueError`."""
    found = {}
    for one in filter(None, map(str.strip, said.split(","))):
        key, _, value = one.partition(":")
        if not key.strip():
            raise ValueError(f"no key in {one!r}")
        found[key.strip()] = value.strip()
    return found


def _no_tags(said: str) -> str | None:
    try:
        read_tags(said)
    except ValueError as error:
        return text.plain(str(error))
    return None
