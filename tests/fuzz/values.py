"""JSON values, mutated by their shape: types swapped, keys dropped, items doubled, things nested, numbers made huge."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random

from llmprof_addon.model.part import Json

MOST_NODES = 3000
"""Of larger values only so many nodes, the first ones, are changed."""

_DEEP = "nested deeper than Python copies"
_DEPTHS = (100, 400, 900, 3000, 20_000)

ODD: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf")),
    *(2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, -(10**300), 10**4000),
    *(
        "",
        " ",
        "\ud800",
        "\udfff\ud800",
        "\0",
        "\u2028",
        "null",
        "1",
        "1e999",
        "é" * 300,
        "👩‍👩‍👧‍👦",
        "a" * 5000,
        "\n" * 50,
    ),
    *([], {}, [[]], [None], [{}], {"": None}, {"type": None}, {"type": "text"}, {"\ud800": "\ud800"}),
    *(
        "data:image/png;base64,",
        "data:;base64,====",
        "https://[::1",
        "[redacted]",
        "$ref",
        "2026-13-45T99:99:99Z",
        _DEEP,
    ),
)

type Slot = tuple[Json, str | int]
"""A container and the key or index of one of its items."""


def mutated(value: Json, random: Random, others: Sequence[Json] = ()) -> Json:
    """A changed copy of the value; `others` are values that pieces are taken from."""
    root: list[Json] = [value]
    try:
        root = [deepcopy(value)]
        for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
            random.choice(_EDITS)(root, random, others)
    except RecursionError:  # what is nested that deep already stays so
        pass
    return root[0]


def dumped(value: Json, random: Random) -> bytes:
    """The text of a value, plain or with escapes, with or without spaces."""
    text = json.dumps(value, ensure_ascii=random.random() < 0.5, indent=random.choice((None, None, None, 1)))
    if _DEEP in text:
        depth, (opening, closing) = random.choice(_DEPTHS), random.choice((("[", "]"), ('{"a":', "}")))
        text = text.replace(f'"{_DEEP}"', f"{opening * depth}1{closing * depth}", 1)
    return text.encode("utf-8", "surrogatepass")


def slots(root: Json) -> list[Slot]:
    """Where the values inside a value stand, its containers from the outside in."""
    found: list[Slot] = []
    waiting = [root]
    for container in waiting:
        pairs = container.items() if isinstance(container, dict) else enumerate(container)
        for key, item in pairs:
            found.append((container, key))
            if isinstance(item, dict | list) and item:
                waiting.append(item)
        if len(found) > MOST_NODES:
            break
    return found


def _slot(root: Json, random: Random) -> Slot:
    container, key = random.choice(slots(root))
    return container, key


def _replace(root: Json, random: Random, others: Sequence[Json]) -> None:
    container, key = _slot(root, random)
    container[key] = deepcopy(random.choice(ODD))


def _drop(root: Json, random: Random, others: Sequence[Json]) -> None:
    container, key = _slot(root, random)
    if container is not root:
        del container[key]


def _double(root: Json, random: Random, others: Sequence[Json]) -> None:
    container, key = _slot(root, random)
    if isinstance(container, list) and container is not root:
        container[key : key + 1] = [deepcopy(container[key]) for _ in range(random.choice((2, 2, 3, 20)))]
    elif isinstance(container, dict):
        container[f"{key}{random.choice(('_', '2', ' '))}"] = deepcopy(container[key])


def _take_from_other(root: Json, random: Random, others: Sequence[Json]) -> None:
    container, key = _slot(root, random)
    there, where = _slot([random.choice(others) if others else root[0]], random)
    container[key] = deepcopy(there[where])


def _move(root: Json, random: Random, others: Sequence[Json]) -> None:
    (one, here), (other, there) = _slot(root, random), _slot(root, random)
    one[here], other[there] = deepcopy(other[there]), deepcopy(one[here])


def _nest(root: Json, random: Random, others: Sequence[Json]) -> None:
    container, key = _slot(root, random)
    value = container[key]
    for _ in range(random.choice((1, 1, 1, 2, 30, 300))):
        value = {str(key): value} if random.random() < 0.5 else [value]
    container[key] = value


def _rename(root: Json, random: Random, others: Sequence[Json]) -> None:
    container, key = _slot(root, random)
    if isinstance(container, dict):
        keys = [str(name) for _, name in slots([random.choice(others) if others else root[0]])]
        value = container.pop(key)
        container[random.choice((random.choice(keys), str(key).upper(), "", "\ud800"))] = value


def _retype(root: Json, random: Random, others: Sequence[Json]) -> None:
    container, key = _slot(root, random)
    value = container[key]
    container[key] = random.choice(
        (
            lambda: repr(value)[:1000],
            lambda: [value],
            lambda: {"type": value},
            lambda: {str(key): value},
            lambda: list(value) if isinstance(value, dict | str) else str(value)[:1000],
            lambda: dict.fromkeys(map(str, value)) if isinstance(value, list) else bool(value),
            lambda: {str(index): item for index, item in enumerate(value)} if isinstance(value, list) else -1,
        )
    )()


def _edit_text(root: Json, random: Random, others: Sequence[Json]) -> None:
    texts = [(container, key) for container, key in slots(root) if isinstance(container[key], str)]
    if not texts:
        return
    container, key = random.choice(texts)
    text = container[key]
    at = random.randrange(len(text) + 1)
    odd = random.choice([each for each in ODD if isinstance(each, str)])
    container[key] = random.choice((text[:at], text[at:], text[:at] + odd + text[at:], text.swapcase(), text * 3))


def _edit_number(root: Json, random: Random, others: Sequence[Json]) -> None:
    numbers = [(container, key) for container, key in slots(root) if type(container[key]) in (int, float)]
    if numbers:
        container, key = random.choice(numbers)
        number = random.choice((0, 1, -1, container[key], 2**62, 2**63, 0.5, 1e19, float("nan"), float("inf")))
        container[key] = random.choice((number, -number, number * 2, str(number)))


def _empty(root: Json, random: Random, others: Sequence[Json]) -> None:
    """Every leaf, or every value of one name, is nothing."""
    found = slots(root)
    name, odd = random.choice(found)[1], random.choice((None, None, "", [], {}))
    for container, key in found:
        if key == name and (container is not root):
            container[key] = deepcopy(odd)


_EDITS: tuple[Callable[[Json, Random, Sequence[Json]], None], ...] = (
    *(_replace, _replace, _replace, _drop, _drop, _double, _take_from_other, _take_from_other, _move, _nest),
    *(_rename, _retype, _retype, _edit_text, _edit_text, _edit_number, _edit_number, _empty),
)
