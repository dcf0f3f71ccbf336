import pickle
from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib
from builders import mirrored, shuffled
from moods import COIN, DAY_0, hourly_interest, hourly_ratios, moods, quiet_bars, settlements
from scipy import stats

from opportunity.detectors.base import DEAD_BAND, WARMUP
from opportunity.detectors.news_tone import tone
from opportunity.detectors.sentiment import N_PRICES, Sentiment
from opportunity.feeds.record_folder import FolderRecords
from opportunity.feeds.records import read_funding
from opportunity.market.bars import Bars
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    LongShort,
    Record,
    SocialVolume,
    by_availability,
)
from opportunity.market.readers import read_bars
from opportunity.market.timeframe import DAY_MS, HOUR_MS

FIRST = DAY_0 - 120 * HOUR_MS


def crowd(seed: int, days: int = 30) -> list[Record]:
    """All inputs at random for the last `days` of a hundred before day 0 and thirty after."""
    rng = np.random.default_rng(seed)
    first = DAY_0 - 100 * DAY_MS
    found: list[Record] = [*moods(rng.integers(2, 99, 130).tolist(), first)]
    rates = np.where(rng.random(390) < 0.4, 2.0**-13, rng.normal(2.0**-13, 2.0**-13, 390))
    found += settlements(rates.tolist(), DAY_0 + 30 * DAY_MS)
    log_interest = np.cumsum(rng.normal(0, 0.003, 130 * 24))
    found += hourly_interest(lambda i: float(np.exp(log_interest[i])), first, 130 * 24)
    ratios = 2.0 ** rng.integers(-3, 4, 130 * 24)  # inverted without rounding
    found += hourly_ratios(lambda i: float(ratios[i]), first, 130 * 24)
    for i in range(0, 130 * 24, 7):
        t = first + i * HOUR_MS
        found.append(SocialVolume(t, t, "test", COIN, float(rng.poisson(30))))
        title = ("exchange hacked", "fund approved", "conference opens")[rng.integers(3)]
        found.append(Headline(t, t + 1, "test", f"{title} {i}", "Paper", (COIN,)))
    return by_availability(found)


def twin(record: Record) -> Record:
    match record:
        case FearGreed():
            return replace(record, value=100 - record.value)
        case Funding():
            return replace(record, rate=-record.rate)
        case LongShort():
            return replace(record, ratio=1 / record.ratio)
        case _:
            return record


# ------------------------------------------------------------------ what was known and when


def test_value_known_after_the_close_changes_nothing():
    bars = quiet_bars(400, FIRST)
    early = crowd(1)
    cut = int(bars.close_time[250])
    before = [r for r in early if r.available_at <= cut]
    late = [
        FearGreed(cut - 2 * DAY_MS, cut + 1, "test", 1),  # about a day before, known just after
        Funding(cut - HOUR_MS, cut + 1, "test", COIN, 9.0),
        Headline(cut - HOUR_MS, cut + 1, "test", "exchange hacked", "Paper", (COIN,)),
    ]
    plain, whole = Sentiment().detect(bars, before), Sentiment().detect(bars, before + late)
    np.testing.assert_array_equal(whole.score[:251], plain.score[:251])
    np.testing.assert_array_equal(whole.confidence[:251], plain.confidence[:251])
    assert whole.score[251] != plain.score[251]
    assert [e for e in whole.events if e.bar <= 250] == [e for e in plain.events if e.bar <= 250]


def test_all_stale_is_not_available_and_can_come_back():
    bars = quiet_bars(1_000, FIRST)
    stop, again = DAY_0 + 5 * DAY_MS, DAY_0 + 15 * DAY_MS
    records = [r for r in crowd(2) if r.available_at < stop]
    records += [r for r in crowd(3) if r.event_time >= again and r.available_at >= again]
    found = Sentiment().detect(bars, records)
    closed = bars.close_time
    # the last to end is Fear & Greed, four days after its day
    gone = (closed > stop + 4 * DAY_MS + DAY_MS) & (closed < again)
    assert gone.sum() > 100
    assert not found.available[gone].any()
    assert np.isnan(found.confidence[gone]).all()
    assert found.available[(closed < stop) & (np.arange(1_000) >= WARMUP - 1)].all()
    back = (closed >= again + 8 * HOUR_MS) & (closed <= DAY_0 + 30 * DAY_MS)
    assert found.available[back].all()
    fading = found.confidence[(closed > stop + DAY_MS) & (closed < stop + 3 * DAY_MS)]
    assert np.isfinite(fading).all()
    assert (np.diff(fading) < 0).all()
    assert np.isfinite(found.confidence[found.available]).all()


