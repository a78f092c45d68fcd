"""Providers with prompt caches, and agents that break them, both made up: the ground truth of the cache doctor."""
