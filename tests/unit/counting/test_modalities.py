from llmprof_addon.counting.modalities import pinned
from llmprof_addon.counting.reconcile import reconcile
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.usage import Source, Usage

TEXT = Leaf(Kind.USER, 8, Source.COUNTED, part=0)
SOUNDS = tuple(Leaf(Kind.AUDIO, tokens, Source.ESTIMATED, part=tokens, guessed=True) for tokens in (30, 10))
IMAGE = Leaf(Kind.IMAGES, 85, Source.ESTIMATED, part=3, scalable=False)
HEARD = Usage(by_modality=(("input_audio", 100), ("output_audio", 46), ("input_image", 90), ("input_video", 7)))


def test_media_have_the_tokens_reported_for_them_in_proportion_to_their_estimates() -> None:
    text, long, short, image = pinned((TEXT, *SOUNDS, IMAGE), HEARD, "input")
    assert text is TEXT
    assert [leaf.tokens for leaf in (long, short, image)] == [75, 25, 90]
    assert {leaf.source for leaf in (long, short, image)} == {Source.REPORTED}
    assert not any(leaf.guessed or leaf.scalable for leaf in (long, short, image))
    assert (long.part, short.part, image.part) == (30, 10, 3)


def test_each_side_has_its_own_tokens() -> None:
    (spoken,) = pinned((Leaf(Kind.AUDIO, 0, Source.COUNTED, part=0),), HEARD, "output")
    assert (spoken.tokens, spoken.source) == (46, Source.REPORTED)


def test_without_such_a_leaf_or_such_a_report_nothing_changes() -> None:
    assert pinned((TEXT,), HEARD, "input") == (TEXT,)
    assert pinned((TEXT, *SOUNDS), Usage(input_tokens=50), "input") == (TEXT, *SOUNDS)


def test_what_else_was_reported_is_not_taken_for_sound() -> None:
    leaves = reconcile(pinned((TEXT, *SOUNDS), HEARD, "input"), 120, 0.5)
    assert [(leaf.kind, leaf.tokens) for leaf in leaves] == [
        (Kind.PROVIDER_OVERHEAD, 12),
        (Kind.USER, 8),
        (Kind.AUDIO, 75),
        (Kind.AUDIO, 25),
    ]


def test_pages_and_frames_are_reported_as_images_and_belong_to_their_document() -> None:
    page = Leaf(Kind.DOCUMENTS, 258, Source.ESTIMATED, part=1, guessed=True)
    film = Usage(by_modality=(("input_image", 520), ("input_audio", 30), ("input_document", 4)))
    assert pinned((TEXT, page), film, "input")[1].tokens == 554
    text, document, image = pinned((TEXT, page, IMAGE), film, "input")
    assert (text.tokens, document.tokens, image.tokens) == (8, 34, 520)


def test_what_tools_of_the_provider_read_is_a_leaf_of_its_own() -> None:
    searched = Usage(by_modality=(("input_tool_use", 1400),))
    text, read = pinned((TEXT,), searched, "input")
    assert text is TEXT
    assert (read.kind, read.name, read.tokens, read.source) == (
        *(Kind.PROVIDER_OVERHEAD, "tool use", 1400, Source.REPORTED),
    )
    assert pinned((TEXT,), searched, "output") == (TEXT,)
