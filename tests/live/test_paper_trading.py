import pytest

from opportunity.live.paper_trading import CASH, DECISION_TIMEFRAME, PaperTrading
from opportunity.trading.costs import Sizing
from opportunity.trading.risk import RiskRecord
from opportunity.trading.setup import TradeSetup


def test_defaults_are_those_of_a_backtest() -> None:
    paper = PaperTrading()
    assert paper.setup() == TradeSetup()
    assert (paper.cash, paper.decision_timeframe) == (CASH, DECISION_TIMEFRAME)


def test_begins_with_a_setup_and_is_turned() -> None:
    setup = TradeSetup(sizing=Sizing.fixed(0.2), risk=RiskRecord(max_positions=2), cash=500.0)
    paper = PaperTrading.of(setup)
    assert paper.setup() == setup
    paper.risk.kelly = 0.0
    assert paper.setup().risk.kelly == 0.0


def test_what_does_not_fit_is_refused() -> None:
    paper = PaperTrading()
    paper.rules.stop_atr = 0.0
    with pytest.raises(ValueError, match="by risk"):
        paper.setup()
