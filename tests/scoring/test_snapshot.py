from dataclasses import replace

import numpy as np
import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.trust import N_FACTORS, PRICE, Faults
from opportunity.scoring.snapshot import MarketSnapshot

HOUR = 3_600_000
NOW = 1_000 * HOUR


def market(symbols=("A/USDT", "B/USDT", "C/USDT"), timeframes=("1h", "4h")):
    n, f = len(symbols), len(timeframes)
    values = np.arange(n * f, dtype=float).reshape(n, f)
    return MarketSnapshot(
        version=1, time=NOW, source="test", symbols=tuple(symbols), timeframes=tuple(timeframes),
        scores=np.repeat(values[..., None], len(DETECTOR_NAMES), axis=2),
        confidences=np.ones((n, f, len(DETECTOR_NAMES))),
        trend=np.zeros((n, f), np.int8), volatility=values, atr=values,
        closed=np.full((n, f), NOW), price=np.arange(n, dtype=float), change_24h=np.zeros(n),
        volume_24h=np.zeros(n), drawdown_rank=np.zeros(n), flagged=np.zeros((n, f), np.bool_),
        patterns=tuple((s,) for s in symbols),
    )


def test_take_picks_and_orders():
    part = market().take(["C/USDT", "A/USDT"], ["4h"])
    assert (part.symbols, part.timeframes) == (("C/USDT", "A/USDT"), ("4h",))
    assert part.volatility.tolist() == [[5.0], [1.0]]
    assert part.scores.shape == (2, 1, 9)
    assert part.price.tolist() == [2.0, 0.0]
    assert part.patterns == (("C/USDT",), ("A/USDT",))


def test_take_nothing_in_particular_is_the_same():
    snapshot = market()
    assert snapshot.take() is snapshot
    assert snapshot.take(symbols=[]).scores.shape == (0, 2, 9)


@pytest.mark.parametrize(
    ("symbols", "timeframes", "message"),
    [
        (["A/USDC"], None, "symbol of the snapshot must be a known name, was 'A/USDC'. Did you"),
        (None, ["1d"], "timeframe of the snapshot must be a known name, was '1d'"),
        (None, ["1x"], "timeframe must be a known name, was '1x'"),
    ],
)
def test_take_names_what_is_not_there(symbols, timeframes, message):
    with pytest.raises(ValueError, match="must be a known name") as caught:
        market().take(symbols, timeframes)
    assert str(caught.value).startswith(message)


def test_figures_of_another_snapshot_win_where_it_knows_them():
    part = market().take(["C/USDT", "A/USDT"])
    newer = replace(market(), price=np.array([7.0, 8.0, 9.0]),
                    drawdown_rank=np.array([0.5, 0.5, np.nan]))
    both = part.with_figures(newer)
    assert both.symbols == part.symbols
    assert both.price.tolist() == [9.0, 7.0]
    assert both.drawdown_rank.tolist() == [0.0, 0.5]
    assert both.scores is part.scores
    with pytest.raises(ValueError, match="must be a known name"):
        part.with_figures(newer.take(["A/USDT"]))


def test_streams_more_than_two_bars_old_are_stale():
    closed = np.array([[NOW, NOW], [NOW - 2 * HOUR, NOW - 8 * HOUR],
                       [NOW - 2 * HOUR - 1, NOW - 8 * HOUR - 1]])
    stale = replace(market(), closed=closed).stale()
    assert stale.tolist() == [[False, False], [False, False], [True, True]]
    assert not replace(market(), closed=np.zeros((3, 2), np.int64)).stale().any()


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"atr must be of shape \(3, 2\), was \(2, 3\)"):
        replace(market(), atr=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="patterns must hold 3 tuples, was 1"):
        replace(market(), patterns=((),))


def test_arrays_are_listed_by_name():
    assert {"scores", "trend", "closed", "price", "flagged"} <= set(market().arrays())


def test_ict_is_unknown_unless_given_and_goes_with_its_streams():
    assert np.isnan(market().ict).all()
    given = replace(market(), ict=np.arange(6.0).reshape(3, 2) / 10)
    assert given.take(["C/USDT"], ["4h"]).ict.tolist() == [[0.5]]
    old = replace(given, closed=np.array([[NOW, NOW], [NOW, NOW - 9 * HOUR], [NOW, NOW]]))
    np.testing.assert_array_equal(old.fresh().ict, [[0.0, 0.1], [0.2, np.nan], [0.4, 0.5]])
    with pytest.raises(ValueError, match="ict must be of shape"):
        replace(market(), ict=np.zeros((2, 2)))


def test_data_are_trusted_unless_something_is_wrong():
    assert (market().trust == 1).all()
    assert not market().distrust.any()
    facts = np.zeros((3, 2, N_FACTORS))
    facts[1, 0, PRICE] = 1
    doubted = replace(market(), distrust=facts, trust=np.empty((0, 0)))
    assert doubted.trust.tolist() == [[1, 1], [0, 1], [1, 1]]
    part = doubted.take(["B/USDT"], ["4h", "1h"])
    assert part.trust.tolist() == [[1, 0]]
    assert part.distrust.tolist() == facts[1:2, ::-1].tolist()
    with pytest.raises(ValueError, match="trust must be of shape"):
        replace(market(), trust=np.ones((2, 3)))


def test_as_of_a_time_streams_are_overdue():
    old = market().as_of(NOW + 5 * HOUR // 2)
    assert old.time == NOW + 5 * HOUR // 2
    assert old.trust[0].tolist() == [0.5, 1.0]
    assert (old.as_of(None).trust == 1).all()
    assert old.as_of(None).time == old.time


def test_faults_of_a_feed_are_added_to_what_is_known():
    none, no = np.zeros(3), np.zeros(3, np.bool_)
    faults = Faults(none, none, no, np.array([0, 0.1, 0]), none, no, np.array([True, False, False]))
    doubted = market().as_of(NOW + 5 * HOUR // 2).blamed(faults, "1m")
    assert doubted.trust.tolist() == [[0, 0], [0.25, 0.5], [0.5, 1]]
    assert (market().trust == 1).all()
