"""APIs older or simpler than chat: a prompt is one text or a list of texts, an answer the text that goes on from it."""

from collections.abc import Sequence

from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import text_of


def prompt_of(params: dict[str, Json], *keys: str, role: str = "user") -> tuple[Part, ...]:
    """The texts under the first of the keys that is there, which are taken out of `params`."""
    key = next((key for key in keys if params.get(key) not in (None, [])), None)
    if key is None:
        return ()
    held = params.pop(key)
    if isinstance(held, str):
        value = {"type": "text", "text": held}
        return locate([Part(kind=PartKind.TEXT, role=role, text=held, value=value, place=key, form="string")])
    if isinstance(held, list):
        return locate(_item(item, key, role) for item in held)
    return locate([Part(kind=PartKind.GENERIC, role=role, text=text_of(held), value=held, place=key, form="whole")])


def _item(item: Json, place: str, role: str) -> Part:
    """One of several prompts; a list of numbers is one in tokens."""
    kind = PartKind.TEXT if isinstance(item, str) else PartKind.GENERIC
    return Part(kind=kind, role=role, text=text_of(item), value=item, place=place)


def answer_of(texts: Sequence[Json], path: str) -> tuple[Part, ...]:
    """One part for each text of an answer; `path` says where each stood, with a `{}` for its index."""
    return tuple(
        Part(
            kind=PartKind.TEXT,
            role="assistant",
            text=text,
            value={"type": "text", "text": text},
            place="messages/content",
            form="string",
            wrapper={"role": "assistant"},
            path=path.format(index),
        )
        for index, text in enumerate(texts)
        if isinstance(text, str)
    )
