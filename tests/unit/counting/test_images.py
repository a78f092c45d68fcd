"""The rows of the measured table of images, and the published checks of each rule."""

import pytest

from llmprof_addon.counting.families import family
from llmprof_addon.counting.images import Flat, MediaRule, MediaTokens, Patches, media_tokens
from llmprof_addon.model.part import Media, Part, PartKind


def tokens(model: str, width: int | None, height: int | None, detail: str | None = None) -> MediaTokens:
    part = Part(kind=PartKind.IMAGE, media=Media(type="image/png", width=width, height=height, detail=detail))
    api = "openai.chat" if model.startswith(("gpt", "o")) else "anthropic.messages"
    return media_tokens(part, family(api, model, "").media)


@pytest.mark.parametrize(
    ("model", "width", "height", "want"),
    [
        ("gpt-4o", 512, 512, 85 + 170),
        ("gpt-4o", 1024, 1024, 85 + 4 * 170),
        ("gpt-4o", 2048, 4096, 85 + 6 * 170),
        ("gpt-4.1", 1024, 1024, 765),
        ("gpt-4o-mini", 512, 512, 2833 + 5667),
        ("gpt-4o-mini", 300, 300, 8500),
        ("gpt-5", 512, 512, 70 + 140),
        ("gpt-5.1", 1024, 1024, 70 + 4 * 140),
        ("o3", 512, 512, 75 + 150),
        ("o4-mini", 1024, 1024, 1762),  # 1024 patches
        ("gpt-4.1-mini", 1024, 1024, 1659),
        ("gpt-4.1-nano", 1024, 1024, 2520),
        ("gpt-5-mini", 640, 480, 360),
        ("gpt-5-nano", 640, 480, 450),
        ("gpt-5.5", 1245, 1395, 2060),  # 1,716 patches: above the old cap of 1,536
    ],
)
def test_openai(model: str, width: int, height: int, want: int) -> None:
    assert tokens(model, width, height) == MediaTokens(want, exact=True)


def test_openai_shrinks_until_the_patches_fit() -> None:
    # OpenAI, "Images and vision": 1800 x 2400 is 1,452 patches.
    assert Patches(patch=32, most=1536).tokens(1800, 2400, None) == 1452


def test_low_detail_is_the_base_alone() -> None:
    assert tokens("gpt-4o", 4000, 3000, "low") == MediaTokens(85, exact=True)
    assert tokens("gpt-4o", 4000, 3000, "high") == tokens("gpt-4o", 4000, 3000, "auto")


def test_original_detail_keeps_large_pictures() -> None:
    original = tokens("gpt-5.4", 3200, 1600, "original").tokens
    assert original == 100 * 50 * 1.2
    assert tokens("gpt-5.4", 3200, 1600, "high").tokens < original


@pytest.mark.parametrize(
    ("model", "width", "height", "want"),
    [
        ("claude-sonnet-4-5", 640, 480, 414),
        ("claude-3-opus-20240229", 1001, 1001, 36 * 36),
        ("claude-sonnet-4-5", 1, 1, 1),
        ("claude-opus-4-7", 1920, 1080, 2691),
        ("claude-sonnet-5", 3840, 2160, 4784),
    ],
)
def test_claude(model: str, width: int, height: int, want: int) -> None:
    # The published number of patches, and what frames them.
    assert tokens(model, width, height) == MediaTokens(want + 3)


def test_claude_before_4_7_has_a_lower_limit() -> None:
    assert 1400 <= tokens("claude-sonnet-4-5", 3840, 2160).tokens <= 1571


@pytest.mark.parametrize(
    ("model", "width", "height", "want"),
    [
        ("gemini-2.0-flash", 400, 301, 258),
        ("gemini-2.0-flash", 1024, 1024, 1290),
        ("gemini-3-pro-preview", 300, 346, 1092),
        ("gemini-3-pro-preview", 4000, 3000, 1092),
    ],
)
def test_gemini(model: str, width: int, height: int, want: int) -> None:
    assert tokens(model, width, height) == MediaTokens(want)


@pytest.mark.parametrize("model", ["gpt-4o", "o4-mini", "claude-sonnet-4-5", "gemini-2.5-pro", "no-such-model"])
def test_an_unknown_size_is_a_guess(model: str) -> None:
    guess = tokens(model, None, None)
    assert guess.tokens > 0
    assert guess.guessed
    assert not guess.exact


def test_where_all_images_cost_the_same_none_is_a_guess() -> None:
    assert tokens("gemini-3-pro", None, None) == tokens("gemini-3-pro", 10, 10)


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-5.5", "o4-mini", "claude-sonnet-4-5", "claude-sonnet-5", "gemini-2.5-pro"]
)
@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1), (65_535, 65_535)])
def test_odd_sizes_have_a_bounded_count(model: str, size: tuple[int, int]) -> None:
    assert 1 <= tokens(model, *size).tokens <= 5_000_000


def test_documents_by_the_page() -> None:
    one = Part(kind=PartKind.DOCUMENT, media=Media(type="application/pdf", pages=1))
    many = Part(kind=PartKind.DOCUMENT, media=Media(type="application/pdf", pages=12))
    unknown = Part(kind=PartKind.DOCUMENT, media=Media(type="application/pdf", source="file"))
    rule = family("anthropic.messages", "claude-sonnet-4-5", "").media
    assert media_tokens(one, rule) == MediaTokens(1800)
    assert media_tokens(many, rule) == MediaTokens(12 * 1800)
    assert media_tokens(unknown, rule) == MediaTokens(1800, guessed=True)


def test_sound_by_its_length() -> None:
    rule = family("openai.chat", "gpt-4o-audio-preview", "").media
    ten_seconds = Part(kind=PartKind.AUDIO, media=Media(type="audio/wav", size_bytes=480_000))
    assert media_tokens(ten_seconds, rule) == MediaTokens(100)
    assert media_tokens(Part(kind=PartKind.AUDIO), rule).guessed


def test_a_resolution_that_a_part_asks_for() -> None:
    rule = Flat(each=1092, by_detail=(("low", 280),))
    assert [rule.tokens(10, 10, detail) for detail in (None, "low", "high")] == [1092, 280, 1092]


@pytest.mark.parametrize(("size", "tokens"), [(1_250_000, 2630), (None, 2630), (250_000, 526)])
def test_film_is_estimated_by_its_length(size: int | None, tokens: int) -> None:
    film = Part(kind=PartKind.DOCUMENT, media=Media(type="video/mp4", size_bytes=size))
    found = media_tokens(film, MediaRule(image=Flat(each=1), page=100))
    assert (found.tokens, found.guessed, found.exact) == (tokens, True, False)
