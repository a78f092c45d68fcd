"""What became of a prompt's cached prefix, why, and what that cost."""
