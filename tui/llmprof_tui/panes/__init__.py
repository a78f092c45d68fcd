"""The tabs of a run: `table` names them, `pane` says what one is, and each has a file of its own."""
