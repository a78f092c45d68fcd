"""The `llmprof` command: one file per command, heavy imports inside the command."""
