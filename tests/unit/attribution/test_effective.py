from llmprof_addon.attribution.effective import effective_usage
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.usage import Source, Usage

COUNTED = [
    Leaf(kind=Kind.USER, tokens=70, source=Source.COUNTED),
    Leaf(kind=Kind.SYSTEM, tokens=0, source=Source.ESTIMATED),
]
GUESSED = [Leaf(kind=Kind.TEXT, tokens=9, source=Source.ESTIMATED)]


def test_what_was_reported_stays() -> None:
    reported = Usage(input_tokens=100, cache_read_input_tokens=40, output_tokens=7)
    assert effective_usage(reported, COUNTED, GUESSED, failed=False, cut=False) == reported


def test_gaps_are_filled_and_the_weakest_source_is_told() -> None:
    found = effective_usage(None, COUNTED, GUESSED, failed=False, cut=False)
    assert (found.input_tokens, found.output_tokens, found.source) == (70, 9, Source.ESTIMATED)
    found = effective_usage(Usage(output_tokens=3), COUNTED, GUESSED, failed=False, cut=False)
    assert (found.input_tokens, found.output_tokens, found.source) == (70, 3, Source.COUNTED)


def test_a_reported_input_of_zero_is_no_report() -> None:
    mocked = Usage(input_tokens=0, cache_read_input_tokens=5, output_tokens=0)
    found = effective_usage(mocked, COUNTED, [], failed=False, cut=False)
    assert (found.input_tokens, found.cache_read_input_tokens, found.source) == (70, None, Source.COUNTED)
    assert effective_usage(mocked, [], [], failed=False, cut=False).input_tokens == 0


def test_an_input_that_is_less_than_its_cached_part_is_no_report() -> None:
    full = Usage(input_tokens=60, cache_read_input_tokens=50, cache_creation_input_tokens=10, output_tokens=1)
    assert effective_usage(full, COUNTED, [], failed=False, cut=False) == full
    contradiction = Usage(input_tokens=59, cache_read_input_tokens=50, cache_creation_input_tokens=10, output_tokens=1)
    found = effective_usage(contradiction, COUNTED, [], failed=False, cut=False)
    assert (found.input_tokens, found.cache_read_input_tokens, found.cache_creation_input_tokens) == (70, None, None)
    assert found.source is Source.COUNTED


def test_parts_of_an_unknown_input_mean_nothing() -> None:
    unknown = Usage(output_tokens=5, by_modality=(("input_tool_use", 1500), ("output_audio", 3)))
    assert effective_usage(unknown, COUNTED, [], failed=False, cut=False).by_modality == (("output_audio", 3),)


def test_a_reported_output_of_zero_is_no_report_where_something_was_written() -> None:
    mocked = Usage(input_tokens=100, output_tokens=0)
    frame = Leaf(kind=Kind.PROVIDER_OVERHEAD, name="framing", tokens=3, source=Source.ESTIMATED)
    assert effective_usage(mocked, COUNTED, [frame, *GUESSED], failed=False, cut=False).output_tokens == 12
    assert effective_usage(mocked, COUNTED, [frame], failed=False, cut=False) == mocked


def test_a_cut_stream_has_at_least_the_output_that_was_received() -> None:
    first_count = Usage(input_tokens=100, output_tokens=1)
    found = effective_usage(first_count, COUNTED, GUESSED, failed=False, cut=True)
    assert (found.input_tokens, found.output_tokens, found.source) == (100, 9, Source.ESTIMATED)
    final = Usage(input_tokens=100, output_tokens=50)
    assert effective_usage(final, COUNTED, GUESSED, failed=False, cut=True) == final


def test_of_a_failed_call_nothing_is_made_up() -> None:
    for cut in (False, True):
        found = effective_usage(None, COUNTED, GUESSED, failed=True, cut=cut)
        assert (found.input_tokens, found.output_tokens) == (None, None)
    billed = Usage(input_tokens=100, output_tokens=0)
    assert effective_usage(billed, COUNTED, [], failed=True, cut=False) == billed


def test_the_output_of_an_answer_that_is_not_there_is_unknown() -> None:
    found = effective_usage(None, COUNTED, [], failed=False, cut=False)
    assert (found.input_tokens, found.output_tokens) == (70, None)
