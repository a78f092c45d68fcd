"""Fuzzing of every reader: seeds from `fixtures/` and recorded calls, mutated by shape; `python -m tests.fuzz`."""
