"""The bill of a call, and who caused it: two tables whose sums are exact."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from llmprof_addon.export.text import KIND_NAMES, exact, plain, share
from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.usage import Source
from llmprof_tui.themes import kind_colour
from llmprof_tui.widgets.cost_lines import REQUESTS, aligned, cost_lines, money, per_million, uncached, unpriced
from llmprof_tui.widgets.timing_bar import TimingBar
from llmprof_tui.widgets.timing_layout import timing

if TYPE_CHECKING:
    from llmprof_addon.store.rows import CallRow


class CostTable(VerticalScroll, can_focus=True):
    """`show` gives it a call."""

    DEFAULT_CSS = """
    CostTable {
        height: 1fr;
        padding: 1 2;
        scrollbar-size-vertical: 1;
        & > Static, & > TimingBar { margin-bottom: 1; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._row: CallRow | None = None

    def compose(self) -> ComposeResult:
        """The bill, what there is to say of it, where the time went, who caused it."""
        yield Static("", id="cost-bill", markup=False)
        yield Static("", id="cost-price", markup=False)
        yield TimingBar()
        yield Static("", id="cost-kinds", markup=False)

    def show(self, row: "CallRow") -> None:
        """Show a call's bill."""
        self._row = row
        self.query_one("#cost-bill", Static).update(_bill(row))
        self.query_one("#cost-price", Static).update(_price(row))
        self.query_one("#cost-kinds", Static).update(self._kinds(row))
        output = row.usage.output_tokens
        self.query_one(TimingBar).show(timing(row.started_ns, row.first_chunk_ns, row.ended_ns, output))

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        if self._row is not None and self.is_mounted:
            self.query_one("#cost-kinds", Static).update(self._kinds(self._row))

    def _kinds(self, row: "CallRow") -> Table:
        table = _table("prompt", "tokens", "share", "read", "write", "fresh", "dollars")
        for name, totals in (("prompt", row.composition), ("answer", row.output_composition)):
            held = [total for total in totals if total.tokens or total.cost]
            whole = sum(total.tokens for total in held)
            groups = [[total] for total in held] + ([held] if len(held) > 1 else [])
            amounts = aligned([_sum([total.cost for total in group]) for group in groups])
            if name == "answer" and held:
                table.add_row(Text("answer", "bold"), *[""] * 6)
            for group, amount in zip(groups, amounts, strict=True):
                title = Text("   sum", "bold")
                if len(group) == 1:
                    colour = Style(color=kind_colour(group[0].kind, self.app.theme))
                    title = Text.assemble(("██ ", colour), KIND_NAMES[group[0].kind])
                numbers = _numbers(group, whole, cached=name == "prompt")
                table.add_row(title, *numbers, amount, style="" if len(group) == 1 else "bold")
        return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=False)
    table.add_column(titles[0], no_wrap=True)
    for title in titles[1:]:
        table.add_column(Text(title, "dim"), justify="right", no_wrap=True)
    return table


def _numbers(totals: Sequence[KindTotal], whole: int, *, cached: bool) -> list[str]:
    tokens = sum(total.tokens for total in totals)
    estimated = any(total.source is Source.ESTIMATED for total in totals)
    split = [exact(sum(getattr(total, name) for total in totals)) for name in ("read", "write", "fresh")]
    return [exact(tokens, estimated=estimated), share(tokens, whole), *(split if cached else ["", "", ""])]


def _sum(costs: Sequence[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _bill(row: "CallRow") -> Table:
    cost, usage = row.cost, row.usage
    estimated = usage.source is not Source.REPORTED
    lines = cost_lines(usage, row.composition, cost)
    without = uncached(lines, cost)
    total = None if cost is None else cost.total
    amounts = aligned([*(line.amount for line in lines), total, None if without is None else without.amount])
    table = _table("bill", "tokens", "$ per million", "dollars")
    table.add_column("")  # the one that gives way where it is narrow
    for line, amount in zip(lines, amounts, strict=False):
        table.add_row(
            Text(f"  {line.name}" if line.part else line.name),
            "" if line.name == REQUESTS else exact(line.tokens, estimated=estimated),
            "" if line.name == REQUESTS or not line.tokens else per_million(line.rate),
            amount,
            Text("part of the output" if line.part else line.about, "dim"),
            style="dim" if line.part or not (line.tokens or line.amount) else "",
        )
    table.add_row(Text("total", "bold"), "", "", Text(amounts[-2], "bold"))
    if without is not None:
        said = without.why
        if without.amount is not None and total is not None:
            mark = "" if without.exact else "≈"
            saved = without.amount - total
            of_it = f"{mark}{money(abs(saved))}, {share(abs(saved), without.amount)}"
            said = (
                f"{mark and '≈ '}the cache {'saved' if saved >= 0 else 'cost'} {of_it}{'' if saved >= 0 else ' more'}"
            )
        table.add_row("without the cache", "", "", amounts[-1], Text(said, "dim"))
    return table


def _price(row: "CallRow") -> Text:
    if row.cost is None:
        return Text(unpriced(row.usage, None if row.model is None else plain(row.model)), "bold")
    price = row.cost.price
    said = [
        f"price {price.source}",
        plain(price.model),
        f"since {price.as_of}" if price.as_of else "",
        price.tier or "",
    ]
    return Text(" · ".join(filter(None, said)), "dim")
