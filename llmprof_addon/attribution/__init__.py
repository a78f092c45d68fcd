"""Leaves of a call -> the tree that a person looks at, exact at every level."""
