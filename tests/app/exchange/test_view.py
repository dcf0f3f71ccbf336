import numpy as np
import pytest

from app.exchange.core import Core
from app.exchange.view import Change, fold
from opportunity.market.timeframe import open_ms

MINUTE = 60_000


def test_last_row_is_the_open_bar(core: Core, real: list[float]) -> None:
    real[0] += 150
    now = core.advance()
    rows = core.view.klines(0, "1m", now, None, None, 3)
    assert [r.time for r in rows] == [open_ms(now, "1m") + k * MINUTE for k in (-2, -1, 0)]
    assert rows[-1].values == core.view.forming(0, now)
    assert rows[-1].close_time == rows[-1].time + MINUTE - 1


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d", "1w"])
def test_open_bar_is_the_fold_of_what_has_come(
    core: Core, real: list[float], timeframe: str
) -> None:
    for _ in range(5):
        real[0] += 61
        now = core.advance()
        opened = open_ms(now, timeframe)
        until = open_ms(now, "1m")
        times = np.arange(opened, until, MINUTE, dtype=np.int64)
        parts = [tuple(r) for r in core.market.market.bars(np.array([0]), "1m", times)[0].tolist()]
        forming = core.view.forming(0, now)
        parts += [forming] if forming else []
        assert core.view.klines(0, timeframe, now, None, None, 1)[0].values == fold(parts)


def test_span_of_a_question(core: Core) -> None:
    now = core.advance()
    since, until = now - 10 * MINUTE, now - 5 * MINUTE
    rows = core.view.klines(0, "1m", now, since, until, 1_000)
    assert [r.time for r in rows] == list(range(since, until + 1, MINUTE))
    assert core.view.klines(0, "1m", now, now + MINUTE, None, 10) == []
    assert len(core.view.klines(0, "1m", now, None, until, 4)) == 4
    assert core.view.klines(0, "1m", now, None, until, 4)[-1].time == until


def test_corrected_minute_is_in_longer_bars(core: Core, real: list[float]) -> None:
    real[0] += 600
    now = core.advance()
    opened = open_ms(now, "5m") - 300_000
    before = core.view.klines(1, "5m", now, opened, opened, 1)[0].values
    core.view.changes[1][opened + MINUTE] = Change(then=(1.0, 1e6, 0.5, 2.0, 9.0))
    core.view.touch(1)
    after = core.view.klines(1, "5m", now, opened, opened, 1)[0].values
    assert (after[1], after[2]) == (1e6, 0.5)
    assert (after[0], after[3]) == (before[0], before[3])
    core.view.changes[1][opened + MINUTE] = Change(missing=frozenset({"rest", "stream"}))
    without = core.view.klines(1, "5m", now, opened, opened, 1)[0].values
    assert without[4] < before[4]


def test_stream_keeps_a_nudged_close_within_its_range() -> None:
    o, h, low, c, v = Change(nudge=1.1).streamed((10.0, 10.5, 9.5, 10.0, 4.0))
    assert (o, low, v) == (10.0, 9.5, 4.0)
    assert h == c == pytest.approx(11.0)


def test_day_sums_hours_and_what_came_since(core: Core, real: list[float]) -> None:
    real[0] += 1_234
    now = core.advance()
    day = core.view.day(0, now)
    since = now // 3_600_000 * 3_600_000 - 86_400_000
    rows = core.view.klines(0, "1m", now, since, None, 1_000) + core.view.klines(
        0, "1m", now, since + 1_000 * MINUTE, None, 1_000
    )
    assert day.last == rows[-1].values[3]
    assert day.open == rows[0].values[0]
    assert day.high == max(r.values[1] for r in rows)
    assert day.volume == pytest.approx(sum(r.values[4] for r in rows))


def test_fold_of_nothing_is_nothing() -> None:
    assert fold([]) is None
