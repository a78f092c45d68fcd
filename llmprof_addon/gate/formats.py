"""Checks -> what people and build servers read: text, Markdown, JUnit's XML, JSON."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from llmprof_addon.export.text import counted, plain
from llmprof_addon.gate.baseline import measured_json, ratio
from llmprof_addon.gate.limits import Amount
from llmprof_addon.gate.measure import Measured
from llmprof_addon.gate.rules import Check, Status, Unit
from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json

_MARKS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.SKIPPED: "·"}

_NO_XML = re.compile("[\ufffe\uffff]")
"""What XML cannot hold beside what `plain` replaces."""

type Format = Callable[[str, Measured, Sequence[Check]], str]
"""What was checked, its numbers, and the checks -> a text without a line end."""


def passed(checks: Sequence[Check]) -> bool:
    """Whether nothing broke its limit."""
    return all(check.status is not Status.FAILED for check in checks)


def failures(checks: Sequence[Check]) -> list[str]:
    """What broke its limit, one line each."""
    return [f"{check.rule}: {plain(check.said)}" for check in checks if check.status is Status.FAILED]


def as_text(what: str, measured: Measured, checks: Sequence[Check]) -> str:
    """A line a check."""
    width = max((len(check.rule) for check in checks), default=0)
    lines = [f"{_MARKS[check.status]} {check.rule:<{width}}  {plain(check.said)}" for check in checks]
    return "\n".join([f"{_verdict(checks)}: {plain(what)}, {counted(measured.calls, 'call')}", *lines])


def as_markdown(what: str, measured: Measured, checks: Sequence[Check]) -> str:
    """A heading and a table, for a comment or a job's summary."""
    rows = [f"| {_MARKS[check.status]} | {_cell(check.rule)} | {_cell(check.said)} |" for check in checks]
    head = f"### llmprof: {_cell(what)}: {_verdict(checks)} ({counted(measured.calls, 'call')})"
    return "\n".join([head, "", "| | rule | |", "| --- | --- | --- |", *rows])


def as_junit(what: str, measured: Measured, checks: Sequence[Check]) -> str:
    """One test case a check."""
    failed, skipped = (sum(check.status is status for check in checks) for status in (Status.FAILED, Status.SKIPPED))
    counts = {"tests": str(len(checks)), "failures": str(failed), "errors": "0", "skipped": str(skipped)}
    root = Element("testsuites", {"name": "llmprof", **counts})
    suite = SubElement(root, "testsuite", {"name": plain(what), **counts})
    for check in checks:
        case = SubElement(suite, "testcase", {"classname": "llmprof", "name": check.rule})
        said = _NO_XML.sub("�", plain(check.said))
        if check.status is Status.FAILED:
            SubElement(case, "failure", {"message": said}).text = f"{check.rule}: {said}"
        elif check.status is Status.SKIPPED:
            SubElement(case, "skipped", {"message": said})
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def as_json(what: str, measured: Measured, checks: Sequence[Check]) -> str:
    """One object on one line."""
    return json.dumps(checks_json(what, measured, checks))


def checks_json(what: str, measured: Measured, checks: Sequence[Check]) -> dict[str, Json]:
    """What was checked, whether it passed, every check, and all that was measured."""
    return {
        "what": what,
        "passed": passed(checks),
        "checks": [
            {
                "rule": check.rule,
                "status": check.status.value,
                "unit": check.unit.value,
                "value": _value(check.unit, check.value),
                "asked": _value(check.unit, check.asked),
                "message": check.said,
            }
            for check in checks
        ],
        "measured": measured_json(measured),
    }


def _value(unit: Unit, value: Amount | None) -> Json:
    if value is None or unit is Unit.SHARE:
        return ratio(value)
    return usd(int(value)) if unit is Unit.USD else int(value)


def _verdict(checks: Sequence[Check]) -> str:
    failed = sum(check.status is Status.FAILED for check in checks)
    return f"{failed} of {counted(len(checks), 'check')} failed" if failed else "passed"


def _cell(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")


FORMATS: Mapping[str, Format] = {"text": as_text, "markdown": as_markdown, "junit": as_junit, "json": as_json}
