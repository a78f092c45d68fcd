"""Two calls side by side: totals, where their prompts part, both prompts as one flame graph, and every changed part."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmprof_addon.errors import LlmprofError
from llmprof_addon.export.diff import CallDiff, Change, Held, PartDiff, Side, diff, extends
from llmprof_addon.export.diff_tree import Delta, Shift, delta_tree
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.usage import Source as Counted
from llmprof_addon.store.rows import CallRow
from llmprof_tui.screens.comparing import ComparingScreen
from llmprof_tui.source import GoneError, Source
from llmprof_tui.widgets.comparison import PART_COLUMNS, call_totals, part_cells, parting_line, totals_lines
from llmprof_tui.widgets.diff_flame import DiffFlame, shift_colour
from llmprof_tui.widgets.text_diff import TextDiff
from llmprof_tui.widgets.text_diff_layout import Row, text_diff
from llmprof_tui.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from llmprof_addon.pipeline import Explanation

LOOKED_AT = 8
"""Calls before one, among which its predecessor is looked for."""
_AS_JSON = (PartKind.TOOL_SCHEMA, PartKind.OUTPUT_SCHEMA, PartKind.TOOL_CALL, PartKind.GENERIC)
_SHIFTS = {
    Change.SAME: Shift.SAME,
    Change.MOVED: Shift.SHRUNK,
    Change.CHANGED: Shift.CHANGED,
    Change.NEW: Shift.NEW,
    Change.GONE: Shift.GONE,
}
"""By which colour a change of a part is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two calls, compared."""

    rows: tuple[CallRow, CallRow]
    diff: CallDiff
    tree: tuple[Delta, ...]

    @property
    def sources(self) -> tuple[Counted, Counted]:
        """Where the totals of both prompts come from."""
        return self.rows[0].usage.source, self.rows[1].usage.source


def compare(source: Source, before_id: str | None, after_id: str) -> Compared:
    """Read and compare two calls; `None` stands for the one that the later call goes on from."""
    after = source.explain(after_id)
    before = source.explain(before_id) if before_id else predecessor(source, after)
    compared = diff(_side(before), _side(after))
    return Compared(rows=(before.row, after.row), diff=compared, tree=delta_tree(compared))


def predecessor(source: Source, explained: "Explanation") -> "Explanation":
    """The latest call of the run, among the `LOOKED_AT` before, whose messages it begins with; else the one before it.

    Agents that work side by side share a run, so that the call before may be of another conversation. Raises
    `LlmprofError` for the first call of a run.
    """
    numbers = source.call_numbers(explained.row.run_id)
    place = numbers.index(explained.row.number)
    if not place:
        raise LlmprofError("this is the first call of its run", hint="mark two calls to compare them")
    rows = source.calls(numbers[max(0, place - LOOKED_AT) : place])
    earlier = [rows[number] for number in reversed(numbers[max(0, place - LOOKED_AT) : place]) if number in rows]
    found: Explanation | None = None
    for row in earlier:
        candidate = source.explain(row.id)
        found = found or candidate
        if candidate.whole.prompt.messages and extends(candidate.whole, explained.whole):
            return candidate
    if found is None:
        raise GoneError("the call before is no longer in the store", hint="it may have been deleted")
    return found


def _side(explained: "Explanation") -> Side:
    return Side(call=explained.whole, leaves=explained.leaves.prompt, components=explained.components)


class CompareScreen(ComparingScreen[Compared]):
    """How a call differs from another."""

    DEFAULT_CSS = """
    CompareScreen TextDiff { height: 3fr; min-height: 4; border-top: solid $panel-lighten-2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_change(1)", "Next change", id="compare.next", tooltip="The next part that differs"),
        Binding("N", "next_change(-1)", "Previous", id="compare.previous", show=False, tooltip="The one before it"),
    ]

    def __init__(self, before_id: str | None, after_id: str) -> None:
        """`before_id`: `None` for the call that the later one goes on from."""
        super().__init__(before_id or "", after_id)
        self._changed: tuple[PartDiff, ...] = ()

    def read(self, source: Source, before_id: str, after_id: str) -> Compared:
        return compare(source, before_id or None, after_id)

    def check(self, source: Source, before_id: str, after_id: str) -> None:
        source.call(before_id)
        source.call(after_id)

    def body(self) -> ComposeResult:
        """Changed parts, and the texts of the selected one."""
        yield WindowTable[PartDiff](PART_COLUMNS, self._cells)
        yield TextDiff()

    def summary(self, compared: Compared, width: int) -> Sequence[Text]:
        before, after = (call_totals(row) for row in compared.rows)
        return [*totals_lines(before, after, width), parting_line(compared.diff)]

    def show(self, compared: Compared) -> None:
        self.ids = compared.rows[0].id, compared.rows[1].id
        self._changed = compared.diff.changed
        self.query_one(DiffFlame).show(compared.tree, sources=compared.sources)
        table = self._table
        table.show_rows(self._changed)
        table.focus()
        if self._changed:
            table.move_to(0)
            self._point(0)
        else:
            self.query_one(TextDiff).show((), said="Both prompts are the same, part for part.")

    @property
    def _table(self) -> "WindowTable[PartDiff]":
        return self.query_one(WindowTable)

    def _cells(self, part: PartDiff) -> list[str | Text]:
        return part_cells(part, shift_colour(_SHIFTS[part.change], self.app.theme_variables))

    # -- cursor

    @on(DiffFlame.NodeSelected)
    def _selected(self, message: DiffFlame.NodeSelected) -> None:
        """The row of a node that was selected in the flame."""
        shown = message.node.after or message.node.before
        if not self.query_one(DiffFlame).has_focus or shown is None or not shown.path:
            return
        for number, part in enumerate(self._changed):
            held = part.after or part.before
            if held is not None and held.path == shown.path:
                self._table.move_to(number)
                return

    @on(WindowTable.Highlighted)
    def _highlighted(self, message: "WindowTable.Highlighted") -> None:
        if message.number is not None and message.number < len(self._changed):
            self._point(message.number)

    @on(WindowTable.Chosen)
    def _chosen(self) -> None:
        self.query_one(TextDiff).focus()

    def _point(self, number: int) -> None:
        """The texts of a row, and its node in the flame."""
        assert self.compared is not None
        part = self._changed[number]
        held = part.after or part.before
        graph = self.query_one(DiffFlame)
        if held is not None and held.path and not graph.has_focus:
            graph.go_to(held.path)
        before, after = self.compared.diff.before.call, self.compared.diff.after.call
        old = _part(before.prompt.parts, part.before)
        new = _part(after.prompt.parts, part.after)
        if old is None and new is None:
            self.query_one(TextDiff).show((), said="The provider adds this; its text is not known.")
        else:
            self.load("text", lambda _: text_diff(*texts_of(old, new)), self._show_text)

    def _show_text(self, rows: tuple[Row, ...]) -> None:
        self.query_one(TextDiff).show(rows, said="Nothing is written in it.")

    def action_next_change(self, step: int) -> None:
        """The next row, around the end."""
        table = self._table
        if table.row_count:
            table.move_to(((table.cursor or 0) + step) % table.row_count)


def _part(parts: tuple[Part, ...], held: Held | None) -> Part | None:
    return None if held is None or held.index is None else parts[held.index]


def texts_of(before: Part | None, after: Part | None) -> tuple[str, str]:
    """What is compared of two parts: their texts, or all there is of them where the texts do not differ."""
    texts = _text(before), _text(after)
    if before is None or after is None or texts[0] != texts[1]:
        return texts
    old, new = ({"message": part.wrapper, "block": part.value} for part in (before, after))
    return _pretty(old), _pretty(new)


def _text(part: Part | None) -> str:
    if part is None:
        return ""
    return _pretty(part.value) if part.kind in _AS_JSON or part.text is None else part.text


def _pretty(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
