"""What went wrong, in one line, from the body of a failed call: every host has a shape of its own for it."""

from llmprof_addon.model.part import Json
from llmprof_addon.providers.carving import compact


def error_of(body: Json) -> str | None:
    """The error in a response body as `type: message`; `None` if the body holds none."""
    if isinstance(body, list):
        return next((error for error in map(error_of, body) if error), None)
    if not isinstance(body, dict):
        return None
    if (error := body.get("error")) is not None and error != {} and error != "":
        return _line(error)
    if isinstance(errors := body.get("errors"), list) and errors:
        return "; ".join(_line(error) for error in errors)
    if body.get("object") == "error" or "error_code" in body or body.get("type") == "error":
        return _line(body)
    if isinstance(body.get("message"), str) and not body.keys() & {"choices", "output", "content"}:
        return _line(body)
    if "detail" in body and not body.keys() & {"choices", "output", "content"}:
        return _line(body["detail"])
    return None


def _line(error: Json) -> str:
    if not isinstance(error, dict):
        return error if isinstance(error, str) else compact(error)
    message = next(
        (error[key] for key in ("message", "detail", "msg", "error") if isinstance(error.get(key), str)), None
    )
    if message is None:
        return compact(error)
    type_ = next(
        (
            str(error[key])
            for key in ("type", "code", "error_code", "status")
            if isinstance(error.get(key), (str, int)) and error[key] not in ("", "error")
        ),
        None,
    )
    return f"{type_}: {message}" if type_ else message
