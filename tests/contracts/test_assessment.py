import math

import pytest
from pydantic import ValidationError

from opportunity.contracts.assessment import (
    AlertItem,
    LiquidityAnalysis,
    PortfolioAssessment,
    StressItem,
)


def test_what_is_not_known_is_null():
    item = StressItem(name="a", assumes="b", pnl=math.nan, fraction=math.nan, worst="", note="c")
    assert (item.pnl, item.fraction) == (None, None)
    hours = LiquidityAnalysis(share=0.01, longest_hours=math.inf, hours={"A/USDT": math.nan})
    assert (hours.longest_hours, hours.hours) == (None, {"A/USDT": None})


def test_severities_are_known_ones():
    with pytest.raises(ValidationError):
        AlertItem(code="X", severity="LOW", message="", value=None, limit=None)


def test_both_shapes_are_there():
    assert {
        "assessment_time", "overall_risk_score", "risk_level", "portfolio_value", "var_analysis",
        "concentration_analysis", "correlation_analysis", "drawdown_analysis",
        "liquidity_analysis", "alerts", "recommendations", "total_pnl", "pnl_pct", "drawdown",
        "var", "risk_checks", "overall_risk",
    } <= set(PortfolioAssessment.model_fields)  # fmt: skip
