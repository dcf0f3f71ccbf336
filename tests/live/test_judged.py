from opportunity.live import trader
from opportunity.live.judged import Judged


def test_is_the_one_that_traders_take() -> None:
    assert trader.Judged is Judged
    assert Judged._fields == ("evaluation", "config", "faults")