def test_extremes_whose_input_went_stale_expire():
    records = [*moods([45] * 10 + [10], DAY_0 - 10 * DAY_MS)]
    records += settlements([1e-5 * (i % 10) for i in range(100)] + [-1e-3], DAY_0)
    found = Sentiment().detect(quiet_bars(400, FIRST), records)
    told = [(e.bar, e.kind, e.state, e.side) for e in found.events]
    assert told == [
        (119, "funding", "active", 1), (143, "mood", "active", 1),
        (152, "funding", "expired", 1), (240, "mood", "expired", 1),
    ]  # fmt: skip
    assert all("nan" not in e.text for e in found.events)
    assert found.events[2].text == "Low funding: percentile 0 of 90 days (expired)"


def test_without_records_it_is_absent():
    found = Sentiment().detect(quiet_bars(200))
    assert not found.connected
    assert not found.available.any()
    assert found.events == []


@pytest.mark.parametrize(("name", "unit"), [("funding_rate_percent", None), ("rate", "percent")])
def test_percent_and_fraction_give_the_same_score(tmp_path, name, unit):
    rng = np.random.default_rng(1)
    rates = np.rint(rng.normal(1, 3, 390)) * 1e-4
    last = DAY_0 + 30 * DAY_MS
    time = [f.event_time for f in settlements(rates.tolist(), last)]
    fraction, percent = tmp_path / "fraction.csv", tmp_path / "percent.csv"
    pd.DataFrame({"timestamp": time, "funding_rate": rates}).to_csv(fraction, index=False)
    written = [f"{100 * r:.4f}%" for r in rates]
    pd.DataFrame({"timestamp": time, name: written}).to_csv(percent, index=False)
    bars = quiet_bars(500, FIRST)
    found = Sentiment().detect(bars, read_funding(fraction, COIN))
    other = Sentiment().detect(bars, read_funding(percent, COIN, rate_unit=unit))
    assert (found.score[WARMUP:] != 0).any()
    np.testing.assert_array_equal(other.score, found.score)


