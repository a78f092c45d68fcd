"""All targets by name."""

from tests.fuzz import dialects, files, stored, wire

TARGETS = {target.name: target for room in (wire, dialects, files, stored) for target in room.TARGETS}
