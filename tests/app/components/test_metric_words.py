from dataclasses import fields

import pytest

from app.components.language import catalogue
from app.components.metric_words import GROUPS, HEADLINE, label, meaning, meanings, written
from opportunity.backtest.metrics import Metrics

NAMES = [f.name for f in fields(Metrics)]


def test_every_metric_is_shown_once_and_means_something():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(NAMES)
    assert set(HEADLINE) <= set(NAMES)
    assert set(meanings()) == set(NAMES)
    assert all(len(meaning(name)) > 12 for name in NAMES)
    assert "Source: Sharpe" in meaning("sharpe")


def test_names_are_words():
    assert [label(n) for n in ("profit_factor", "avg_win", "var_95", "cagr")] == [
        "Profit factor", "Mean win", "VaR 95 %", "Growth a year",
    ]
    assert len({label(n) for n in NAMES}) == len(NAMES)


@pytest.mark.parametrize(("name", "value", "text"), [
    ("total_return", 0.1234, "+12.34 %"), ("total_return", -0.02, "\N{MINUS SIGN}2.00 %"),
    ("max_drawdown", 0.5, "50.00 %"), ("trades", 1_234, "1,234"),
    ("net_profit", -1_000.0, "\N{MINUS SIGN}1,000.00"), ("sharpe", 1.234, "1.23"),
    ("avg_trade_ms", 5_400_000.0, "1.5 h"), ("max_drawdown_ms", 864_000_000, "10.0 d"),
    ("funding", None, "\N{EN DASH}"), ("sqn", float("nan"), "\N{EN DASH}"),
])  # fmt: skip
def test_numbers_carry_their_unit(name, value, text):
    assert written(name, value) == text


@pytest.mark.parametrize("code", ["fa", "ar"])
def test_names_have_every_language(code):
    known = catalogue(code)
    assert [n for n in NAMES if label(n) not in known] == []
    assert [title for title in GROUPS if title not in known] == []