# ------------------------------------------------------------------ the rules


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mirrored_market_and_crowd_negate_the_score(seed):
    bars, records = quiet_bars(800, FIRST, seed=seed), crowd(seed)
    found = Sentiment().detect(bars, records)
    other = Sentiment(tone=lambda title: -tone(title)).detect(
        mirrored(bars), [twin(r) for r in records]
    )
    assert found.available[WARMUP - 1 :].all()
    np.testing.assert_allclose(other.score, -found.score, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(other.confidence, found.confidence)
    sides = [(e.bar, e.kind, e.state, e.side) for e in found.events]
    assert sides == [(e.bar, e.kind, e.state, -e.side) for e in other.events]
    assert {"mood", "funding"} <= {e.kind for e in found.events}


def test_streaming_equals_batch_and_survives_a_restart():
    bars, records = quiet_bars(500, FIRST, seed=4), crowd(4)
    detector = Sentiment()
    observed = detector.observe(bars, records)
    found = detector.detect(bars, observed)
    for i, bar in enumerate(bars):
        if i == 300:
            snapshot = pickle.loads(pickle.dumps(detector.snapshot()))
            detector = Sentiment()
            detector.restore(snapshot)
        np.testing.assert_array_equal(
            detector.update(bar, observed.rows[i]), (found.score[i], found.confidence[i])
        )


def test_parts_add_up_to_the_score():
    found = Sentiment().detect(quiet_bars(800, FIRST, seed=5), crowd(5))
    parts = sum(v for k, v in found.outputs.items() if k.startswith("by_"))
    spoken = np.abs(found.score) > 0
    assert spoken.mean() > 0.7
    np.testing.assert_allclose(parts[spoken], found.score[spoken], rtol=0, atol=1e-12)
    assert all(np.ptp(v[WARMUP:]) > 0 for k, v in found.outputs.items() if k.startswith("by_"))


def test_missing_inputs_drop_out_but_connected_ones_lower_the_confidence():
    bars, records = quiet_bars(300, FIRST), crowd(6)
    mood = [r for r in records if isinstance(r, FearGreed)]
    few = settlements([1e-4] * 5, DAY_0)  # too few for a percentile
    alone, both = Sentiment().detect(bars, mood), Sentiment().detect(bars, [*mood, *few])
    np.testing.assert_array_equal(both.score, alone.score)
    later = slice(WARMUP + 20, None)
    np.testing.assert_allclose(both.confidence[later], alone.confidence[later] * 0.35 / 0.60)


def test_social_volume_has_no_sign_and_lifts_the_confidence_only():
    bars = quiet_bars(300, FIRST)
    mood = [*moods([45] * 40, DAY_0 - 35 * DAY_MS)]
    counts = [100.0, 110.0] * 60
    first = DAY_0 - 30 * DAY_MS
    posts = [
        SocialVolume(t, t, "test", COIN, c)
        for t, c in zip(range(first, first + 120 * 6 * HOUR_MS, 6 * HOUR_MS), counts, strict=True)
    ]
    posts.append(SocialVolume(DAY_0 + HOUR_MS, DAY_0 + HOUR_MS, "test", COIN, 9_000.0))
    plain, loud = Sentiment().detect(bars, mood), Sentiment().detect(bars, [*mood, *posts])
    np.testing.assert_array_equal(loud.score, plain.score)
    extra = loud.confidence - plain.confidence
    assert loud.confidence[120] == pytest.approx(min(0.4, plain.confidence[120] + 0.1))
    assert loud.confidence[135] == pytest.approx(
        min(0.4, plain.confidence[135] + 0.1 * 2 ** (-15 / 12))
    )
    assert (extra[WARMUP:] >= 0).all()
    assert loud.confidence[WARMUP:].max() <= 0.4
    alone = Sentiment().detect(bars, posts)  # says how loud it is, not in which direction
    assert alone.connected
    assert not alone.available.any()


@pytest.mark.parametrize("minutes", [1, 5, 60, 240, 1_440])
def test_price_change_of_a_day_is_that_of_a_day_in_every_timeframe(minutes):
    rng = np.random.default_rng(minutes)
    n = 4_500 if minutes == 1 else 900
    length = minutes * 60_000
    keep = rng.random(n) < (0.9 if minutes < 1_440 else 1.0)  # bars are missing
    close = 1024 + np.cumsum(np.rint(rng.normal(0, 32, n)) / 16)
    time = DAY_0 + length * np.arange(n, dtype=np.int64)
    values = np.stack([close, close, close, close, close], axis=1)
    bars = Bars(time[keep], values[keep], None, COIN, "test")
    interest = Sentiment.columns.index("open_interest")
    rows = np.full((len(bars), len(Sentiment.columns)), np.nan)
    rows[:, interest : interest + 2] = 2.0, 1.0  # grows all the time, seen at once
    detector = Sentiment()
    part = np.array([detector.update(bar, row)[0] for bar, row in zip(bars, rows, strict=True)])
    # remembered is the first close of each hour
    hours, kept = np.unique(bars.time // HOUR_MS, return_index=True)
    then = np.searchsorted(bars.time[kept], bars.time - DAY_MS, side="right") - 1
    moved = np.where(then >= 0, bars.close - bars.close[kept][then], np.nan)
    assert np.isfinite(moved[WARMUP:]).any()
    expected = 0.5 * np.sign(moved[WARMUP - 1 :])
    np.testing.assert_array_equal(part[WARMUP - 1 :], expected)
    assert hours.size == detector.snapshot()["state"]["pushed"][0]
    assert N_PRICES >= 26


def test_weights_are_parameters():
    bars, records = quiet_bars(300, FIRST), crowd(8)
    names = [n for n in Sentiment.param if n.endswith("_weight")]
    assert sum(getattr(Sentiment, n) for n in names) == pytest.approx(1.0)
    silent = dict.fromkeys(names, 0.0)
    assert not Sentiment(**silent).detect(bars, records).available.any()
    only = Sentiment(**silent | {"funding_weight": 0.3}).detect(bars, records)
    np.testing.assert_allclose(
        only.outputs["by_funding"][WARMUP:],
        np.where(only.score[WARMUP:] == 0, only.outputs["by_funding"][WARMUP:],
                 only.score[WARMUP:]),
    )  # fmt: skip
    assert (only.outputs["by_fear_greed"][WARMUP:] == 0).all()
    capped = Sentiment(c_max=0.2).detect(bars, records)
    assert np.nanmax(capped.confidence) <= 0.2


# ------------------------------------------------------------------ planted scenarios


def planted(side: int, seed: int, noise: float) -> tuple[list[Record], int]:
    """A mood that turns extreme for some days while funding does; noise in parts of 20 points."""
    rng = np.random.default_rng(seed)
    n, lead, length = 30, int(rng.integers(9, 18)), int(rng.integers(2, 7))
    value = 50 + np.cumsum(rng.normal(0, 2, n))
    value = np.clip(value, 40, 60)
    value[lead : lead + length] = 50 - side * rng.uniform(30, 45)
    value += noise * 20 * rng.standard_normal(n)
    first = DAY_0 - lead * DAY_MS
    usual = 1e-4 + 2e-5 * rng.standard_normal(270 + 3 * length)
    usual[270:] -= side * 1.2e-4 * rng.uniform(0.8, 1.5)
    usual += noise * 8e-5 * rng.standard_normal(usual.size)
    rates = [*usual, *([1e-4] * 20)]
    last = DAY_0 + DAY_MS + (3 * length + 19) * 8 * HOUR_MS
    return [
        *moods(np.clip(np.rint(value), 0, 100).tolist(), first), *settlements(rates, last)
    ], length


@pytest.mark.parametrize(("noise", "recall"), [(0.0, 0.9), (0.25, 0.75)])
@pytest.mark.parametrize("side", [1, -1])
def test_planted_extremes_are_found_with_the_right_side(side, noise, recall):
    bars = quiet_bars(24 * 12, FIRST)
    hits = right = seen = 0
    n = 80
    for seed in range(n):
        records, length = planted(side, seed, noise)
        found = Sentiment().detect(bars, records)
        start = 120 + 24  # day 0 is known when it is over
        span = slice(start, start + 24 * length)
        told = Counter(
            (e.kind, e.side) for e in found.events
            if e.state == "active" and span.start - 2 <= e.bar < span.stop
        )
        hits += {("mood", side), ("funding", side)} <= set(told)
        score = found.score[start + 12]
        if score != 0:
            seen += 1
            right += np.sign(score) == side
    assert hits >= recall * n
    assert right >= 0.99 * seen
    assert seen >= 0.9 * n


@pytest.mark.parametrize("side", [1, -1])
def test_near_extremes_are_not_told(side):
    records = [*moods([50 - side * v for v in (3, 10, 20, 24, 24, 18, 8)], DAY_0 - 5 * DAY_MS)]
    rates = [1e-5 * (i % 8) for i in range(200)]  # the highest and lowest stand at 0.94 and 0.06
    records += settlements([*rates, 3.5e-5 - side * 3.5e-5], DAY_0)
    found = Sentiment().detect(quiet_bars(200, FIRST), records)
    assert found.events == []


# ------------------------------------------------------------------ recorded data


@cache
def recorded(data: Path, coin: str) -> tuple[Bars, list[Record]]:
    bars = read_bars(
        data / "binance" / f"{coin}-USDT" / "1h.parquet", symbol=f"{coin}/USDT", timeframe="1h"
    )
    records = FolderRecords(data).between((FearGreed, Funding), 0, 2**60, [f"{coin}/USDT"])
    return bars, records


def formula(bars: Bars, records: list[Record]) -> tuple[np.ndarray, np.ndarray]:
    """Compute score and confidence from pandas and SciPy, straight from the page."""
    closed = pd.DataFrame({"t": bars.close_time})
    moods = [r for r in records if isinstance(r, FearGreed)]
    known = {r.event_time: r.value for r in moods}
    week = [known.get(r.event_time - 7 * DAY_MS) for r in moods]
    for i, r in enumerate(moods):  # days are missing: the last one before, at most three earlier
        k = 8
        while week[i] is None and k <= 10:
            week[i] = known.get(r.event_time - k * DAY_MS)
            k += 1
    mood = pd.DataFrame({
        "t": np.array([r.available_at for r in moods]), "x": [(r.value - 50) / 50 for r in moods],
        "change": [np.nan if w is None else r.value - w for r, w in zip(moods, week, strict=True)],
    })
    mood["seen"] = mood["t"]
    paid = [r for r in records if isinstance(r, Funding)]
    rates, times = [r.rate for r in paid], [r.event_time for r in paid]
    rank = np.full(len(paid), np.nan)
    for i in range(89, len(paid)):
        window = rates[bisect_left(times, times[i] - 90 * DAY_MS + 1) : i + 1]
        if len(window) >= 90:
            rank[i] = 2 * stats.percentileofscore(window, rates[i], kind="mean") / 100 - 1
    paying = pd.DataFrame({"t": np.array(times), "u": rank})
    paying["settled"] = paying["t"]
    joined = pd.merge_asof(pd.merge_asof(closed, mood, on="t"), paying, on="t")

    def fresh(seen: str, half_life: float) -> np.ndarray:
        old = (joined["t"] - joined[seen]).to_numpy() / (half_life * HOUR_MS)
        return np.where(np.isnan(old), np.nan, np.where(old > 4, 0.0, 2.0 ** -np.nan_to_num(old)))

    x, change, u = (joined[c].to_numpy() for c in ("x", "change", "u"))
    corners = [-1, -0.8, -0.5, -0.25, 0, 0.25, 0.5, 0.8, 1]
    level = np.interp(x, corners, [0.7, 0.5, 0, -0.25, 0, 0.25, 0, -0.5, -0.7])
    turned = np.where((np.abs(x) > 0.7) & (x * change > 0), 0.0, np.clip(change / 25, -1, 1))
    against = -np.sign(u) * np.clip((np.abs(u) - 0.6) / 0.4, 0, 1)
    total, mass, connected = (np.zeros(len(bars)) for _ in range(3))
    for weight, factor, worth, reading in (
        (0.25, fresh("seen", 24), level, x), (0.10, fresh("seen", 24), turned, change),
        (0.25, fresh("settled", 8), against, u),
    ):  # fmt: skip
        usable = np.isfinite(reading) & (factor > 0)
        total += np.where(usable, weight * factor * worth, 0.0)
        mass += np.where(usable, weight * factor, 0.0)
        connected += np.where(np.isfinite(factor), weight, 0.0)
    with np.errstate(invalid="ignore"):
        score, confidence = total / mass, 0.4 * mass / connected
    score[np.abs(score) < DEAD_BAND] = 0.0
    score[: WARMUP - 1] = confidence[: WARMUP - 1] = np.nan
    return score, confidence


@pytest.mark.realdata
@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_recorded_scores_follow_the_formula(market_data, coin):
    bars, records = recorded(market_data, coin)
    found = Sentiment().detect(bars, records)
    score, confidence = formula(bars, records)
    differs = ~np.isclose(found.score, score, rtol=0, atol=1e-9, equal_nan=True)
    # rounding may put what lies on the dead band to either side of it
    size = np.maximum(np.abs(score), np.abs(found.score))[differs]
    assert (np.abs(size - DEAD_BAND) < 1e-9).all()
    assert differs.mean() < 1e-3
    np.testing.assert_allclose(found.confidence, confidence, rtol=0, atol=1e-9)


@pytest.mark.realdata
def test_recorded_fear_and_greed_is_as_often_extreme_as_expected(market_data):
    values = np.array([
        r.value for r in recorded(market_data, "BTC")[1] if isinstance(r, FearGreed)
    ])
    assert (values <= 25).mean() == pytest.approx(0.20, abs=0.01)
    assert (values >= 75).mean() == pytest.approx(0.12, abs=0.01)
    assert np.corrcoef(values[1:], values[:-1])[0, 1] == pytest.approx(0.955, abs=0.005)
    assert np.std(values[7:] - values[:-7]) == pytest.approx(12.8, abs=0.1)


@pytest.mark.realdata
@pytest.mark.parametrize(("coin", "share"), [("BTC", 0.416), ("ETH", 0.404), ("XRP", 0.371)])
def test_recorded_funding_speaks_on_two_fifths_of_settlements(market_data, coin, share):
    _, records = recorded(market_data, coin)
    paid = [r for r in records if isinstance(r, Funding)]
    inputs = Sentiment().new_inputs((f"{coin}/USDT",))
    inputs.take(paid)
    times = np.array([r.event_time for r in paid])
    place = Sentiment.columns.index("funding")
    rank = inputs.rows(np.zeros(times.size, np.int64), times, times)[:, place]
    assert np.isnan(rank[:89]).all()
    assert np.isfinite(rank[89:]).all()
    assert (np.abs(rank[89:]) > 0.6).mean() == pytest.approx(share, abs=0.002)
    assert (np.abs(rank[89:]) > 0.9).mean() == pytest.approx(0.11, abs=0.01)


RATES = {("mood", 1): 1.56, ("mood", -1): 0.87, ("funding", 1): 3.05, ("funding", -1): 1.60}


@pytest.mark.realdata
@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_recorded_rates_are_those_of_the_page(market_data, coin):
    bars, records = recorded(market_data, coin)
    found = Sentiment().detect(bars, records)
    told = Counter((e.kind, e.side) for e in found.events if e.state == "active")
    for what, rate in RATES.items():
        assert 1_000 * told[what] / len(bars) == pytest.approx(rate, rel=0.1), what
    scores = found.score[found.available]
    assert found.available.mean() == pytest.approx(0.988, abs=0.002)
    assert (scores != 0).mean() == pytest.approx(0.88, abs=0.01)
    np.testing.assert_allclose(
        np.quantile(np.abs(scores), [0.25, 0.5, 0.75]), [0.044, 0.11, 0.215], atol=0.005
    )


@pytest.mark.realdata
@pytest.mark.parametrize(("coin", "expected"), [("BTC", 0.026), ("ETH", 0.014)])
def test_recorded_score_hardly_tells_the_next_day(market_data, coin, expected):
    bars, records = recorded(market_data, coin)
    score = Sentiment().detect(bars, records).score
    atr = talib.ATR(bars.high, bars.low, bars.close)
    ahead = np.full(len(bars), np.nan)
    ahead[:-24] = (bars.close[24:] - bars.close[:-24]) / atr[:-24]
    both = np.isfinite(score) & np.isfinite(ahead)
    found = np.corrcoef(score[both], ahead[both])[0, 1]
    assert found == pytest.approx(expected, abs=0.01)
    assert abs(found) < 0.05


@pytest.mark.realdata
def test_fear_and_greed_went_with_the_next_week_then_against_it(market_data):
    bars, records = recorded(market_data, "BTC")
    mood = pd.DataFrame(
        [(r.available_at, r.value) for r in records if isinstance(r, FearGreed)],
        columns=["t", "value"],
    )
    price = pd.DataFrame({"t": bars.close_time, "close": bars.close})
    now = pd.merge_asof(mood, price, on="t")
    then = pd.merge_asof(mood.assign(t=mood["t"] + 7 * DAY_MS), price, on="t")
    now["ahead"] = then["close"] / now["close"] - 1
    now = now[mood["t"] + 7 * DAY_MS <= price["t"].iloc[-1]]
    year = pd.to_datetime(now["t"], unit="ms").dt.year
    for first, last, r in ((2018, 2020, 0.10), (2021, 2022, 0.07), (2023, 2025, -0.12)):
        part = now[(year >= first) & (year <= last)]
        assert part["value"].corr(part["ahead"]) == pytest.approx(r, abs=0.03)


@pytest.mark.realdata
def test_events_tell_nothing_about_shuffled_bars(market_data):
    bars, records = recorded(market_data, "BTC")
    worst = []
    for seed in range(6):
        other = replace(shuffled(bars, seed), symbol="BTC/USDT", timeframe="1h")
        found = Sentiment().detect(other, records)
        atr = talib.ATR(other.high, other.low, other.close)
        ahead = np.full(len(other), np.nan)
        ahead[:-24] = (other.close[24:] - other.close[:-24]) / atr[:-24]
        ahead -= np.nanmean(ahead)
        moves = np.array([
            e.side * ahead[e.bar] for e in found.events
            if e.state == "active" and e.bar >= WARMUP and np.isfinite(ahead[e.bar])
        ])
        assert moves.size > 400
        worst.append(moves.mean() / (moves.std() / np.sqrt(moves.size)))
    assert np.abs(worst).max() < 3
    assert np.mean(np.abs(worst)) < 1.5


def test_what_it_goes_by_is_said_in_words():
    nan = float("nan")
    both = Sentiment().remark({"fear_greed": 71.0, "funding_percentile": 0.934})
    assert both == "Fear & Greed 71, funding above 93 % of its past"
    assert Sentiment().remark({"fear_greed": 20.0, "funding_percentile": nan}) == "Fear & Greed 20"
    assert Sentiment().remark({"fear_greed": nan, "funding_percentile": nan}) == ""
