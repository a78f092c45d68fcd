"""Answers without the secrets that only show once an encoded or streamed body is put together.

Capture has overwritten all that stood in a body as it was on the wire.
"""

from dataclasses import replace

from llmprof_addon.model.call import Answer
from llmprof_addon.model.part import Part
from llmprof_addon.model.secrets import redact_cut_text, redact_json, redact_text


def redacted(answer: Answer, *, cut: bool = False) -> tuple[Answer, int]:
    """The answer without its secrets, and their number; with `cut` it broke off somewhere."""
    held = [answer.rest, answer.error, answer.usage.raw if answer.usage else None]
    found = sum(redact_json(value, cut=cut)[1] for value in held)
    found += sum(_redacted_part(part, cut)[1] for part in answer.parts)
    if not found:
        return answer, 0
    usage = answer.usage and replace(answer.usage, raw=redact_json(answer.usage.raw)[0])
    return (
        replace(
            answer,
            parts=tuple(_redacted_part(part, cut)[0] for part in answer.parts),
            rest=redact_json(answer.rest, cut=cut)[0],
            error=redact_json(answer.error, cut=cut)[0],
            usage=usage,
        ),
        found,
    )


def _redacted_part(part: Part, cut: bool) -> tuple[Part, int]:
    # Text and inner parts are taken from the value, and have no secret that it has not.
    value, in_value = redact_json(part.value, cut=cut)
    wrapper, in_wrapper = redact_json(part.wrapper, cut=cut)
    if not in_value and not in_wrapper:
        return part, 0
    text = part.text and redact_text(part.text)[0]
    if text and cut:
        text = redact_cut_text(text)[0]
    inner = tuple(_redacted_part(each, cut)[0] for each in part.inner)
    return replace(part, value=value, wrapper=wrapper, text=text, inner=inner), in_value + in_wrapper
