"""Exchanges as files: written by capture, read by the worker, surviving both."""
