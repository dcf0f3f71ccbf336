"""Objects in a notebook: small, escaped, without script, and honest about invented prices."""

import re

import numpy as np
import pytest
from builders import random_bars
from hypothesis import given
from hypothesis import strategies as st

import opportunity as op
from opportunity.display import INVENTED, MOST_POINTS, bar_rows, card, line, table

EVIL = "<script>alert('x')</script>\"><img src=x>"


def simulated():
    return random_bars(600, seed=3).label(source="simulated", symbol="BTC/USDT")


def backtested():
    bars = simulated()
    return op.backtest(bars, signal=np.sign(np.sin(np.arange(len(bars)))))


MADE = {"bars": simulated, "scores": lambda: op.score(simulated()), "backtest": backtested}


@pytest.mark.parametrize("name", MADE)
def test_each_is_small_plain_and_stamped(name) -> None:
    text = MADE[name]()._repr_html_()
    assert len(text) < 30_000
    assert not re.search(r"<script|https?:|javascript:", text)
    assert INVENTED in text


def test_weights_tell_their_shares() -> None:
    text = op.Weights(smc=0.4)._repr_html_()
    assert "0.4 · 33.3%" in text
    assert INVENTED not in text


def test_what_comes_from_outside_is_text() -> None:
    text = card(EVIL, EVIL, [(EVIL, EVIL)], table([EVIL], [[EVIL]]), [EVIL])
    text += bar_rows([(EVIL, 1.0, EVIL)]) + line([1, 2], EVIL)
    assert "<script" not in text
    assert "<img" not in text
    assert '"><' not in text.replace("'><", "")


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2_000))
def test_a_line_stays_in_its_box_and_keeps_the_extremes(values) -> None:
    text = line(values, "x")
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.-]+)", text)]
    assert len(heights) <= MOST_POINTS
    assert all(0 <= y <= 72 for y in heights)
    if max(values) > min(values):
        assert (min(heights), max(heights)) == (4.0, 68.0)


def test_gaps_and_too_little_draw_nothing() -> None:
    assert line([1.0], "x") == ""
    assert line([np.nan, np.nan], "x") == ""
    assert line([1.0, 2.0, np.nan, 3.0, 4.0], "x").count("M") == 2
    assert line(np.r_[np.full(1_000, np.nan), np.arange(1_000.0)], "x").count("M") == 1


def test_bars_begin_in_the_middle_only_where_some_are_negative() -> None:
    assert "left:0.0%" in bar_rows([("a", 1.0, "1"), ("b", 0.5, "2")])
    both = bar_rows([("a", 1.0, "1"), ("b", -0.5, "2"), ("c", np.nan, "no data")])
    assert "left:50.0%;width:50.0%" in both
    assert "left:25.0%;width:25.0%" in both
    assert both.count("width:0.0%") == 1


def test_a_scan_shows_its_best() -> None:
    bars = {f"{i}/USDT": random_bars(400, seed=i).label(symbol=f"{i}/USDT") for i in range(2)}
    text = op.scan(bars, timeframes=["1h"])._repr_html_()
    assert "of 2 symbols ranked" in text
