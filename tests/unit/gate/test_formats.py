import json
from xml.etree import ElementTree

from llmprof_addon.gate.formats import FORMATS, failures, passed
from llmprof_addon.gate.limits import limits
from llmprof_addon.gate.measure import measure
from llmprof_addon.gate.rules import judge
from tests.unit.gate.calls import row

NASTY = "mo|del\n<b>\ufffe\x1b[31m"
MEASURED = measure([row(1, cost=None, request_model=NASTY)])
CHECKS = judge(MEASURED, limits(max_usd=1, max_context="2k"), measure([row()]))


def test_each_form_tells_what_failed() -> None:
    assert not passed(CHECKS)
    assert [line.partition(": not known")[0] for line in failures(CHECKS)] == ["max-usd", "baseline: dollars"]
    for name, write in FORMATS.items():
        text = write("run 7", MEASURED, CHECKS)
        assert "run 7" in text, name
        assert "max-usd" in text, name
        assert "\x1b" not in text, name
    assert FORMATS["text"]("run 7", MEASURED, CHECKS).startswith("2 of 9 checks failed: run 7, 1 call\n")
    assert FORMATS["text"]("run 7", MEASURED, CHECKS[1:2]).startswith("passed: run 7, 1 call\n✓ max-context  1,000")


def test_markdown_rows_have_three_cells() -> None:
    lines = FORMATS["markdown"]("run 7", MEASURED, CHECKS).splitlines()
    assert all(line.replace("\\|", "").count("|") == 4 for line in lines[2:])
    assert len(lines) == 4 + len(CHECKS)


def test_junit_is_xml_with_a_case_a_check() -> None:
    suite = ElementTree.fromstring(FORMATS["junit"]("run 7", MEASURED, CHECKS))[0]
    assert (suite.get("tests"), suite.get("failures")) == ("9", "2")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["max-usd", "baseline: dollars"]


def test_json_has_the_numbers() -> None:
    told = json.loads(FORMATS["json"]("run 7", MEASURED, CHECKS))
    assert told["passed"] is False
    dollars, context = told["checks"][:2]
    assert (dollars["value"], dollars["asked"], dollars["unit"], dollars["status"]) == (None, "1", "usd", "failed")
    assert (context["value"], context["asked"], context["status"]) == (1000, 2000, "passed")
    assert told["measured"]["cost_usd"] is None
    assert "mo|del" in told["measured"]["unknown"]["cost"]
