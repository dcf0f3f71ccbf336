import io

import pytest
from rich.table import Table

from app.research import tables


@pytest.mark.parametrize(("n", "text"), [(0, "0 trials"), (1, "1 trial"), (1_200, "1,200 trials")])
def test_one_trial_is_not_several(n, text):
    assert tables.trials(n) == f"{text} on this data so far"


def test_nothing_has_no_sign():
    assert tables.percent(-0.00001) == "0.00%"
    assert tables.percent(-0.1) == "-10.00%"
    assert tables.number("max_drawdown", -0.0) == "0.00%"


def test_trades_are_whole_numbers():
    assert tables.number("trades", 18.0) == "18"


def test_weights_are_short_and_largest_first():
    weights = {"harmonic": 0.1, "smc": 0.3, "sar": 0.0, "price_action": 0.6, "news": 0.001}
    assert tables.short_weights(weights) == "price .60 smc .30 harm .10"
    assert tables.short_weights({"sar": 1.0}) == "sar 1.00"


@pytest.mark.parametrize(("columns", "width"), [("80", 80), ("", tables.PIPED)])
def test_a_pipe_has_the_width_that_is_named(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    console = tables.console()
    assert console.width == width
    console.file = io.StringIO()
    table = Table(*["x" * 30] * 5)
    console.print(table)
    assert max(map(len, console.file.getvalue().splitlines())) <= width
