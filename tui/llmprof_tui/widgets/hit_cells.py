"""A hit of a search as the cells of a table row, and in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.text import Text

from llmprof_addon.export import text
from llmprof_addon.model.component import Kind
from llmprof_addon.store.rows import RunRow
from llmprof_addon.store.search import Hit
from llmprof_tui.themes import kind_colour
from llmprof_tui.widgets.columns import Column
from llmprof_tui.widgets.run_cells import moment

COLUMNS = (
    Column(key="when", title="when", width=11, left=True),
    Column(key="app", title="app", width=11, least=9, left=True, leaves=2),
    Column(key="run", title="run", width=24, least=12, left=True, leaves=1),
    Column(key="what", title="what", width=18, least=12, left=True),
    Column(key="said", title="text", width=60, least=24, grow=1, left=True),
    Column(key="carried", title="carried", width=7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HitLine:
    """What the table shows of a hit."""

    hit: Hit
    run: RunRow | None = None

    @property
    def label(self) -> str:
        """What its run is called."""
        return text.plain(self.run.label or "") if self.run is not None else ""


def cells(line: HitLine, now_ns: int, theme_name: str, colours: Mapping[str, str]) -> tuple[Text | str, ...]:
    """One cell for each of `COLUMNS`; `colours` are a theme's variables."""
    hit, call = line.hit, line.hit.call
    return (
        Text(moment(call.started_ns, now_ns), style="dim"),
        text.plain(call.app or text.UNKNOWN),
        Text(line.label or text.UNKNOWN, style="dim"),
        what(hit, theme_name),
        said(hit, colours),
        Text(carried(hit), style="dim"),
    )


def what(hit: Hit, theme_name: str) -> Text:
    """What the text is in its prompt, with the tool that it belongs to; of a call its model."""
    if hit.kind is None:
        return Text(text.plain(hit.call.model or text.UNKNOWN))
    kind = Kind(hit.kind)
    shown = Text(text.KIND_NAMES[kind], style=kind_colour(kind, theme_name))
    return shown.append(f" {text.plain(hit.tool)}", "not dim") if hit.tool else shown


def said(hit: Hit, colours: Mapping[str, str]) -> Text:
    """The text with its matches marked; of a call its tokens and dollars."""
    if hit.snippet is not None:
        return marked(hit.snippet.text, hit.snippet.marks, f"bold underline {colours['warning']}")
    call = hit.call
    shown = Text(f"{text.tokens(call.usage.input_tokens)} in · {text.tokens(call.usage.output_tokens)} out · ")
    shown.append(text.dollars(call.cost.total if call.cost else None), "bold")
    return shown.append(f"  ✗ {call.status or call.outcome}", colours["error"]) if call.failed else shown


def marked(found: str, marks: Sequence[tuple[int, int]], style: str) -> Text:
    """A text made plain, with this style where marks stand."""
    shown, at = Text(), 0
    for start, end in marks:
        shown.append(text.plain(found[at:start]))
        shown.append(text.plain(found[start:end]), style)
        at = end
    return shown.append(text.plain(found[at:]))


def carried(hit: Hit) -> str:
    """By how many calls the text was carried; nothing for a call alone."""
    return "" if hit.carried is None else f"{'≥' if hit.carried_at_least else ''}{hit.carried:,}"


def exactly(line: HitLine, key: str) -> str | None:
    """What a cell says in full, by its column's key."""
    hit, call = line.hit, line.hit.call
    match key:
        case "when":
            return text.when(call.started_ns)
        case "app":
            return text.plain(call.app or "the application is not known")
        case "run":
            return line.label or None
        case "what" if hit.tool:
            return text.plain(hit.tool)
        case "said" if hit.snippet is not None:
            return text.plain(hit.snippet.text)
        case "carried" if hit.carried is not None:
            first = "; this is the first" if hit.carried > 1 else ""
            return f"{'at least ' if hit.carried_at_least else ''}{text.counted(hit.carried, 'call')} carried it{first}"
    return None


def detail(line: HitLine, theme_name: str, colours: Mapping[str, str]) -> Group:
    """A hit in full: where it stands, on one line; then its text."""
    hit, call = line.hit, line.hit.call
    model = text.plain(call.model or "") if hit.kind is not None else ""
    many = f"first of {carried(hit)} calls" if hit.carried is not None and hit.carried > 1 else ""
    facts = (text.when(call.started_ns), text.plain(call.app or ""), model, many, line.label)
    head = Text("", no_wrap=True, overflow="ellipsis").append_text(what(hit, theme_name))
    if hit.cut:
        head.append("  only its start is searched", colours["warning"])
    head.append(f"  {' · '.join(filter(None, facts))}", "dim")
    return Group(head, said(hit, colours))
