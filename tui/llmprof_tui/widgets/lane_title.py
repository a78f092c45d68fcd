"""What a chart says of a lane beside its columns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTitle:
    """What is said of a lane beside its columns."""

    key: str
    name: str
    """In a word."""
    said: str = ""
    """What it was asked to do."""
    note: str = ""
    """Its sums."""


ALONE = (LaneTitle(key="main", name="main"),)
"""The lanes of a run that has but one."""
