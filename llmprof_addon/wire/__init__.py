"""Bytes to Python: content encodings, event streams, JSON with errors that say where."""
