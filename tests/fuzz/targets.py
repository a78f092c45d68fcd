"""All targets by name."""

from tests.fuzz import dialects, wire

TARGETS = {target.name: target for room in (wire, dialects) for target in room.TARGETS}
