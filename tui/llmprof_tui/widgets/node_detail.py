"""The exact numbers of one component, in three lines: what it is, how much it is, how it lies in the cache."""

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text
from textual.widgets import Static

from llmprof_addon.export import text
from llmprof_addon.model.component import Component
from llmprof_addon.model.usage import Source
from llmprof_tui.themes import kind_colour
from llmprof_tui.widgets.flame import shown_name

BAR_CELLS = 24


class NodeDetail(Static):
    """`show` gives it a component with its ancestors."""

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    NodeDetail { height: 3; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._trail: tuple[Component, ...] = ()
        self._turn: int | None = None
        self._rent = False

    def show(self, trail: Sequence[Component], turn: int | None = None, *, rent: bool = False) -> None:
        """Show the last of these, which come from the root down.

        Args:
            trail: components.
            turn: of the run, in which it was first sent.
            rent: whether costs are what it has cost the run up to this call.
        """
        self._trail, self._turn, self._rent = tuple(trail), turn, rent
        self.update(self._lines(), layout=False)

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        if self._trail:
            self.update(self._lines(), layout=False)

    def _lines(self) -> Text:
        if not self._trail:
            return Text("")
        lines = lines_of(self._trail, kind_colour(self._trail[-1].kind, self.app.theme), self._turn, rent=self._rent)
        for line in lines:
            line.truncate(max(1, self.content_size.width or 200), overflow="ellipsis")
        return Text("\n").join(lines)


def first_turn(trail: Sequence[Component], turns: Mapping[str, int]) -> int | None:
    """The turn of the part that the last component of a trail is, belongs to, or holds as its oldest."""
    if not trail or len(trail) == 1:
        return None  # the whole prompt is as old as its call
    for node in reversed(trail):
        if node.path is not None and node.path in turns:
            return turns[node.path]
    return min((turns[path] for path in _paths(trail[-1]) if path in turns), default=None)


def _paths(node: Component) -> Iterator[str]:
    todo = [node]  # trees may be deeper than calls may be nested
    while todo:
        each = todo.pop()
        if each.path is not None:
            yield each.path
        todo += each.children


def lines_of(trail: Sequence[Component], colour: str, turn: int | None = None, *, rent: bool = False) -> list[Text]:
    """Three lines about the last component of a trail."""
    node, root = trail[-1], trail[0]
    parent = trail[-2] if len(trail) > 1 else None
    estimated = node.token_source is Source.ESTIMATED
    title = Text()
    if parent is not None:
        title.append("██ ", colour)
    title.append(text.plain(shown_name(node)), "bold")
    if len(trail) > 2:
        title.append(f"  {text.KIND_NAMES[node.kind]}", "dim")
    if node.path:
        title.append(f"  {text.plain(node.path)}", "dim")

    amount = Text(text.exact(node.tokens, estimated=estimated), "bold")
    amount.append(" token" if node.tokens == 1 else " tokens", "not bold")
    if parent is not None:
        amount.append(f"  {text.share(node.tokens, root.tokens)} of {text.plain(shown_name(root))}", "not bold")
        if parent is not root:
            amount.append(f", {text.share(node.tokens, parent.tokens)} of {text.plain(shown_name(parent))}", "not bold")
    amount.append(f"  {'≈' if rent and estimated and node.cost is not None else ''}{text.dollars(node.cost)}", "bold")
    amount.append(" of rent up to this call" if rent else "", "not bold")
    if node.cost is not None and parent is not None:
        amount.append(f" {text.share(node.cost, root.cost)}", "not bold")
    if turn is not None:
        amount.append(f"  since turn {turn:,}", "not bold")
    return [title, amount, _cache(node, colour)]


def _cache(node: Component, colour: str) -> Text:
    split = (("read", node.read_tokens, "█"), ("written", node.write_tokens, "▓"), ("fresh", node.fresh_tokens, "░"))
    line = Text()
    total = sum(tokens for _, tokens, _ in split)
    if total:
        done = running = 0
        for _, tokens, mark in split:
            running += tokens
            end = running * BAR_CELLS // total
            line.append(mark * (end - done), colour)
            done = end
        line.append("  ")
    line.append("   ".join(f"{mark} {name} {text.exact(tokens)}" for name, tokens, mark in split), "")
    return line
