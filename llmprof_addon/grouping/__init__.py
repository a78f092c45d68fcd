"""Which run a call belongs to."""
