"""A run under changed rules: its calls replayed with the prompt cache modelled."""
