from dataclasses import replace

from trading_cases import bars_of

import opportunity as op
from opportunity.backtest.summary import summary

CALM = (100, 101, 99, 100)


def made():
    return op.backtest(bars_of([CALM] * 5, "<b>/USDT"), signal=[1, 1, 0, 0, 0])


def test_a_notebook_shows_metrics_warnings_and_the_stamp():
    text = made()._repr_html_()
    idle = op.backtest(bars_of([CALM] * 5), signal=[0] * 5)._repr_html_()
    assert "Won</div><b>undefined</b>" in idle  # share of no trades
    assert text == summary(made())
    assert "An invented market" in text
    assert "Trades</div><b>1</b>" in text
    assert "1 trade is too few to judge by" in text
    assert "invented" not in summary(replace(made(), source="binance"))


def test_names_are_text():
    text = summary(replace(made(), warnings=("<script>",), source="<i>"))
    assert "<script>" not in text
    assert "<b>/USDT" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;" in text
