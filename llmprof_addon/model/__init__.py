"""Central types: frozen values of the standard library, which every other room may import."""
