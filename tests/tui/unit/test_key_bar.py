"""Which keys stand where on a line that is too short for all of them."""

from llmprof_tui.widgets.key_bar import Key, placed


def key(shown: str, name: str) -> Key:
    return Key(key=shown, shown=shown, name=name)


HEAD = [key("m", "Metric"), key("v", "View"), key("/", "Find")]
TAIL = [key("esc", "Back"), key("?", "Help"), key("q", "Quit")]


def line(width: int) -> str:
    said = ""
    for at, each in placed(HEAD, TAIL, width):
        said = f"{said:<{at}}{each.shown} {each.name}"
    return said


def test_all_of_them_where_there_is_room() -> None:
    assert line(60) == f"{'m Metric  v View  / Find':<36}esc Back  ? Help  q Quit"


def test_those_that_lead_away_stay_and_none_is_cut() -> None:
    assert line(50) == f"{'m Metric  v View  / Find':<26}esc Back  ? Help  q Quit"
    assert line(49) == f"{'m Metric  v View':<25}esc Back  ? Help  q Quit"
    assert line(24) == "esc Back  ? Help  q Quit"
    assert line(17) == " esc Back  ? Help"
    assert line(3) == ""


def test_no_line_is_too_long() -> None:
    for width in range(80):
        assert len(line(width)) <= width
