import threading
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import param
import pytest
from builders import random_bars

from opportunity.detectors import DETECTORS, Whales
from opportunity.detectors.base import Detector
from opportunity.live.observers import PRINTS_MS, Observers
from opportunity.live.streams import Streams
from opportunity.market.asof import AsOf
from opportunity.market.observations import Funding, Headline
from opportunity.market.timeframe import HOUR_MS


class Rates:
    """Newest funding rate of each symbol."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.series = {s: AsOf(1) for s in symbols}
        self.forgotten = 0

    @property
    def connected(self) -> bool:
        return any(len(s) for s in self.series.values())

    def take(self, records) -> None:
        for record in records:
            if isinstance(record, Funding):
                self.series[record.symbol].append(record.available_at, [record.rate])

    def rows(self, symbols, opened, closed):
        series = list(self.series.values())
        return np.array([
            series[s].at(int(t))[0] for s, t in zip(symbols.tolist(), closed, strict=True)
        ]).reshape(len(closed), 1)

    def drain(self):
        return [Headline(1, 1, "x", "made", "")]

    def forget(self, before: int) -> None:
        self.forgotten = before


class Rate(Detector):
    """Reads funding. Source: these tests."""

    name = param.String("rate", constant=True, doc="Name.")
    needs, columns = MappingProxyType({Funding: 5 * HOUR_MS}), ("rate",)
    state_type = params_type = np.dtype([("n", "i8")])

    def _pack(self) -> np.ndarray:
        return np.zeros(1, self.params_type)

    def new_inputs(self, symbols: tuple[str, ...]) -> Rates:
        return Rates(symbols)


SYMBOLS = ("A/USDT", "B/USDT", "C/USDT")


def observers() -> Observers:
    return Observers([DETECTORS[3](), Rate()], SYMBOLS)


def funding(at: int, symbol: str, rate: float) -> Funding:
    return Funding(at, at, "x", symbol, rate)


def test_needs_are_those_of_the_detectors():
    assert observers().needs == {Funding: 5 * HOUR_MS}


def test_a_detector_exists_once_it_has_what_it_reads():
    known = observers()
    assert known.exists.tolist() == [True, False]
    known.take([Headline(1, 1, "x", "t", "p")])
    assert known.exists.tolist() == [True, False]
    known.take([funding(1, "A/USDT", 1.0)])
    assert known.exists.tolist() == [True, True]


def test_rows_are_those_known_at_the_closes():
    known = observers()
    opened = HOUR_MS * np.array([[0, 1, 2], [0, 1, 2]])
    assert np.isnan(known.rows(1, np.array([0, 2]), "1h", opened)).all()
    known.take([funding(2 * HOUR_MS, "C/USDT", 5.0), funding(2 * HOUR_MS + 1, "A/USDT", 7.0)])
    rows = known.rows(1, np.array([0, 2]), "1h", opened)
    np.testing.assert_array_equal(rows[:, :, 0], [[np.nan, np.nan, 7], [np.nan, 5, 5]])
    assert known.rows(0, np.array([0, 2]), "1h", opened).shape == (2, 3, 0)


def test_view_shows_some_symbols_in_their_own_order():
    known = observers()
    known.take([funding(1, s, float(i)) for i, s in enumerate(SYMBOLS)])
    part = known.view(["C/USDT", "A/USDT"], threading.Lock())
    rows = part.rows(1, np.array([0, 1]), "1h", np.zeros((2, 1), np.int64))
    assert rows.ravel().tolist() == [2.0, 0.0]
    known.take([funding(2, "C/USDT", 9.0)])
    again = part.view(["A/USDT", "C/USDT"])
    assert again.rows(1, np.array([1]), "1h", np.zeros((1, 1), np.int64)).ravel() == [9.0]
    with pytest.raises(KeyError):
        known.view(["D/USDT"])


def test_view_waits_for_who_holds_the_lock():
    known, lock = observers(), threading.Lock()
    known.take([funding(1, "A/USDT", 1.0)])
    part = known.view(["A/USDT"], lock)
    done = threading.Event()
    with lock:
        reader = threading.Thread(
            target=lambda: (part.rows(1, np.array([0]), "1h", np.zeros((1, 1), np.int64)),
                            done.set())
        )
        reader.start()
        assert not done.wait(0.05)
    reader.join(5)
    assert done.is_set()


def test_observed_rows_go_with_the_bars():
    known = observers()
    bars = random_bars(5).label(symbol="B/USDT")
    known.take([funding(int(bars.close_time[2]), "B/USDT", 3.0)])
    assert list(known.observed(bars)) == ["rate"]
    rows, connected = known.observed(bars)["rate"]
    assert connected
    np.testing.assert_array_equal(rows[:, 0], [np.nan, np.nan, 3, 3, 3])


def test_drained_records_are_those_that_inputs_made():
    assert [r.title for r in observers().drain()] == ["made"]


def test_closes_are_answered_as_far_back_as_the_memory_goes():
    known = observers()
    known.forget(100 * HOUR_MS)
    assert known._inputs[1].forgotten == 95 * HOUR_MS


def test_a_short_memory_answers_as_far_back_as_a_longer_one_of_the_same_records():
    class Brief(Rate):
        """Reads funding for an hour. Source: these tests."""

        needs: ClassVar = {Funding: HOUR_MS}

    known = Observers([Brief(), Rate()], SYMBOLS)
    known.forget(100 * HOUR_MS)
    assert [i.forgotten for i in known._inputs] == [95 * HOUR_MS] * 2


def test_prints_are_kept_for_a_shorter_time():
    known = Observers([Whales()], SYMBOLS)
    before: list[int] = []
    known._inputs[0].forget = before.append
    known.forget(100 * HOUR_MS)
    assert before == [100 * HOUR_MS - PRINTS_MS]


def test_streams_ask_their_observers(monkeypatch):
    asked = []
    monkeypatch.setattr(
        Observers, "rows",
        lambda self, i, symbols, timeframe, opened: asked.append((i, timeframe)) or np.empty(
            (*opened.shape, 0)),
    )
    bars = random_bars(3)
    streams = Streams(("A/USDT",), ("1h",), "1h", "simulated", detectors=[DETECTORS[3]()])
    streams.warm("1h", bars.time[None], bars.values[None])
    streams.close()
    assert set(asked) == {(0, "1h")}
