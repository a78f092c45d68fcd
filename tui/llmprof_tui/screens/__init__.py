"""One module a place in the application."""
