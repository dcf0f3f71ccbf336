import json

import numpy as np
import pandas as pd
import pytest
from trading_cases import HOUR, MIDNIGHT, bars_of

import opportunity as op
from opportunity.trading.costs import Costs, Sizing

CALM = (100, 101, 99, 100)
ROWS = [CALM, CALM, (100, 112, 99, 110), (110, 111, 104, 105), CALM, CALM]


@pytest.fixture(scope="module")
def result():
    return op.backtest(
        bars_of(ROWS), signal=[1, 1, 0, -1, -1, 0], costs=Costs(0.001, 0.0),
        sizing=Sizing.notional(1_000, whole_units=True),
    )


def test_the_curve_by_tz_aware_close(result):
    frame = result.to_frame()
    assert list(frame.columns) == ["equity", "held", "drawdown"]
    assert str(frame.index.tz) == "UTC"
    assert frame.index[0] == pd.Timestamp(MIDNIGHT + HOUR, unit="ms", tz="UTC")
    assert len(result) == len(frame) == 6
    peak = np.maximum.accumulate(np.maximum(result.equity, 10_000.0))
    np.testing.assert_allclose(frame["drawdown"], 1 - result.equity / peak)
    assert frame["drawdown"].iloc[1] == pytest.approx(1e-4)  # the fee of the entry


def test_trades_as_a_frame(result):
    frame = result.trades_frame()
    assert frame["side"].tolist() == ["LONG", "SHORT"]
    assert frame["exit_reason"].tolist() == ["SIGNAL", "END_OF_TEST"]
    assert frame["quantity"].tolist() == [10.0, 10.0]
    # 10 units from 100 to 110 less 1 and 1.1; 10 units short at 100, back at 100, less 1 and 1.
    np.testing.assert_allclose(frame["profit"], [97.9, -2.0])
    assert frame["entry_ts"].iloc[0] == pd.Timestamp(MIDNIGHT + HOUR, unit="ms", tz="UTC")
    assert frame["fees"].sum() == pytest.approx(result.metrics.fees)


def test_fills_and_orders_as_frames(result):
    fills, orders = result.fills_frame(), result.orders_frame()
    assert len(fills) == 4
    assert str(fills["time"].dt.tz) == "UTC"
    assert orders["side"].tolist() == ["BUY", "SELL", "SELL"]
    assert orders["reason"].tolist() == ["ENTRY", "SIGNAL", "ENTRY"]
    assert orders["status"].tolist() == ["filled"] * 3
    assert result.refused() == {}


def test_what_was_refused_is_counted_by_limit():
    risk = op.RiskLimits(max_positions=1)
    names = ["A/USDT", "B/USDT", "C/USDT"]
    found = op.backtest(
        [bars_of(ROWS, n) for n in names], signal={n: [1] * 6 for n in names}, risk=risk,
        sizing=Sizing.notional(100),
    )
    assert found.refused() == {"max_positions": 10}  # B and C ask again at each of 5 closes
    assert found.trades["symbol"].tolist() == [0]


def test_funding_that_is_not_given_is_not_known(result):
    assert result.funding is None
    assert result.metrics.as_dict()["funding"] is None


def test_metrics_are_measured_once(result):
    assert result.metrics is result.metrics
    assert result.metrics.trades == 2
    assert result.metrics.final_equity == result.equity[-1]


def test_it_says_what_it_is(result):
    text = repr(result)
    assert text.startswith("<Backtest of A/USDT [simulated], 2020-09-13T01:00Z to ")
    assert "2 trades" in text
    assert "simulated" in result.warnings[0]
    assert "2 trades are too few" in result.warnings[-1]
    assert result.monthly.shape[0] == 1


@pytest.mark.parametrize("ending", ["html", "csv", "json", "parquet"])
def test_a_result_saves_itself(result, ending, tmp_path):
    path = result.save(tmp_path / f"run.{ending}")
    assert path.read_bytes() == result.export(ending)
    assert path.stat().st_size > 500


def test_what_is_saved_says_how_it_was_made(result, tmp_path):
    told = json.loads(result.save(str(tmp_path / "run.JSON")).read_bytes())
    assert told["capsule"]["result"] == result.capsule.result
    assert told["config"]["costs"]["fee"] == 0.001
    assert told["warnings"] == list(result.warnings)
    assert b"reference" in result.export("csv", "fills")


def test_other_endings_are_refused_and_nothing_is_written(result, tmp_path):
    for name in ("run.xlsx", "run"):
        with pytest.raises(ValueError, match="format must be a known name"):
            result.save(tmp_path / name)
    with pytest.raises(ValueError, match="table"):
        result.save(tmp_path / "run.csv", "tradez")
    assert not list(tmp_path.iterdir())
