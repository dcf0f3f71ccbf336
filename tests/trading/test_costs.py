import pytest

from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import ALL_IN, BY_EQUITY, BY_NOTIONAL, BY_RISK


def test_half_the_spread_and_the_slippage_make_a_fill_worse():
    assert Costs(0.001, 0.002, 0.004).slip == 0.004
    assert Costs().slip == 0.001


@pytest.mark.parametrize("name", ["fee", "slippage", "spread"])
@pytest.mark.parametrize("value", [-0.001, 0.11, float("nan"), float("inf")])
def test_costs_out_of_range_are_named(name, value):
    with pytest.raises(
        ValueError, match=rf"{name} must be a fraction per side in 0..0.1, was {value}"
    ):
        Costs(**{name: value})


def test_costs_are_numbers():
    with pytest.raises(TypeError, match="fee must be a number, was '5 bps'"):
        Costs(fee="5 bps")


def test_kinds_of_size():
    made = [Sizing.risk(), Sizing.fixed(0.2), Sizing.notional(50), Sizing.all_in(whole_units=True)]
    assert [s.code for s in made] == [BY_RISK, BY_EQUITY, BY_NOTIONAL, ALL_IN]
    assert [s.amount for s in made] == [0.01, 0.2, 50, 1.0]
    assert [s.whole_units for s in made] == [False, False, False, True]


@pytest.mark.parametrize("value", [0, -1, 1.5, float("nan")])
@pytest.mark.parametrize("kind", ["risk", "equity"])
def test_fractions_are_fractions(kind, value):
    with pytest.raises(ValueError, match=rf"sizing by {kind} must be in \(0, 1\], was {value}"):
        Sizing(kind, value)


def test_an_amount_of_money_is_above_0():
    for value in (0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=f"by notional must be finite and > 0, was {value}"):
            Sizing.notional(value)
    assert Sizing.notional(1e9).amount == 1e9


def test_an_unknown_kind_gets_a_near_name():
    with pytest.raises(ValueError, match=r"sizing must be a known name, was 'rsk'.*'risk'"):
        Sizing("rsk")
    with pytest.raises(TypeError, match="amount of sizing by risk must be a number, was None"):
        Sizing("risk", None)
