"""Component styles as Rich styles that can be added up."""

from rich.style import Style
from textual.widget import Widget

from llmprof_addon.model.component import Kind
from llmprof_tui.themes import kind_colour


def blended(widget: Widget, name: str) -> Style:
    """What a component class says, and nothing of what is around it; see-through colours as they look on the widget."""
    said = widget.get_component_rich_style(name, partial=True)
    seen = widget.get_component_rich_style(name)
    return said + Style(
        color=seen.color if said.color is not None else None, bgcolor=seen.bgcolor if said.bgcolor is not None else None
    )


class Looks:
    """The component styles of a widget by the names that pieces have; remembered until the theme changes."""

    def __init__(self, widget: Widget, prefix: str) -> None:
        self._widget, self._prefix = widget, prefix
        self._styles: dict[str, Style] = {}
        self._ground: Style | None = None

    @property
    def ground(self) -> Style:
        """The widget's own style, which is put together from those of all that it stands in: too much for each row."""
        if self._ground is None:
            self._ground = self._widget.rich_style
        return self._ground

    def __call__(self, names: str) -> Style:
        """All of these, which are parted by spaces."""
        style = self._styles.get(names)
        if style is None:
            style = sum((blended(self._widget, f"{self._prefix}--{name}") for name in names.split()), Style())
            self._styles[names] = style
        return style

    def kind(self, kind: Kind | None) -> Style:
        """The colour of a kind, or of what has none."""
        return self("marker") if kind is None else Style(color=kind_colour(kind, self._widget.app.theme))

    def forget(self) -> None:
        """The theme changed."""
        self._styles.clear()
        self._ground = None
