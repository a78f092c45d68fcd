"""Prices behind one file, costs, and their spread at the cache boundary."""
