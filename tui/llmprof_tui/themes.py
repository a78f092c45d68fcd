"""Themes, and the one colour of each component kind in each of them."""

from textual.theme import Theme

from llmprof_addon.export.text import KIND_COLOURS
from llmprof_addon.model.component import Kind

DARK = Theme(
    name="llmprof-dark",
    primary="#7aa2f7",
    secondary="#bb9af7",
    accent="#ff9e64",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#c0caf5",
    background="#16161e",
    surface="#1a1b26",
    panel="#24283b",
    dark=True,
)

LIGHT = Theme(
    name="llmprof-light",
    primary="#2e5aac",
    secondary="#7847bd",
    accent="#b15c00",
    warning="#8f5e15",
    error="#c0304a",
    success="#3f7a1f",
    foreground="#23273a",
    background="#f4f5f8",
    surface="#ffffff",
    panel="#e3e6ee",
    dark=False,
)

SAFE = Theme(
    name="llmprof-safe",
    primary="#56b4e9",
    secondary="#cc79a7",
    accent="#e69f00",
    warning="#f0e442",
    error="#d55e00",
    success="#009e73",
    foreground="#e6e6e6",
    background="#101014",
    surface="#17171c",
    panel="#26262e",
    dark=True,
)

THEMES = (DARK, LIGHT, SAFE)


def kind_colour(kind: Kind, theme_name: str) -> str:
    """The colour of a kind as #rrggbb."""
    return KIND_COLOURS[kind]
