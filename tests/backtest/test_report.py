import re
from html.parser import HTMLParser

import numpy as np
from builders import random_bars
from ran import ABOUT, made

from opportunity.backtest.engine import backtest
from opportunity.backtest.report import MOST_TRADES, _percent, report
from opportunity.trading.records import TRADE


class Seen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def looked(text):
    seen = Seen()
    seen.feed(text)
    return seen


def test_a_report_asks_nobody_for_anything():
    text = report(made(), ABOUT)
    seen = looked(text)
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(seen.tags)
    assert not {"src", "href", "onload", "onclick", "style"} & set(seen.attributes)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_text_of_others_is_escaped():
    text = report(made(), ABOUT)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;few&lt;/b&gt;" in text


def test_an_invented_market_is_stamped():
    assert "invented market" in report(made("simulated"), ABOUT)
    assert "invented market" not in report(made("binance"), ABOUT)


def test_the_picture_spans_time_and_equity():
    text = report(made(), ABOUT)
    line = re.search(r'<polyline class="equity" points="([^"]+)"', text)[1]
    points = [tuple(map(float, p.split(","))) for p in line.split()]
    assert [x for x, _ in points] == [0, 320, 640, 960]
    assert [y for _, y in points] == [130, 0, 260, 65]
    assert "1,020.00" in text
    assert "-3.92%" in text


def test_nothing_to_draw_is_said():
    result = made()
    result.time, result.equity = result.time[:1], result.equity[:1]
    assert "nothing to draw" in report(result, ABOUT)
    result.trades = result.trades[:0]
    assert '<p class="quiet">none</p>' in report(result, ABOUT)


def test_only_the_newest_trades_are_listed():
    result = made()
    result.trades = np.zeros(MOST_TRADES + 5, TRADE)
    result.trades["number"] = np.arange(MOST_TRADES + 5)
    text = report(result, ABOUT)
    assert f"the newest {MOST_TRADES} of {MOST_TRADES + 5}" in text
    assert text.count("<td>LONG</td>") + text.count("<td>SHORT</td>") == MOST_TRADES


def test_a_duration_is_not_a_second_drawdown():
    text = report(made(), ABOUT)
    assert text.count("<td>max drawdown</td>") == 1
    assert text.count("<td>longest below a peak</td>") == 1


def test_nothing_has_no_sign():
    assert _percent(-0.000001) == "0.00%"
    assert _percent(-0.0004, 1) == "0.0%"
    assert _percent(-0.02) == "-2.00%"


def test_holding_stands_beside_the_equity():
    bars = random_bars(300)
    run = backtest(bars, signal=np.ones(300))
    text = report(run, ABOUT)
    assert '<polyline class="held"' in text
    assert "dashed: bought and held" in text
    assert "dashed" not in report(made(), ABOUT)  # without bars there is nothing to hold
