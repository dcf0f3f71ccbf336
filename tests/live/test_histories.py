import asyncio

import numpy as np
import pytest

from opportunity.errors import BarError, CoverageError
from opportunity.live.histories import N_BARS, load, memory_reader, wait_for
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms
from opportunity.scoring.drawdown import needed_bars


def flat(n, timeframe="1h", start=0):
    time = start + np.arange(n, dtype=np.int64) * length_ms(timeframe)
    return Bars(time, np.ones((n, 5)), timeframe)


def test_loading_reads_the_newest_bars_and_enough_for_the_drawdown():
    found = load(memory_reader({"A/USDT": flat(3_000)}), "test", ["A/USDT"], ("1h", "4h"), None)
    assert len(found.bars["A/USDT", "1h"]) == N_BARS
    assert len(found.bars["A/USDT", "4h"]) == 750
    assert len(found.daily["A/USDT"]) == needed_bars("1h")
    assert found.bars["A/USDT", "1h"].time[-1] == flat(3_000).time[-1]


def test_the_finest_timeframe_from_an_hour_on_gives_the_daily_figures():
    read = memory_reader({"A/USDT": [flat(40, "4h"), flat(7, "1d")]})
    assert load(read, "test", ["A/USDT"], ("1d",), None).daily["A/USDT"].timeframe == "4h"


def test_a_held_timeframe_is_preferred_to_a_resampled_one():
    one = flat(10, "4h")
    assert memory_reader({"A/USDT": [flat(400), one]})("A/USDT", "4h", None, 5).time[-1] == (
        one.time[-1]
    )


def test_nothing_by_that_time_is_an_error():
    found = load(memory_reader({"A/USDT": flat(10, start=10**9 * 3600)}), "test", ["A/USDT"],
                 ("1h", "4h"), 0)
    assert found.errors == {"A/USDT": "no closed bar by the time of the scan"}
    assert found.bars == {}


@pytest.mark.parametrize("kind", [CoverageError, BarError, ValueError, PermissionError])
def test_every_reader_error_is_kept_and_nothing_is_raised(kind):
    def read(symbol, timeframe, end, n):
        if symbol == "BAD/USDT":
            raise kind("unreadable")
        return flat(5, timeframe)

    found = load(read, "test", ["BAD/USDT", "A/USDT"], ("1h",), None)
    assert found.errors == {"BAD/USDT": "unreadable"}
    assert set(found.bars) == {("A/USDT", "1h")}


async def answer(value):
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


def test_waiting_without_a_loop():
    assert wait_for(answer(3)) == 3


async def test_waiting_inside_a_loop():
    assert wait_for(answer(3)) == 3
    with pytest.raises(ValueError, match="told"):
        wait_for(answer(ValueError("told")))
