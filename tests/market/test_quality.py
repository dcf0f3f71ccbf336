import itertools
import timeit
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.errors import BarError
from opportunity.market.bars import Bars
from opportunity.market.quality import FAULTS, RULES, inspect, require_bars, require_valid
from opportunity.market.store import BarStore

HOUR = 3_600_000


def broken(bars, row, column=None, value=None, time=None):
    values, times = bars.values.copy(), bars.time.copy()
    if column is not None:
        values[row, column] = value
    if time is not None:
        times[row] = time
    return Bars(times, values, bars.timeframe, bars.symbol)


CASES = [
    ("not finite", 0, np.nan, "values must be finite"),
    ("not finite", 3, np.inf, "values must be finite"),
    ("not finite", 4, np.nan, "values must be finite"),
    ("not finite", 2, -np.inf, "values must be finite"),
    ("price <= 0", 2, 0.0, "prices must be > 0, lowest was 0.0"),
    ("price <= 0", 2, -1.0, "prices must be > 0, lowest was -1.0"),
    ("open or close outside low..high", 1, 1.0, "open and close must lie within low..high"),
    ("open or close outside low..high", 2, 1e6, "open and close must lie within low..high"),
    ("open or close outside low..high", 3, 1e6, "open and close must lie within low..high"),
    ("negative volume", 4, -1e-9, "volume must be >= 0, was -1e-09"),
]


@pytest.mark.parametrize(("rule", "column", "value", "words"), CASES)
def test_a_bad_value_is_named(make, rule, column, value, words):
    bars = broken(make(20), 7, column, value)
    with pytest.raises(BarError, match=f"BTC/USDT 1h: bar 7 at 2024-01-01T07:00Z: {words}"):
        require_valid(bars)
    report = inspect(bars)
    assert not report.ok
    assert report.count(rule) == 1
    assert report.findings[list(RULES).index(rule)].places == (int(bars.time[7]),)


@pytest.mark.parametrize(
    ("shift", "rule", "words"),
    [
        (-HOUR, "duplicate", "time must be later than 2024-01-01T06:00Z, was 2024-01-01T06:00Z"),
        (-3 * HOUR, "not ascending", "time must be later than"),
        (1, "off grid", "time must be an opening time of 1h, was 2024-01-01T07:00:00.001Z"),
        (14_000, "off grid", "time must be an opening time of 1h"),
        (120_494_789, "off grid", "time must be an opening time of 1h"),  # Binance, Feb 2018
    ],
)
def test_a_bad_time_is_named(make, shift, rule, words):
    bars = make(20)
    bars = broken(bars, 7, time=bars.time[7] + shift)
    with pytest.raises(BarError, match=words):
        require_valid(bars)
    assert inspect(bars).count(rule) == 1


def test_weeks_off_monday_are_off_grid(make):
    bars = make(5, "1w")
    require_valid(bars)
    with pytest.raises(BarError, match="opening time of 1w"):
        require_valid(Bars(bars.time + 86_400_000, bars.values, "1w"))


def test_after_refuses_the_same_bar_again(make):
    bars = make(5)
    last = int(bars.time[0])
    require_valid(bars, after=last - HOUR)
    for after in (last, last + HOUR):
        with pytest.raises(BarError, match=r"bar 0 .*time must be later than"):
            require_valid(bars, after=after)


def test_without_a_timeframe_the_grid_is_not_checked(make):
    bars = make(20)
    odd = Bars(bars.time + 7, bars.values)
    require_valid(odd)
    assert inspect(odd[::3]).gaps == 0


def test_gaps_and_zero_volume_are_reported_but_valid(make):
    bars = make(60)
    values = bars.values.copy()
    values[3:6, 4] = 0
    kept = np.r_[0:10, 21:30, 31:60]  # 11 hours, as Binance in June 2018, and one
    report = inspect(Bars(bars.time[kept], values[kept], "1h", "BTC/USDT"))
    require_valid(Bars(bars.time[kept], values[kept], "1h"))
    assert report.ok
    assert (report.gaps, report.missing, report.count("zero volume")) == (2, 12, 3)
    assert "BTC/USDT 1h: 48 bars, valid, 12 missing in 2 gaps" in str(report)
    assert "gap: 2 (at 2024-01-01T21:00Z, 2024-01-02T07:00Z)" in str(report)


def test_the_docs_explain_every_rule():
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    for rule, bit in RULES.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {rule} |"))
        assert ("**yes**" in row) == bool(bit & FAULTS)


def test_no_bars_are_valid(make):
    none = make(5)[:0]
    require_valid(none)
    report = inspect(none)
    assert report.ok
    assert (report.n_bars, report.first, report.last) == (0, None, None)
    assert len(report.to_frame()) == len(RULES)


