from llmprof_addon.model.recent import Recent


def test_what_is_asked_for_again_outlives_what_is_not() -> None:
    recent: Recent[int, str] = Recent(3)
    for number in range(3):
        recent.add(number, f"value {number}")
    recent.add(3, "value 3")
    assert recent.get(0) == "value 0"
    for number in (4, 5):
        recent.add(number, f"value {number}")
    assert [recent.get(number) for number in (0, 1, 3)] == ["value 0", None, "value 3"]


def test_what_is_held_is_bounded_by_two_generations() -> None:
    recent: Recent[int, bytes] = Recent(1_000, len)
    for number in range(500):
        recent.add(number, bytes(100))
    assert sum(recent.get(number) is not None for number in range(480)) == 0
    assert sum(recent.get(number) is not None for number in range(480, 500)) <= 20


def test_a_value_larger_than_a_generation_is_not_held_and_pushes_out_nothing() -> None:
    recent: Recent[str, bytes] = Recent(10, len)
    recent.add("small", b"1")
    recent.add("large", bytes(100))
    recent.add("as large as can be", bytes(10))
    recent.add("another", bytes(9))
    assert recent.get("large") is None
    assert recent.get("as large as can be") == bytes(10)


def test_values_of_both_generations_are_found_together() -> None:
    recent: Recent[int, str] = Recent(2)
    for number in range(3):
        recent.add(number, f"value {number}")
    assert recent.get_all([2, 0, 7]) == ["value 2", "value 0", None]
