"""A home with recorded runs, of which each test may do with its copy what it likes."""

from tests.tui.recording import home, recorded

__all__ = ["home", "recorded"]
