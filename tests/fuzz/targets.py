"""All targets by name."""

from tests.fuzz import dialects, files, stored, typed, wire

TARGETS = {target.name: target for room in (wire, dialects, files, typed, stored) for target in room.TARGETS}
