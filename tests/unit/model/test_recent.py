from llmprof_addon.model.recent import Recent


def test_what_is_asked_for_again_outlives_what_is_not() -> None:
    recent: Recent[int, str] = Recent(30)
    for number in range(3):
        recent.add(number, f"value {number}", 10)
    recent.add(3, "value 3", 10)
    assert recent.get(0) == "value 0"
    for number in (4, 5):
        recent.add(number, f"value {number}", 10)
    assert [recent.get(number) for number in (0, 1, 3)] == ["value 0", None, "value 3"]


def test_what_is_held_is_bounded_by_two_generations() -> None:
    recent: Recent[int, bytes] = Recent(1_000)
    for number in range(500):
        recent.add(number, bytes(100), 100)
    assert sum(recent.get(number) is not None for number in range(480)) == 0
    assert sum(recent.get(number) is not None for number in range(480, 500)) <= 20


def test_a_value_larger_than_a_generation_pushes_out_the_others_alone() -> None:
    recent: Recent[str, int] = Recent(10)
    recent.add("large", 1, 100)
    assert recent.get("large") == 1
