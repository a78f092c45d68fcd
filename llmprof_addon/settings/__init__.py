"""Flags, environment, `config.toml` and defaults, in this order of precedence, as one frozen value.

A value that cannot be right is a `ConfigError` that names the flag, variable or key it came from.
"""

from llmprof_addon.settings.load import load
from llmprof_addon.settings.readers import DB_SCHEMES, parse_endpoint
from llmprof_addon.settings.token import TOKEN_FILE, access_token
from llmprof_addon.settings.values import Endpoint, NamedEndpoint, Route, Settings, canonical, variable

__all__ = [
    "DB_SCHEMES",
    "TOKEN_FILE",
    "Endpoint",
    "NamedEndpoint",
    "Route",
    "Settings",
    "access_token",
    "canonical",
    "load",
    "parse_endpoint",
    "variable",
]