def test_report_as_frame(make):
    frame = inspect(broken(make(20), 7, 1, 1.0)).to_frame()
    assert frame["count"].sum() == 1
    row = frame.loc["open or close outside low..high"]
    assert row["first"].isoformat() == "2024-01-01T07:00:00+00:00"
    assert frame["first"].isna().sum() == len(RULES) - 1


def test_report_lists_the_first_places_only(make):
    bars = make(30)
    values = bars.values.copy()
    values[:, 4] = -1
    text = str(inspect(Bars(bars.time, values, "1h")))
    assert "INVALID" in text
    assert "negative volume: 30 (at 2024-01-01T00:00Z" in text
    assert text.endswith(", ...)")


NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    st.lists(st.tuples(st.integers(0, 6), NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=6)
)
def test_the_gate_and_the_report_agree_with_the_rules_in_words(rows):
    times = np.array([r[0] * HOUR // 2 for r in rows], np.int64)
    bars = Bars(times, np.array([r[1:] for r in rows]).reshape(-1, 5), "1h")
    sane = all(
        np.isfinite([o, h, low, c, v]).all() and 0 < low <= min(o, c) and max(o, c) <= h and v >= 0
        for _, o, h, low, c, v in rows
    )
    ordered = all(a < b for a, b in itertools.pairwise(times))
    valid = bool(sane and ordered and (times % HOUR == 0).all())
    assert inspect(bars).ok is valid
    if valid:
        require_valid(bars)
    else:
        with pytest.raises(BarError):
            require_valid(bars)


def test_one_bar_costs_under_20_microseconds(make):
    bars = make(1)
    require_valid(bars, after=0)
    best = min(timeit.repeat(lambda: require_valid(bars, after=0), number=1000, repeat=5))
    assert best / 1000 < 20e-6


@pytest.mark.realdata
def test_recorded_bars_are_valid_and_have_the_gaps_their_readme_counts(market_data):
    store = BarStore(market_data / "binance")
    names = store.symbols("1h")
    reports = {s: inspect(store.read(s, "1h", check=False)) for s in names}
    assert len(names) == 95
    assert all(r.ok for r in reports.values())
    counted = {s: (r.gaps, r.missing) for s, r in reports.items() if r.gaps}
    assert counted["BTC/USDT"] == (27, 122)
    assert counted["ETH/USDT"] == (27, 122)
    assert counted["ADA/USDT"] == (25, 88)
    assert counted == {s: c for s, c in readme_gaps(market_data).items() if c != (0, 0)}


@pytest.mark.realdata
def test_recorded_minutes_without_a_trade_are_gaps(market_data):
    store = BarStore(market_data / "binance")
    minutes, fives = (inspect(store.read("XRP/ETH", t)) for t in ("1m", "5m"))
    assert (minutes.n_bars, minutes.gaps, minutes.missing) == (2469, 676, 1091)
    assert (fives.n_bars, fives.gaps, fives.missing) == (706, 6, 6)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("start", "before", "after", "missing"),
    [
        ("2018-06-26", "01:00", "2018-06-26T12:00Z", 10),  # the 11 hours of June 2018
        ("2018-02-08", "00:00", "2018-02-09T10:00Z", 33),
    ],
)
def test_recorded_outages_are_one_gap_each(market_data, start, before, after, missing):
    day = int(np.datetime64(start, "ms").astype(np.int64))
    bars = BarStore(market_data / "binance").read("BTC/USDT", "1h", day, day + 36 * HOUR)
    report = inspect(bars)
    assert (report.gaps, report.missing) == (1, missing)
    assert f"gap: 1 (at {after})" in str(report)
    assert np.datetime64(f"{start}T{before}", "ms").astype(np.int64) in bars.time


def readme_gaps(folder):
    found = {}
    for line in (folder / "README.md").read_text().splitlines():
        cells = [c.strip() for c in line.strip("| ").split("|")]
        if cells[0].startswith("binance/") and cells[0].endswith("/1h.parquet"):
            symbol = cells[0].split("/")[1].replace("-", "/")
            found[symbol] = (int(cells[4]), int(cells[5]))
    return found


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, "was NoneType$"), ([1], "was list$"),
        (pd.DataFrame(), r"was DataFrame: Bars\.from_frame\(frame\) makes them$"),
    ],
)
def test_what_is_no_bars_is_named(given, text):
    for check in (require_bars, require_valid):
        with pytest.raises(TypeError, match=f"bars must be Bars, {text}"):
            check(given)
