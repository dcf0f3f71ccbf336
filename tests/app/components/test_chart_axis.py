import json
import shutil
import subprocess
from itertools import pairwise
from typing import Any

import pytest
from bokeh.plotting import figure

from app.components.chart_axis import CLOCKS, TICK_PX, read_in_zone

HOUR = 3_600_000
DAY = 24 * HOUR
MIDNIGHT = 1_763_856_000_000  # 2025-11-23, UTC


def run(zone: str, call: str) -> Any:
    """Run code with `clocks` in a browser-like world whose reader is in a zone."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    head = f'globalThis.document = {{ cookie: "opportunity-zone={zone}" }};'
    code = f"{head}{CLOCKS}\nconsole.log(JSON.stringify({call}))"
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_ticks_are_asked_for_in_the_browser() -> None:
    p: Any = figure()
    read_in_zone(p)
    assert p.xaxis[0].ticker.args == {"figure": p, "px": TICK_PX}
    assert "clocks.within" in p.xaxis[0].ticker.major_code
    assert "clocks.label" in p.xaxis[0].formatter.code


@pytest.mark.parametrize(("zone", "ahead"), [
    ("UTC", 0), ("Asia%2FTehran", 3.5), ("Asia%2FKolkata", 5.5), ("America%2FNew_York", -5),
])  # fmt: skip
def test_days_begin_at_the_readers_midnight(zone: str, ahead: float) -> None:
    ticks = run(zone, f"clocks.within({MIDNIGHT - 2 * DAY}, {MIDNIGHT + 2 * DAY}, 6)")
    assert 3 <= len(ticks) <= 5
    assert {(tick + ahead * HOUR) % DAY for tick in ticks} == {0}
    assert run(zone, f"clocks.label({ticks[0]})").endswith(" Nov")


def test_labels_tell_hours_days_and_years() -> None:
    assert run("UTC", f"clocks.label({MIDNIGHT + 90 * 60_000})") == "01:30"
    assert run("UTC", "clocks.label(Date.UTC(2026, 0, 1))") == "2026"
    assert run("Asia%2FTehran", f"clocks.whole({MIDNIGHT})") == "23 Nov 03:30"


def test_midnights_stay_midnights_when_the_clock_is_turned() -> None:
    start = "Date.UTC(2026, 2, 27)"
    ticks = run("Europe%2FBerlin", f"clocks.within({start}, {start} + {4 * DAY}, 6)")
    assert {b - a for a, b in pairwise(ticks)} == {DAY, 23 * HOUR}
    labels = run("Europe%2FBerlin", f"{json.dumps(ticks)}.map(clocks.label)")
    assert all(label.endswith(" Mar") for label in labels)


@pytest.mark.parametrize("span", [3 * 60_000, HOUR, DAY, 30 * DAY, 800 * DAY, 9000 * DAY])
def test_there_are_never_too_many(span: int) -> None:
    ticks = run("UTC", f"clocks.within({MIDNIGHT}, {MIDNIGHT + span}, 7)")
    assert 1 <= len(ticks) <= 8
    assert ticks == sorted(ticks)


def test_a_range_of_nothing_has_none_and_an_unknown_zone_is_survived() -> None:
    assert run("UTC", "clocks.within(5, 5, 7)") == []
    assert run("Mars%2FOlympus", f"typeof clocks.label({MIDNIGHT})") == "string"
