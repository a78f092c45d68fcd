"""Waste in a run, with the tokens and dollars that it costs: one small rule per file, found in the folder `rules`."""
