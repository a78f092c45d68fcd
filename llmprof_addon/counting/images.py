"""Tokens of media, which have no text to count: images from their pixel size, documents by the page, sound and film by
time.

The rules are the providers' published ones, corrected where recorded usage disagrees. A size that the body does not
tell (a URL, a file id) is taken to be a typical one, and the number is an estimate.
"""

from dataclasses import dataclass
from math import ceil, sqrt

from llmprof_addon.model.part import Media, Part, PartKind

TYPICAL_PIXELS = (1024, 768)
LOW_DETAIL_EDGE = 512
"""OpenAI: `low` shows the model a picture of at most 512 x 512 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """OpenAI until GPT-5: fit into 2048 x 2048, then the short side to 768; a base and so much per 512-px tile."""

    base: int
    tile: int
    exact: bool = True

    def tokens(self, width: int, height: int, detail: str | None) -> int:
        if detail == "low":
            return self.base
        width, height = _within_edge(width, height, 2048)
        if min(width, height) > 768:
            scale = 768 / min(width, height)
            width, height = round(width * scale), round(height * scale)
        return self.base + self.tile * ceil(width / 512) * ceil(height / 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """One token per square of `patch` pixels, times a factor; shrunk to at most `most` squares and `edge` pixels."""

    patch: int
    most: int
    edge: int | None = None
    factor: float = 1.0
    frame: int = 0
    """Tokens around each picture."""
    original: int | None = None
    """Most squares where the request asks for detail `original`."""
    exact: bool = False

    def tokens(self, width: int, height: int, detail: str | None) -> int:
        most, edge = self.most, self.edge
        if detail == "original" and self.original:
            most, edge = self.original, None
        elif detail == "low":
            edge = LOW_DETAIL_EDGE
        if edge:
            width, height = _within_edge(width, height, edge)
        return ceil(_patches(width, height, self.patch, most) * self.factor) + self.frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """Gemini 1.5 and 2: so much for a picture or for each 768-px crop of a larger one, and one for the whole."""

    crop: int
    exact: bool = False

    def tokens(self, width: int, height: int, detail: str | None) -> int:
        crops = ceil(width / 768) * ceil(height / 768)
        return self.crop * (crops + 1 if crops > 1 else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """So much per image, whatever its size."""

    each: int
    by_detail: tuple[tuple[str, int], ...] = ()
    exact: bool = False

    def tokens(self, width: int, height: int, detail: str | None) -> int:
        return dict(self.by_detail).get(detail or "", self.each)


ImageRule = Tiles | Patches | Crops | Flat


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRule:
    """What a family charges for pictures, pages and seconds."""

    image: ImageRule
    page: int = 1500
    """Tokens of a PDF page: its picture and its text."""
    second: float = 10.0
    """Tokens of a second of sound."""
    film: float = 263.0
    """Tokens of a second of film with its sound (Gemini API, "Understand and count tokens")."""


@dataclass(frozen=True, slots=True)
class MediaTokens:
    """Tokens of one image, document or sound."""

    tokens: int
    exact: bool = False
    guessed: bool = False
    """Nothing is known of its size: the number is that of a typical one."""


def media_tokens(part: Part, rule: MediaRule) -> MediaTokens:
    """Tokens of a part that is an image, a document or sound."""
    media = part.media or Media(source="file")
    if part.kind is PartKind.IMAGE:
        if media.width and media.height:
            return MediaTokens(rule.image.tokens(media.width, media.height, media.detail), rule.image.exact)
        return MediaTokens(rule.image.tokens(*TYPICAL_PIXELS, media.detail), guessed=not isinstance(rule.image, Flat))
    if part.kind is PartKind.DOCUMENT and (media.type or "").startswith("video/"):
        return MediaTokens(round(rule.film * (media.size_bytes or 10 * _FILM_BYTES) / _FILM_BYTES), guessed=True)
    if part.kind is PartKind.DOCUMENT:
        return MediaTokens(rule.page * (media.pages or 1), guessed=media.pages is None)
    return MediaTokens(round(rule.second * _seconds(media)), guessed=media.size_bytes is None)


_FILM_BYTES = 125_000
"""A second of film at 1 Mbit/s: nothing else is known of its length."""


def _seconds(media: Media) -> float:
    """Length of a sound as its size suggests: 16-bit samples at 24 kHz, or 128 kbit/s where it is compressed."""
    rate = 48_000 if media.type and ("wav" in media.type or "pcm" in media.type) else 16_000
    return (media.size_bytes or 10 * rate) / rate


def _within_edge(width: int, height: int, edge: int) -> tuple[int, int]:
    if max(width, height) <= edge:
        return width, height
    scale = edge / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _patches(width: int, height: int, patch: int, most: int) -> int:
    """Squares that cover the picture, once it is shrunk so far that there are no more than `most`."""
    count = ceil(width / patch) * ceil(height / patch)
    if count <= most:
        return count
    scale = sqrt(patch * patch * most / (width * height))
    across, down = width * scale / patch, height * scale / patch
    # The grid has to be whole in one direction: OpenAI, "Images and vision", calculating costs.
    scale *= min(max(1, int(across)) / across, max(1, int(down)) / down)
    return min(most, ceil(width * scale / patch) * ceil(height * scale / patch))
