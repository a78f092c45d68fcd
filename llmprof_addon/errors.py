"""Errors by what the person who meets them can do; the command line prints `message` and `hint`, never a traceback."""


class LlmprofError(Exception):
    """One line that says what is wrong and, in `hint`, what to do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(LlmprofError):
    """A flag, variable or configuration file has to be mended."""


class StartError(LlmprofError):
    """The machine does not allow it: a port in use, a folder without rights, a child that does not come up."""


class StoreError(LlmprofError):
    """The database cannot be used as it is: missing rights, corrupt, locked, newer, or another program's."""


class SpoolError(LlmprofError):
    """A spool folder or an exchange file cannot be read or written."""


class WireError(LlmprofError):
    """Bytes that are not what their headers say; `offset` is the byte at which reading failed, if known."""

    def __init__(self, message: str, *, offset: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.offset = offset
