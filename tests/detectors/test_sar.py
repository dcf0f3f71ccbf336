from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from opportunity.detectors.base import DEAD_BAND, WARMUP
from opportunity.detectors.sar import Sar, freshness, gate, reach
from opportunity.market.bars import Bars


def ohlc(open_: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Bars:
    return Bars.from_arrays(np.arange(close.size), open_, high, low, close, np.ones(close.size))


def walk(seed: int, n_bars: int = 2_000) -> Bars:
    """Draw a random walk with wicks on a dyadic price grid."""
    rng = np.random.default_rng(seed)
    close = 512 + np.cumsum(rng.normal(0, 1, n_bars)) * 0.5
    open_ = np.concatenate(([512.0], close[:-1]))
    high = np.maximum(open_, close) + rng.exponential(0.3, n_bars)
    low = np.minimum(open_, close) - rng.exponential(0.3, n_bars)
    return ohlc(*(np.round(c * 64) / 64 for c in (open_, high, low, close)))


def reflect(bars: Bars) -> Bars:
    return ohlc(*(1024 - c for c in (bars.open, bars.low, bars.high, bars.close)))


def ramp(slope: float, n_bars: int = 400) -> Bars:
    close = 1_000 + slope * np.arange(float(n_bars))
    return ohlc(close, close + 1, close - 1, close)


def market(data: Path, symbol: str) -> Bars:
    return Bars.from_frame(pd.read_parquet(data / "binance" / symbol / "1h.parquet"))


def expected_scores(bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    """Compute score and confidence from TA-Lib's arrays, straight from the formula."""
    columns = bars.high, bars.low, bars.close
    stop, atr, adx = talib.SAR(bars.high, bars.low), talib.ATR(*columns), talib.ADX(*columns)
    lean = talib.PLUS_DI(*columns) - talib.MINUS_DI(*columns)
    side = np.where(stop <= bars.low, 1.0, -1.0)  # the close itself may lie on the stop
    turned = np.flatnonzero(np.concatenate(([False, True], side[2:] != side[1:-1])))
    bar = np.arange(len(bars))
    age = bar - turned[np.searchsorted(turned, bar, side="right") - 1]
    x = np.abs(bars.close - stop) / atr
    distance = x / (1 + x) * 4 / np.maximum(x, 4)
    worth = np.minimum(0.5 + age / 10, 1) * 2.0 ** (-np.maximum(age - 20, 0) / 40)
    trust = np.clip((adx - 15) / 15, 0.2, 1) * np.where(lean * side < 0, 0.5, 1)
    score = side * distance * worth * trust
    score[np.abs(score) < DEAD_BAND] = 0
    confidence = 0.15 + 0.35 * trust
    score[: WARMUP - 1] = confidence[: WARMUP - 1] = np.nan
    return score, confidence


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sar_scores_as_the_formula_says(seed):
    bars = walk(seed)
    found = Sar().detect(bars)
    score, confidence = expected_scores(bars)
    np.testing.assert_allclose(found.score, score, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.confidence, confidence, rtol=0, atol=1e-12)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("binance/SOL-USDT/1h", "binance_SOL-USDT_1h"),
        ("cryptocompare/BTC-USD/1d", "cryptocompare_BTC-USD_1d"),
    ],
)
def test_sar_stop_equals_the_reference_on_every_row(market_data, source, name):
    frame = pd.read_parquet(market_data / "reference" / "talib" / f"{name}.parquet")
    bars = Bars.from_frame(pd.read_parquet(market_data / f"{source}.parquet"))[: len(frame)]
    stop = Sar().detect(bars).outputs["stop"]
    np.testing.assert_allclose(stop, frame["sar"], rtol=0, atol=1e-8)


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["BTC-USDT", "ETH-USDT"])
def test_sar_on_recorded_markets_turns_as_often_as_expected(market_data, symbol):
    bars = market(market_data, symbol)
    found = Sar().detect(bars)
    flips = sum(event.state == "active" for event in found.events)
    assert 1_000 * flips / len(bars) == pytest.approx(76, abs=1)
    adx = talib.ADX(bars.high, bars.low, bars.close)
    quartiles = np.nanquantile(adx, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, [18.6, 25.2, 34.5], atol=0.15)
    score, confidence = expected_scores(bars)
    np.testing.assert_allclose(found.score, score, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.confidence, confidence, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sar_sign_of_the_score_is_the_side_of_the_stop(seed):
    bars = walk(seed)
    found = Sar().detect(bars)
    side = np.sign(bars.close - found.outputs["stop"])
    spoken = found.available & (found.score != 0)
    assert spoken.mean() > 0.9
    np.testing.assert_array_equal(np.sign(found.score[spoken]), side[spoken])


@pytest.mark.parametrize("sign", [1, -1])
def test_sar_on_a_straight_ramp_never_turns(sign):
    detector = Sar()
    found = detector.detect(ramp(sign))
    assert found.events == []
    assert (sign * found.score[WARMUP - 1 : WARMUP + 50] > 0).all()
    assert (found.score[-100:] == 0).all()  # so old a trend says nothing any more
    # Full acceleration: the stop trails by the constant distance slope / AF behind the extreme.
    late = found.outputs["stop"][-50:]
    np.testing.assert_allclose(np.diff(late), sign, rtol=1e-9)
    for bar in ramp(sign):
        detector.update(bar)
    assert detector.snapshot()["state"][0]["sar"]["af"] == 0.2


def test_sar_stop_is_clamped_to_the_lows_of_the_last_two_bars():
    low = np.array([9.0, 10.5, 10.6, 11, 11.5])
    high = np.array([11.0, 12, 100, 100, 100])
    stop = Sar().detect(ohlc(low, high, low, high)).outputs["stop"]
    assert stop[3] == 10.5  # unclamped it would be 12.69


@pytest.mark.parametrize(("last_low", "turned"), [(9.06, True), (9.0625, False)])
def test_sar_turns_when_price_only_touches_the_stop(last_low, turned):
    low = np.array([9.0, 10, last_low])
    high = np.array([11.0, 12, 12])
    stop = Sar().detect(ohlc(low, high, low, high)).outputs["stop"]
    assert (stop[2] > high[1] - 1) == turned


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sar_reflected_negates_from_the_first_common_turn_on(seed):
    bars = walk(seed)
    up, down = Sar().detect(bars), Sar().detect(reflect(bars))
    apart = np.abs((1024 - up.outputs["stop"]) - down.outputs["stop"]) > 1e-9
    last = int(np.flatnonzero(apart)[-1]) if apart.any() else 0  # before the first common turn
    assert last < WARMUP
    np.testing.assert_allclose(down.score, -up.score, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(down.confidence, up.confidence)
    marks = [
        [(e.bar, sign * e.side, e.state) for e in found.events if e.bar >= WARMUP]
        for found, sign in ((up, 1), (down, -1))
    ]
    assert marks[0] == marks[1]


def test_sar_events_name_the_turn_and_its_end():
    bars = walk(4)
    found = Sar().detect(bars)
    active = [e for e in found.events if e.state == "active"]
    done = [e for e in found.events if e.state == "done"]
    assert len(active) == len({e.id for e in active}) == len(done) + 1
    for begun, ended, following in zip(active, done, active[1:], strict=False):
        assert begun.id == ended.id
        assert begun.side == ended.side == -following.side
        assert ended.bar == following.bar > begun.bar
        assert begun.stop == found.outputs["stop"][begun.bar]
        assert begun.entry == bars.close[begun.bar]
        assert begun.points == ((int(bars.time[begun.bar]), begun.stop, "SAR"),)
        low, high = bars.low[ended.bar], bars.high[ended.bar]
        touched = ended.points[1][1]
        assert touched >= low if begun.side > 0 else touched <= high
    assert active[0].text.startswith(f"{'Bullish' if active[0].side > 0 else 'Bearish'} SAR flip")


def test_sar_in_a_flat_market_is_silent():
    price = np.full(300, 7.1)
    found = Sar().detect(ohlc(price, price, price, price))
    assert (found.score[WARMUP - 1 :] == 0).all()
    assert (found.confidence[WARMUP - 1 :] == 0).all()
    assert found.events == []


def test_sar_after_a_long_standstill_stays_finite_and_makes_no_events():
    bars = walk(5, 300)
    price = np.full(12_000, bars.close[-1])
    columns = bars.open, bars.high, bars.low, bars.close
    still = ohlc(*(np.concatenate((column, price)) for column in columns))
    found = Sar().detect(still)
    assert np.isfinite(found.score[WARMUP - 1 :]).all()
    assert (found.score[700:] == 0).all()  # what is left of ATR is no measure of rounding
    assert sum(e.bar >= 300 for e in found.events) <= 2 * 3
    assert found.score[-1] == 0
    assert found.confidence[-1] == 0


@pytest.mark.parametrize(
    ("age", "expected"), [(0, 0.5), (1, 0.6), (5, 1.0), (20, 1.0), (60, 0.5), (100, 0.25)]
)
def test_freshness_rises_holds_and_halves(age, expected):
    assert freshness(age) == expected


@pytest.mark.parametrize(
    ("adx", "lean", "expected"),
    [
        (0, 1, 0.2),
        (18, 1, 0.2),
        (22.5, 1, 0.5),
        (30, 0, 1),
        (60, 1, 1),
        (60, -1, 0.5),
        (0, -1, 0.1),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_gate_follows_adx_and_halves_against_the_directions(adx, lean, expected, side):
    assert gate(float(adx), float(lean * side), side) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("distance", "atr", "expected"),
    [(0, 1, 0), (1, 1, 0.5), (4, 1, 0.8), (8, 1, 8 / 9 / 2), (1, 0, 0), (0, 0, 0), (1, 1e-310, 0)],
)
def test_reach_saturates_and_damps_over_stretch(distance, atr, expected):
    assert reach(float(distance), float(atr)) == pytest.approx(expected, abs=1e-12)


def test_sar_refuses_a_start_above_the_maximum():
    with pytest.raises(ValueError, match=r"start must be <= maximum \(0\.2\), was 0\.3"):
        Sar(start=0.3)
