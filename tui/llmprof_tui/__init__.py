"""The terminal UI of llmprof."""
