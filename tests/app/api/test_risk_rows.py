import math

from portfolios import account_of, market

from app.api.risk_rows import assessment_of, block_of, status_of, tail_item, var_answer, word_of
from app.risk import TailView, View
from opportunity.risk.manager import RiskManager
from opportunity.risk.value_at_risk import Tail

HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}
MANAGER = RiskManager()


def view_of(account, returns):
    held = MANAGER.hold(account, returns)
    return View(
        account, held, MANAGER.assess(account, held), MANAGER.stress(held), MANAGER.tails(held)
    )


def test_gains_use_no_daily_risk():
    assert block_of(account_of(day_pnl_pct=0.5), MANAGER.limits).daily_risk_used == 0


def test_status_and_assessment_say_the_same():
    view = view_of(account_of(HELD), market())
    status, whole = status_of(view, MANAGER.limits, 0.01), assessment_of(view, MANAGER.limits)
    assert status.var95 == whole.var_analysis.var_95
    assert status.leverage == whole.concentration_analysis.leverage
    assert whole.var == whole.var_analysis.var_95_amount
    assert whole.liquidity_analysis.longest_hours is None  # no volume is known
    assert whole.concentration_analysis.clusters is not None


def test_lost_equity_has_no_fractions():
    view = view_of(account_of(HELD, equity=1e-9), market())
    lost = View(view.state, MANAGER.hold(account_of(HELD, equity=-5.0), market()), view.found,
                view.stressed, view.tails)  # fmt: skip
    assert status_of(lost, MANAGER.limits, None).leverage is None


def test_unknown_tails_are_null_with_their_note():
    item = tail_item("historical", Tail(math.nan, math.nan, "too few"), 10_000.0)
    assert (item.var, item.var_fraction, item.note) == (None, None, "too few")
    account = account_of({"GONE/USDT": 5.0})
    held = MANAGER.hold(account, None, missing={"GONE/USDT": "no bars"})
    tails = MANAGER.tails(held)
    answer = var_answer(TailView(account, held, tails, None, math.nan), 0.95, 1.0, "parametric")
    assert (answer.var, answer.component_var, answer.components, answer.shrinkage) == (
        None, None, [], None,
    )  # fmt: skip
    assert (answer.timeframe, answer.n_rows) == (None, 0)


def test_words_of_sides():
    assert (word_of(1), word_of(-1)) == ("BULLISH", "BEARISH")
