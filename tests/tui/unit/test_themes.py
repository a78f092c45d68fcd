"""The colour of a kind is told from every other's, also by people who see fewer colours."""

import math
from itertools import combinations

import pytest
from llmprof_tui.themes import KIND_MARKS, LIGHT, SAFE, THEMES, kind_colour
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from llmprof_addon.export.text import KIND_COLOURS
from llmprof_addon.model.component import Kind

type Matrix = tuple[tuple[float, float, float], ...]

NORMAL: Matrix = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
# Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009),
# severity 1.0, on linear RGB.
DEFICIENT: dict[str, Matrix] = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def _lab(colour: str, seen: Matrix) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of an #rrggbb colour as an eye sees it."""
    parts = [part / 255 for part in Color.parse(colour).rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    r, g, b = (min(1, max(0, sum(m * part for m, part in zip(row, linear, strict=True)))) for row in seen)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _least_distance(theme: str, seen: Matrix = NORMAL) -> float:
    places = [_lab(kind_colour(kind, theme), seen) for kind in Kind]
    return min(math.dist(one, other) for one, other in combinations(places, 2))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_kinds_differ_to_the_eye(theme: str) -> None:
    assert _least_distance(theme) > 14  # a difference of 2.3 is just noticeable


@pytest.mark.parametrize("seen", DEFICIENT)
def test_the_safe_theme_keeps_kinds_apart(seen: str) -> None:
    assert _least_distance(SAFE.name, DEFICIENT[seen]) > 14


def _contrast(one: str | None, other: str | None) -> float:
    """Of WCAG 2: 1 is none, 21 the most."""
    low, high = sorted(((_lab(colour or "", NORMAL)[0] + 16) / 116) ** 3 for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", [theme.name for theme in THEMES])
def test_texts_can_be_read(name: str) -> None:
    theme = next(theme for theme in THEMES if theme.name == name)
    assert _contrast(theme.foreground, theme.surface) > 7
    for colour in (theme.primary, theme.warning, theme.error, theme.success, theme.accent):
        assert _contrast(colour, theme.surface) > 4


def test_each_kind_has_a_letter_of_its_own() -> None:
    assert set(KIND_MARKS) == set(Kind)
    assert len(set(KIND_MARKS.values())) == len(Kind)
    assert {len(mark) for mark in KIND_MARKS.values()} == {1}


def test_other_themes_take_the_colours_of_their_ground() -> None:
    for name, theme in BUILTIN_THEMES.items():
        expected = KIND_COLOURS[Kind.USER] if theme.dark else kind_colour(Kind.USER, LIGHT.name)
        assert kind_colour(Kind.USER, name) == expected
    assert kind_colour(Kind.USER, "nobody's") == KIND_COLOURS[Kind.USER]
