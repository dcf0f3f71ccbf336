from dataclasses import fields

import pytest

from opportunity.market.timeframe import HOUR_MS
from opportunity.trading.risk import UNLIMITED, RiskLimits, RiskRecord


def test_the_param_object_and_its_record_say_the_same():
    assert RiskLimits().record() == RiskRecord()
    assert {f.name for f in fields(RiskRecord)} == set(RiskLimits.param) - {"name"}
    assert RiskLimits(max_losses=0).as_dict() == RiskRecord(max_losses=0).as_dict()


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("max_positions", 0, "1..1000"), ("max_position", 0.0, "0.001..100"),
        ("max_leverage", 101, "0.001..100"), ("max_daily_loss", 0, "0.001..1"),
        ("max_drawdown", 1.1, "0.001..1"), ("max_losses", -1, "0..1000"),
        ("cooldown_h", -1, "0..8760"), ("max_volume", 1.5, "0..1"),
        ("max_volatility", -0.1, "0..1"), ("kelly", 2, "0..1"), ("payoff", 0.0, "0.1..10"),
        ("stale_bars", 1_001, "0..1000"),
        ("max_var95", 0.0, "0.001..1"), ("max_correlation", 1.5, "0..1"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_named(name, value, bounds):
    with pytest.raises(ValueError, match=f"{name} must be in {bounds}, was {value}"):
        RiskRecord(**{name: value})


def test_counts_are_whole_numbers():
    with pytest.raises(ValueError, match=r"max_positions must be a whole number, was 1.5"):
        RiskRecord(max_positions=1.5)
    with pytest.raises(ValueError, match=r"stale_bars must be a whole number, was 2.5"):
        RiskRecord(stale_bars=2.5)
    with pytest.raises(TypeError, match="max_losses must be a number, was None"):
        RiskRecord(max_losses=None)


def test_the_cool_down_in_ms():
    assert RiskRecord(cooldown_h=0.5).cooldown_ms == HOUR_MS // 2
    assert UNLIMITED.cooldown_ms == 0


def test_an_unknown_limit_gets_a_near_name():
    with pytest.raises(AttributeError, match=r"limit must be a known name.*'max_leverage'"):
        RiskLimits().max_levrage = 2.0


def test_unlimited_turns_everything_off():
    off = UNLIMITED.as_dict()
    assert [off[n] for n in ("max_volume", "max_volatility", "kelly", "stale_bars")] == [0] * 4
    assert (off["max_var95"], off["max_correlation"]) == (1.0, 1.0)
    for name in ("max_var95", "max_correlation"):
        assert "not enforced" in RiskLimits.param[name].doc


def test_limits_are_made_of_known_names_and_shown_short():
    with pytest.raises(TypeError, match=r"keyword of RiskLimits.*'max_leverage'"):
        RiskLimits(max_levrage=2.0)
    assert repr(RiskLimits(max_position=0.2)) == "RiskLimits(max_position=0.2)"
