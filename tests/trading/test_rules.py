from dataclasses import fields

import pytest

from opportunity.trading.rules import TradeRecord, TradeRules


def test_the_param_object_and_its_record_say_the_same():
    assert TradeRules().record() == TradeRecord()
    names = {f.name for f in fields(TradeRecord)}
    assert names == set(TradeRules.param) - {"name"}


def test_a_turned_rule_is_in_the_next_record():
    rules = TradeRules(min_score=0.7)
    rules.targets_r, rules.shares = [1, 2], [0.5, 0.5]
    rules.fill, rules.direction = "limit", "BEARISH"
    record = rules.record()
    assert (record.min_score, record.fill, record.direction) == (0.7, "limit", "BEARISH")
    assert record.targets_r == (1.0, 2.0)
    assert rules.as_dict()["shares"] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("min_score", 0.4, "min_score must be in 0.5..1, was 0.4"),
        ("min_confidence", 1.1, "min_confidence must be in 0..1, was 1.1"),
        ("min_trust", -1, "min_trust must be in 0..1, was -1"),
        ("max_disagreement", float("nan"), "max_disagreement must be in 0..1, was nan"),
        ("limit_atr", 11, "limit_atr must be in 0..10, was 11"),
        ("stop_atr", -0.1, "stop_atr must be in 0..20, was -0.1"),
        ("trail_atr", 51, "trail_atr must be in 0..50, was 51"),
        ("time_stop", -1, "time_stop must be in 0..100000, was -1"),
        ("time_stop", 1.5, "time_stop must be a whole number, was 1.5"),
        ("direction", "BULISH", "direction must be a known name, was 'BULISH'.*'BULLISH'"),
        ("fill", "opn", "fill must be a known name, was 'opn'.*'open'"),
        ("targets_r", (1, 2, 3, 4, 5), "targets_r must be at most 4, was 5"),
        ("targets_r", (1.0,), "shares must be one for each of the 1 targets, was 3"),
        ("targets_r", (2.0, 1.0, 3.0), "targets_r must ascend from above 0"),
        ("targets_r", (0.0, 1.0, 3.0), "targets_r must ascend from above 0"),
        ("targets_r", (1.0, 2.0, float("inf")), "targets_r must ascend from above 0"),
        ("shares", (0.5, 0.5, 0.5), "shares must be in .0, 1. and add up to at most 1"),
        ("shares", (0.0, 0.5, 0.5), "shares must be in .0, 1. and add up to at most 1"),
    ],
)
def test_what_breaks_a_rule_is_named(name, value, text):
    with pytest.raises(ValueError, match=text):
        TradeRecord(**{name: value})


def test_what_is_no_number_is_named():
    with pytest.raises(TypeError, match="min_score must be a number, was 'high'"):
        TradeRecord(min_score="high")


def test_the_last_target_takes_all_where_shares_add_up_to_one():
    assert TradeRecord().takes_all
    assert not TradeRecord(targets_r=(1.0,), shares=(0.5,)).takes_all
    assert not TradeRecord(targets_r=(), shares=()).takes_all


def test_rules_that_do_not_fit_each_other_are_found_when_they_are_read():
    rules = TradeRules(shares=[0.5])
    with pytest.raises(ValueError, match="shares must be one for each of the 3 targets, was 1"):
        rules.record()


def test_an_unknown_rule_gets_a_near_name():
    with pytest.raises(AttributeError, match=r"trade rule must be a known name.*'min_score'"):
        TradeRules().min_scor = 0.7


def test_rules_are_made_of_known_names_and_shown_short():
    with pytest.raises(TypeError, match=r"keyword of TradeRules.*'min_score'"):
        TradeRules(min_scor=0.7)
    assert repr(TradeRules(fill="close")) == "TradeRules(fill='close')"
