"""Null markets: where there is nothing to find, detectors lean to neither side.

For every detector that reads bars alone and every market, the mean signed score over many
independent markets must lie within three standard errors of 0, the error coming from the spread
between markets (bars of one market are far from independent). With nine detectors and three
markets a sound detector would fail one such comparison in six runs of the suite with fresh
seeds; the seeds are fixed, so nothing is left to chance from run to run, but an unrelated change
of a kernel draws anew. So a mean beyond three errors is measured a second time on twice as many
other markets, and only what repeats on the same side fails.
"""

import numpy as np
import pytest
from markets import block_shuffled, coin_flipped, garch, random_walk

from opportunity.detectors import DETECTORS
from opportunity.market.bars import Bars
from opportunity.market.readers import read_bars

BUILT = [d for d in DETECTORS if not d.needs]
FIRST, SECOND = range(1, 25), range(101, 149)
N_BARS = 3_000
MOST_ERRORS = 3.0

built = pytest.mark.parametrize("kind", BUILT, ids=lambda d: d.name)


def lean(means: np.ndarray) -> float:
    """Mean over markets in standard errors of that mean."""
    return float(means.mean() / (means.std(ddof=1) / np.sqrt(means.size)))


def mean_scores(kind, market, seeds) -> np.ndarray:
    detector = kind()
    return np.array([np.nanmean(detector.detect(market(seed)).score) for seed in seeds])


def assert_leans_to_neither_side(kind, market) -> None:
    first = lean(mean_scores(kind, market, FIRST))
    if abs(first) <= MOST_ERRORS:
        return
    second = lean(mean_scores(kind, market, SECOND))
    assert first * second < 0 or abs(second) <= MOST_ERRORS, (
        f"mean score must be within {MOST_ERRORS} standard errors of 0, was {first:.1f} and, on "
        f"other markets, {second:.1f}"
    )


@built
def test_a_driftless_random_walk_is_scored_evenly(kind):
    assert_leans_to_neither_side(kind, lambda seed: random_walk(N_BARS, seed))


@built
def test_clusters_of_volatility_are_scored_evenly(kind):
    assert_leans_to_neither_side(kind, lambda seed: garch(N_BARS, seed))


@built
@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["BTC-USDT", "XRP-USDT"])
def test_block_shuffled_real_bars_are_scored_evenly(kind, symbol, market_data):
    bars = read_bars(market_data / "binance" / symbol / "1h.parquet")
    assert_leans_to_neither_side(kind, lambda seed: block_shuffled(bars, N_BARS, seed))


@built
@pytest.mark.realdata
def test_coin_flipped_real_bars_are_scored_evenly(kind, market_data):
    bars = read_bars(market_data / "binance" / "ETH-USDT" / "1h.parquet")
    parts = [bars[i * N_BARS // 2 :][:N_BARS] for i in range(40)]
    assert_leans_to_neither_side(kind, lambda seed: coin_flipped(parts[seed % 40], seed))


@built
def test_the_check_finds_a_detector_that_leans(kind):
    found = np.array([kind().detect(random_walk(N_BARS, seed)).score for seed in FIRST])
    usual = np.nanmean(np.abs(found))
    assert lean(np.nanmean(found, axis=1) + 0.5 * usual) > MOST_ERRORS


@pytest.mark.parametrize("market", [random_walk, garch], ids=lambda m: m.__name__)
def test_null_markets_are_sane_and_go_nowhere(market):
    assert market(500, 3).values.tobytes() == market(500, 3).values.tobytes()
    assert market(500, 3).values.tobytes() != market(500, 4).values.tobytes()
    ends = np.array([market(2_000, seed).close[-1] / 1000.0 - 1.0 for seed in range(200)])
    assert abs(lean(ends)) < MOST_ERRORS  # a martingale in price
    bars = market(20_000, 1)
    assert_sane(bars)
    up = bars.high - np.maximum(bars.open, bars.close)
    down = np.minimum(bars.open, bars.close) - bars.low
    assert np.mean(up) == pytest.approx(np.mean(down), rel=0.05)
    returns = np.diff(np.log(bars.close))
    assert returns.std() == pytest.approx(0.004, rel=0.15)
    assert abs(np.corrcoef(returns[1:], returns[:-1])[0, 1]) < 0.03
    clustered = np.corrcoef(np.abs(returns[1:]), np.abs(returns[:-1]))[0, 1]
    assert clustered > 0.1 if market is garch else abs(clustered) < 0.03


def test_block_shuffled_bars_keep_their_blocks_and_lose_their_order():
    bars = random_walk(2_401, 9)
    mixed = block_shuffled(bars, 2_400, 1)
    assert_sane(mixed)
    steps = np.diff(np.log(bars.close))
    there = np.diff(np.log(np.concatenate((bars.close[:1], mixed.close))))
    blocks = {tuple(np.round(b, 9)) for b in np.abs(steps).reshape(-1, 24)}
    assert {tuple(np.round(b, 9)) for b in np.abs(there).reshape(-1, 24)} == blocks
    sides = {tuple(np.round(b, 9)) for b in steps.reshape(-1, 24)}
    turned = [tuple(np.round(b, 9)) not in sides for b in there.reshape(-1, 24)]
    assert 25 < sum(turned) < 75  # of 100 blocks
    with pytest.raises(ValueError, match="n must be <= 2400 bars, was 2425"):
        block_shuffled(bars, 2_425, 1)


def test_coin_flipped_bars_keep_everything_but_their_side():
    bars = random_walk(1_000, 9)
    other = coin_flipped(bars, 1)
    assert_sane(other)
    spans = [np.log(b.high / b.low) for b in (bars, other)]
    np.testing.assert_allclose(spans[1], spans[0], rtol=0, atol=1e-12)
    steps = [np.diff(np.log(b.close)) for b in (bars, other)]
    np.testing.assert_allclose(np.abs(steps[1]), np.abs(steps[0]), rtol=0, atol=1e-12)
    assert 0.4 < np.mean(np.sign(steps[0]) != np.sign(steps[1])) < 0.6
    np.testing.assert_array_equal(other.volume, bars.volume)


def assert_sane(bars: Bars) -> None:
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.low > 0).all()
    assert (np.diff(bars.time) == 3_600_000).all()
