"""Themes, and the one colour of each component kind in each of them."""

from functools import cache

from textual.theme import BUILTIN_THEMES, Theme

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

KIND_MARKS: dict[Kind, str] = {
    Kind.SYSTEM: "s",
    Kind.SYSTEM_INJECTION: "j",
    Kind.TOOL_SCHEMAS: "t",
    Kind.USER: "u",
    Kind.ASSISTANT: "a",
    Kind.REASONING: "r",
    Kind.TOOL_CALLS: "c",
    Kind.TOOL_RESULTS: "o",
    Kind.IMAGES: "i",
    Kind.AUDIO: "v",
    Kind.DOCUMENTS: "d",
    Kind.OUTPUT_SCHEMA: "f",
    Kind.GENERIC: "g",
    Kind.PROVIDER_OVERHEAD: "p",
    Kind.UNATTRIBUTED: "?",
    Kind.ELIDED: "e",
    Kind.TEXT: "x",
}
"""One letter per kind, for where colour cannot tell them apart."""

ON_LIGHT: dict[Kind, str] = {
    Kind.SYSTEM: "#3f6fd8",
    Kind.SYSTEM_INJECTION: "#27407f",
    Kind.TOOL_SCHEMAS: "#c98a1b",
    Kind.USER: "#4f9a2c",
    Kind.ASSISTANT: "#9a5fe0",
    Kind.REASONING: "#6b3fa0",
    Kind.TOOL_CALLS: "#d8436a",
    Kind.TOOL_RESULTS: "#e0762f",
    Kind.IMAGES: "#1597b5",
    Kind.AUDIO: "#0e8a66",
    Kind.DOCUMENTS: "#5fb8b0",
    Kind.OUTPUT_SCHEMA: "#8f7a2a",
    Kind.GENERIC: "#5f6a94",
    Kind.PROVIDER_OVERHEAD: "#9aa1b8",
    Kind.UNATTRIBUTED: "#b02a2a",
    Kind.ELIDED: "#c9cede",
    Kind.TEXT: "#8fb83a",
}
"""The same hues, darker."""

COLOUR_BLIND_SAFE: dict[Kind, str] = {
    Kind.SYSTEM: "#0072b2",
    Kind.SYSTEM_INJECTION: "#333ea7",
    Kind.TOOL_SCHEMAS: "#e69f00",
    Kind.USER: "#009e73",
    Kind.ASSISTANT: "#cc79a7",
    Kind.REASONING: "#77277e",
    Kind.TOOL_CALLS: "#d55e00",
    Kind.TOOL_RESULTS: "#f0e442",
    Kind.IMAGES: "#9ba5ff",
    Kind.AUDIO: "#425148",
    Kind.DOCUMENTS: "#49bfdd",
    Kind.OUTPUT_SCHEMA: "#9cb157",
    Kind.GENERIC: "#b8fde6",
    Kind.PROVIDER_OVERHEAD: "#6d5878",
    Kind.UNATTRIBUTED: "#bd0000",
    Kind.ELIDED: "#896a39",
    Kind.TEXT: "#73ffb8",
}
"""Frequent kinds in the colours of Okabe and Ito; the others found by search, as far from all as they get."""


def kind_colour(kind: Kind, theme_name: str) -> str:
    """The colour of a kind as #rrggbb, in our themes and in Textual's."""
    return _colours(theme_name)[kind]


@cache
def _colours(theme_name: str) -> dict[Kind, str]:
    if theme_name == SAFE.name:
        return COLOUR_BLIND_SAFE
    theme = next((theme for theme in THEMES if theme.name == theme_name), None) or BUILTIN_THEMES.get(theme_name)
    return KIND_COLOURS if theme is None or theme.dark else ON_LIGHT
