"""That a storm finds nothing means something: what is wrong is found."""

from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon.store.open import open_store
from tests.e2e.faults.client import Seen, Verdict, judge
from tests.e2e.faults.http1 import Message
from tests.e2e.faults.plans import Plan, plan
from tests.e2e.faults.proxies import Slot
from tests.e2e.faults.storm import Made, Weather
from tests.e2e.faults.verdict import examine
from tests.e2e.test_no_secret_written import KEYS

HEALTHY = next(each for number in range(99) if (each := plan(1, number)).wire == "http" and each.status == 200)
CUT = plan(1, 1, fault="closes inside")


def answered(plan: Plan, body: bytes | None = None, *, whole: bool = True, status: int | None = None) -> Seen:
    start = f"HTTP/1.1 {status or plan.status} OK"
    body = plan.payload if body is None else body
    return Seen(message=Message(start=start, headers=dict(plan.answer_headers), body=body, whole=whole))


@pytest.mark.parametrize(
    ("planned", "seen", "verdict"),
    [
        (HEALTHY, answered(HEALTHY), "fine"),
        (HEALTHY, answered(HEALTHY, HEALTHY.payload[:-1] + b"!"), "corrupted"),
        (HEALTHY, answered(HEALTHY, HEALTHY.payload + b"!"), "corrupted"),
        (HEALTHY, answered(HEALTHY, HEALTHY.payload[:-1]), "failed"),
        (HEALTHY, answered(HEALTHY, whole=False), "failed"),
        (HEALTHY, answered(HEALTHY, status=502), "failed"),
        (HEALTHY, Seen(), "failed"),
        (HEALTHY, Seen(hung=True), "hung"),
        (CUT, answered(CUT, CUT.payload[:3], whole=False), "fine"),
        (CUT, answered(CUT, CUT.payload[:3]), "corrupted"),
        (CUT, Seen(), "failed"),
    ],
)
def test_what_a_client_sees_is_judged(planned: Plan, seen: Seen, verdict: Verdict) -> None:
    assert judge(planned, seen) == verdict


def made(number: int, verdict: Verdict = "fine", *, kill: float | None = None) -> Made:
    slot = Slot(Path(), "one", {})
    slot.kills += [] if kill is None else [kill]
    planned = replace(HEALTHY, number=number)
    return Made(plan=planned, slot=slot, opened=99.0, started=99.0, ended=100.0, verdict=verdict)


def test_what_is_left_is_judged(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/llmprof.db").close()
    (tmp_path / "up.log").write_text(f"it is {KEYS['openai']}")
    weather = Weather(in_place={"a"}, changed=[7])
    weather.made += [made(1), made(2, kill=100.2), made(3, kill=100.3), made(4, "failed"), made(5, "corrupted")]
    result = examine(tmp_path, weather)
    assert [line.split(" (")[0] for line in result.lost] == ["exchange a, which was in the spool"] + [
        f"call {number}" for number in (1, 3, 4, 5)
    ]
    assert (result.excused, result.late) == (1, 1)
    assert result.corrupted == ["call 7: its request", result.corrupted[1]]
    assert len(result.failed) == 1
    assert result.secrets == ["openai in up.log"]


def test_a_call_of_a_failing_disk_is_excused_where_its_proxy_is_killed(tmp_path: Path) -> None:
    weather = Weather(shaky=[(99.5, 101.0)])
    assert weather.excused(made(1, kill=103.0))
    assert not weather.excused(made(1, kill=110.0))
    assert not weather.excused(made(1))


def test_a_disk_that_fails_again_at_once_has_not_recovered() -> None:
    weather = Weather()
    for start, end in ((10.0, 11.0), (99.5, 101.0), (101.1, 103.0), (107.9, 110.0), (120.0, 121.0)):
        weather.disk_failed(start, end)
    assert weather.shaky == [(10.0, 11.0), (99.5, 110.0), (120.0, 121.0)]
    assert weather.excused(made(1, kill=114.0))
    assert not weather.excused(made(1, kill=116.0))
