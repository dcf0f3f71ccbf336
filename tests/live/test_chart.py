import numpy as np
import pytest
from builders import random_bars

from opportunity.detectors import DETECTORS
from opportunity.live.chart import LEAD_BARS, chart_of
from opportunity.live.observers import Observers
from opportunity.market.bars import Bar, Bars
from opportunity.market.observations import Headline
from opportunity.scoring.ensemble import score
from opportunity.scoring.weights import Weights


@pytest.fixture(scope="module")
def bars() -> Bars:
    return random_bars(LEAD_BARS + 300, seed=11)


def test_shown_scores_are_those_of_the_whole_history(bars: Bars) -> None:
    weights = Weights(sar=0.5, price_action=0.0)
    chart, whole = chart_of(bars, weights, 300), score(bars, weights=weights)
    np.testing.assert_array_equal(chart.bars.time, bars.time[-300:])
    for name in ("final", "net", "confidence"):
        shown = getattr(chart, name)
        assert shown.shape == (300,)
        np.testing.assert_array_equal(shown, getattr(whole, name)[-300:], name)
    assert np.isfinite(chart.final).all()


def test_other_weights_give_other_scores(bars: Bars) -> None:
    one = chart_of(bars, Weights(sar=1.0), 50)
    other = chart_of(bars, Weights(sar=0.0), 50)
    assert (one.net != other.net).any()
    assert one.events == other.events


def test_events_are_all_those_of_the_shown_span_in_order(bars: Bars) -> None:
    chart = chart_of(bars, Weights(), 300)
    times = [e.time for e in chart.events]
    assert times == sorted(times)
    assert min(times) >= chart.bars.time[0]
    assert max(times) <= chart.bars.time[-1]
    everything = [e for d in DETECTORS for e in d().events(bars)]
    assert {(e.id, e.time, e.state) for e in chart.events} == {
        (e.id, e.time, e.state) for e in everything if e.time >= chart.bars.time[0]
    }
    assert len({e.detector for e in chart.events}) > 1


@pytest.mark.parametrize("n", [1, 99, 100, 101])
def test_short_history_is_shown_as_far_as_it_goes(bars: Bars, n: int) -> None:
    chart = chart_of(bars[:n], Weights(), 300)
    assert len(chart.bars) == len(chart.final) == n
    assert np.isfinite(chart.final).sum() == max(0, n - 99)


def test_no_history_is_an_empty_chart(bars: Bars) -> None:
    chart = chart_of(bars[:0], Weights(), 300)
    assert len(chart.bars) == len(chart.net) == 0
    assert chart.events == []
    assert chart.forming is None


def test_unfinished_bar_is_passed_on_and_never_scored(bars: Bars) -> None:
    running = Bar(int(bars.time[-1]) + 3_600_000, 1.0, 2.0, 0.5, 1.5, 3.0)
    with_it, without = chart_of(bars, Weights(), 10, running), chart_of(bars, Weights(), 10)
    assert with_it.forming == running
    np.testing.assert_array_equal(with_it.net, without.net)
    assert with_it.events == without.events


@pytest.mark.parametrize("n_bars", [0, -5])
def test_chart_of_nothing_is_refused(bars: Bars, n_bars: int) -> None:
    with pytest.raises(ValueError, match=f"n_bars must be >= 1, was {n_bars}"):
        chart_of(bars, Weights(), n_bars)


def test_headlines_are_those_known_while_the_shown_bars_were_open(bars: Bars) -> None:
    observers = Observers([d() for d in DETECTORS], (str(bars.symbol),))
    since, until = int(bars.time[-50]), int(bars.close_time[-1])
    observers.take([
        Headline(t, t, "test", f"Coin rallies {i}", "Desk", (str(bars.symbol),))
        for i, t in enumerate((since - 1, since, until - 1, until))
    ])
    shown = chart_of(bars, Weights(), 50, observers=observers).headlines
    assert [h.known_at for h in shown] == [since, until - 1]
    assert chart_of(bars, Weights(), 50).headlines == ()
