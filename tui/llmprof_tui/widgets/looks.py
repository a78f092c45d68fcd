"""Component styles as Rich styles that can be added up."""

from rich.style import Style
from textual.widget import Widget


def blended(widget: Widget, name: str) -> Style:
    """What a component class says, and nothing of what is around it; see-through colours as they look on the widget."""
    said = widget.get_component_rich_style(name, partial=True)
    seen = widget.get_component_rich_style(name)
    return said + Style(
        color=seen.color if said.color is not None else None, bgcolor=seen.bgcolor if said.bgcolor is not None else None
    )
