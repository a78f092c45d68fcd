"""Prompts that are no messages: a text, several, or token ids, as text completions and embeddings take them."""

from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import text_of


def take_texts(params: dict[str, Json], key: str, role: str = "user") -> tuple[Part, ...]:
    """The parts of a string, of a list of strings or of token ids under a key, which is taken out of `params`.

    Token ids are one part without text: they count themselves.
    """
    value = params.get(key)
    if not isinstance(value, (str, list)) or not value:
        return ()
    del params[key]
    if isinstance(value, str):
        canonical = {"type": "text", "text": value}
        part = Part(kind=PartKind.TEXT, role=role, text=value, value=canonical, place=key, form="string")
        return locate([part])
    if is_token_ids(value):
        return locate([Part(kind=PartKind.TEXT, role=role, value=value, place=key, form="whole")])
    return locate([_item(each, key, role) for each in value])


def is_token_ids(value: Json) -> bool:
    """Whether a value is a list of token ids."""
    return isinstance(value, list) and bool(value) and all(type(each) is int for each in value)


def _item(value: Json, place: str, role: str) -> Part:
    if isinstance(value, str) or is_token_ids(value):
        text = value if isinstance(value, str) else None
        return Part(kind=PartKind.TEXT, role=role, text=text, value=value, place=place)
    if isinstance(value, dict) and isinstance(text := value.get("text"), str):
        return Part(kind=PartKind.TEXT, role=role, text=text, value=value, place=place)
    return Part(kind=PartKind.GENERIC, role=role, text=text_of(value), value=value, place=place)
