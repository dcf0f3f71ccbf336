from pathlib import Path

from app.fetch.plan import Plan
from app.fetch.report import Result, lines_of, print_result
from opportunity.feeds.exchange.history.reports import Stream, StreamReport

HOUR = 3_600_000
START = 1_704_067_200_000
SPAN = (START, START + 100 * HOUR)


def result(*reports, **errors):
    plan = Plan(notes=["a note"], errors=errors)
    return Result("binance", "binance", Path("bars/binance"), SPAN, plan, list(reports), 2.0)


def report(**values):
    defaults = {"n_bars": 90, "n_new": 10, "first": START, "last": START + 99 * HOUR}
    return StreamReport(Stream("BTC/USDT", "1h"), SPAN, **(defaults | values))


def test_gaps_and_what_is_not_there_are_told():
    gaps = ((START + HOUR, START + 3 * HOUR), (START + 10 * HOUR, START + 18 * HOUR))
    lines = lines_of(result(report(missing=10, gaps=gaps)))
    assert lines[0] == "a note"
    assert lines[1] == (
        "BTC/USDT 1h: 10 bars missing (asked for twice): 2024-01-01T01:00Z to 2024-01-01T03:00Z, "
        "2024-01-01T10:00Z to 2024-01-01T18:00Z"
    )
    assert lines[-1] == "10 new bars in 2.0 s, 5 bars/s, kept in bars/binance"
    lines = lines_of(result(report(first=START + HOUR, last=START + 50 * HOUR)))
    assert lines[1:3] == [
        "BTC/USDT 1h: the exchange gives nothing before 2024-01-01T01:00Z",
        "BTC/USDT 1h: nothing after 2024-01-03T02:00Z: not traded since, or not yet there",
    ]
    lines = lines_of(result(report(n_bars=0, n_new=0, first=None, last=None)))
    assert lines[1] == "BTC/USDT 1h: the exchange has no bars in this span"


def test_errors_of_symbols_and_streams_are_one_list():
    found = result(report(error="away"), XXX="unknown")
    assert found.errors == {"XXX": "unknown", "BTC/USDT 1h": "away"}
    body = found.as_dict()
    assert body["errors"] == found.errors
    assert body["bars_new"] == 10
    assert body["streams"][0]["error"] == "away"


def test_table_errors_and_next_step(capsys):
    print_result(result(report(error="away\x1b[2J")), ["1h", "4h"])
    out, err = capsys.readouterr()
    assert "2024-01-05T03:00Z" in out
    assert "next: opportunity scan --data bars/binance --timeframes 1h,4h" in out
    assert err == "opportunity: BTC/USDT 1h: away\\x1b[2J\n"
