"""Findings as rows and as JSON."""

from llmprof_addon.export.findings import PlaceRow, finding_rows, findings_json, label
from llmprof_addon.model.finding import Evidence, Finding, Severity

PLACE = Evidence(
    saves="part", call="c1", node="0a", name="search", share=1 / 3, since_ns=5, tokens=1_234, cost=2 * 10**9
)
SAVING = Finding(
    code="unused_tools",
    severity=Severity.CRITICAL,
    title="t",
    advice="a",
    tokens=1_234,
    cost=2 * 10**9,
    calls=3,
    evidence=(PLACE,),
)
NOTE = Finding(code="of_tomorrow", severity=Severity.INFO, title="n", advice="b", calls=1, estimated=False)


def test_rows_are_written_for_people() -> None:
    saving, note = finding_rows([SAVING, NOTE], {("c1", "0a"): "tools[4]"})
    assert (saving.label, saving.sign, saving.tokens, saving.cost, saving.calls) == (
        "unused tools",
        "●",
        "≈1.2k",
        "$0.0020",
        3,
    )
    assert saving.places == (
        PlaceRow(call="c1", node="0a", path="tools[4]", name="search", tokens="≈1.2k", cost="$0.0020"),
    )
    assert (note.label, note.sign, note.tokens, note.cost, note.places) == ("of tomorrow", "·", "–", "–", ())


def test_json_has_exact_numbers() -> None:
    saving, note = findings_json([SAVING, NOTE])
    assert (saving["saving_usd"], saving["tokens"], saving["severity"]) == ("0.002", 1_234, "critical")
    assert saving["evidence"] == [
        {
            "saves": "part",
            "call": "c1",
            "node": "0a",
            "path": None,
            "name": "search",
            "share": 0.333333,
            "since_ns": 5,
            "tokens": 1_234,
            "saving_usd": "0.002",
        }
    ]
    assert (note["tokens"], note["saving_usd"], note["estimated"]) == (0, "0", False)


def test_an_unpriced_saving_is_null() -> None:
    from dataclasses import replace

    assert findings_json([replace(SAVING, cost=None)])[0]["saving_usd"] is None
    assert finding_rows([replace(SAVING, cost=None)])[0].cost == "–"


def test_a_code_without_a_label_is_its_own() -> None:
    assert label("brand_new") == "brand new"
