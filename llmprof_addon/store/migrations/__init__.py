"""One file per step from one schema to the next; each is frozen once it is released."""
