import pytest

from app.fetch.progress import LINE_EVERY_S, Bars, Lines, Rate, duration, show
from opportunity.feeds.exchange.history.reports import Stream, StreamReport

ONE, TWO = Stream("BTC/USDT", "1m"), Stream("ETH/USDT", "1m")

EVEN = {ONE: 50, TWO: 50}


class Time:
    now = 100.0

    def __call__(self):
        return self.now


def test_rate_and_time_left():
    real = Time()
    rate = Rate(EVEN, real)
    assert rate.text() == "0%, 0 bars, 0 bars/s"
    rate.moved(ONE, 0.1, 1_000)
    real.now += 10
    rate.moved(ONE, 0.5, 4_000)
    assert rate.share == 0.25
    assert rate.bars_s == 500
    assert rate.left_s == pytest.approx(30)
    assert rate.text() == "25%, 5,000 bars, 500 bars/s, 30 s left"


def test_long_streams_count_for_more():
    rate = Rate({ONE: 6_000, TWO: 100}, Time())
    rate.moved(TWO, 1.0, 100)
    assert rate.share == pytest.approx(100 / 6_100)


def test_what_was_there_already_took_no_time():
    real = Time()
    rate = Rate(EVEN, real)
    rate.moved(TWO, 1.0, 0)
    rate.moved(ONE, 0.0, 0)
    real.now += 10
    rate.moved(ONE, 0.5, 1_000)
    assert rate.left_s == pytest.approx(10)


def test_lines_come_now_and_then_and_for_each_stream(capsys):
    real = Time()
    lines = Lines(EVEN, real)
    lines.moved(ONE, 0.1, 1_000)
    assert capsys.readouterr().err == ""
    real.now += LINE_EVERY_S
    lines.moved(ONE, 0.5, 4_000)
    assert capsys.readouterr().err == "0 of 2 streams, 25%, 5,000 bars, 500 bars/s, 30 s left\n"
    lines.waits(ONE, 200, "binance asked to wait\x1b[2J")
    lines.finished(StreamReport(ONE, (0, 1), n_new=5, n_bars=7, missing=2))
    lines.finished(StreamReport(TWO, (0, 1), error="gone"))
    assert capsys.readouterr().err.splitlines() == [
        "BTC/USDT 1m: binance asked to wait\\x1b[2J; waiting 3 min",
        "1 of 2: BTC/USDT 1m: 7 bars (5 new, 2 missing)",
        "2 of 2: ETH/USDT 1m: gone",
    ]
    assert lines.n_bars == 5_000


def test_bars_on_a_terminal_take_everything(capsys):
    with Bars(EVEN) as bars:
        bars.moved(ONE, 0.1, 1_000)
        bars.waits(ONE, 5, "[bold]limited")
        bars.waits(TWO, 5, "not begun")
        bars.finished(StreamReport(ONE, (0, 1), n_bars=7))
        bars.finished(StreamReport(TWO, (0, 1), error="[red]gone"))
    assert bars.n_bars == 1_000
    assert "ETH/USDT 1m: [red]gone" in capsys.readouterr().err


def test_pipe_gets_lines():
    assert isinstance(show(EVEN), Lines)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (600, "10 min"), (9_000, "2.5 h")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text
