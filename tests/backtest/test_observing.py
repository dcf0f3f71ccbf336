import numpy as np
import pytest
from builders import HOUR, START, random_bars
from observed import observations

from opportunity.backtest.observing import NEVER, know
from opportunity.detectors import DETECTORS
from opportunity.feeds.record_folder import FolderRecords
from opportunity.live.observers import Observers
from opportunity.market.bars import Bars
from opportunity.market.observations import FearGreed, Funding, Trades, by_availability

MOOD, NEWS, WHALES = 6, 7, 8


def all_detectors():
    return [d() for d in DETECTORS]


def bars(symbol: str = "TEST/USDT", n: int = 300) -> Bars:
    return random_bars(n).label(symbol=symbol)


def test_without_records_those_that_read_them_never_exist() -> None:
    known = know([bars()], all_detectors(), None)
    assert known.exists_from.tolist() == [0] * 6 + [NEVER] * 3
    assert not known.given
    assert all(known.rows(i, 0, bars().time, HOUR) is None for i in range(9))


def test_a_detector_exists_from_its_first_record_on() -> None:
    records = [
        Funding(START + 90 * HOUR, START + 90 * HOUR, "test", "OTHER/USDT", 1e-4),
        Funding(START + 120 * HOUR, START + 120 * HOUR, "test", "TEST/USDT", 1e-4),
        FearGreed(START + 100 * HOUR, START + 110 * HOUR, "test", 30),
    ]
    known = know([bars()], all_detectors(), records)
    assert known.exists_from[[MOOD, NEWS, WHALES]].tolist() == [START + 110 * HOUR, NEVER, NEVER]
    rows = known.rows(MOOD, 0, bars().time, HOUR)
    assert rows is not None
    there = np.isfinite(rows).any(axis=1)
    assert there.argmax() == 109  # the bar that closes then
    block = Trades("test", "TEST/USDT", START + HOUR * np.array([5, 9]), np.ones(2), np.ones(2),
                   np.ones(2, np.int8))  # fmt: skip
    assert know([bars()], all_detectors(), [block]).exists_from[WHALES] == START + 5 * HOUR


def test_rows_are_those_of_live_observers() -> None:
    given = [bars("TEST/USDT"), bars("ELSE/USDT", 200)]
    more = [r for r in observations(given[1], seed=9) if isinstance(r, Funding | Trades)]
    records = by_availability(observations(given[0]) + more)
    known = know(given, all_detectors(), iter(records[::-1]))
    live = Observers(all_detectors(), ("TEST/USDT", "ELSE/USDT"))
    live.take(records)
    np.testing.assert_array_equal(known.exists_from < NEVER, live.exists)
    for symbol, one in enumerate(given):
        for detector in (MOOD, NEWS, WHALES):
            mine = known.rows(detector, symbol, one.time, HOUR)
            theirs = live.rows(detector, np.array([symbol]), "1h", one.time[None])[0]
            np.testing.assert_array_equal(mine, theirs)


def test_a_folder_is_asked_for_all_symbols(tmp_path) -> None:
    for name, rate in (("TEST-USDT", 1e-4), ("ELSE-USDT", 2e-4)):
        folder = tmp_path / "binance" / name
        folder.mkdir(parents=True)
        (folder / "funding_rate.csv").write_text(
            f"time,available_at,funding_rate\n{START},{START + 50 * HOUR},{rate}\n"
        )
    given = [bars("ELSE/USDT"), bars("TEST/USDT")]
    known = know(given, all_detectors(), FolderRecords(tmp_path))
    assert known.exists_from[MOOD] == START + 50 * HOUR
    for symbol in range(2):
        rows = known.rows(MOOD, symbol, given[0].time, HOUR)
        assert rows is not None
        assert np.isfinite(rows[60]).any()


def test_what_are_no_records_is_refused() -> None:
    for bad in ({"sentiment": None}, [3], "records"):
        with pytest.raises(TypeError, match="observations must be records"):
            know([bars()], all_detectors(), bad)
    records = [FearGreed(START, START, "test", 30)]
    with pytest.raises(ValueError, match="must carry a symbol"):
        know([bars("")], all_detectors(), records)
