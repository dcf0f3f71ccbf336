import json

import numpy as np
from builders import HOUR, random_bars

from opportunity.live.scan_report import ScanReport, StaleStream
from opportunity.live.scanner import scan

BARS = random_bars(300, seed=4)
OLD = BARS[:150].label(symbol="OLD/USDT")


def report() -> ScanReport:
    return scan({"NEW/USDT": BARS.label(symbol="NEW/USDT"), "OLD/USDT": OLD}, timeframes=["1h"])


def test_streams_that_end_early_are_told_with_how_far_behind_they_are():
    found = report()
    (stale,) = found.stale
    assert stale == StaleStream("OLD/USDT", "1h", int(OLD.close_time[-1]), 150.0)
    assert found.time - stale.closed == 150 * HOUR


def test_plain_values_are_json_and_limited():
    body = report().as_dict(limit=0)
    assert json.loads(json.dumps(body))["results"] == []
    assert body["stale"][0]["symbol"] == "OLD/USDT"
    assert (body["symbols_scanned"], body["symbols_scored"]) == (2, 1)
    assert np.isclose(sum(body["weights"].values()), 1.0)


def test_it_says_how_many_were_ranked():
    found = report()
    assert repr(found) == f"<ScanReport simulated: {len(found.rows)} of 2 symbols ranked>"
