"""One position, by hand: every price and every cent was worked out on paper."""

from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR
from trading_cases import MIDNIGHT, PLAIN, THIRDS, flip, prices, setup_of, trade

from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import REASONS

CALM = (100, 101, 99, 100)
SIDES = pytest.mark.parametrize("side", [1, -1])


def both(side, rows):
    """The rows for a long, and mirrored about 100 for a short."""
    return rows if side > 0 else flip(rows)


def at(side, price):
    return price if side > 0 else 200 - price


@SIDES
def test_an_entry_fills_at_the_next_open_and_risks_what_was_asked(side):
    ran = trade(both(side, [CALM, (102, 103, 101, 102), CALM]), (0, side))
    assert prices(ran) == [("ENTRY", side, 10.0, at(side, 102)), ("END_OF_TEST", -side, 10.0, 100)]
    assert ran.fills["time"].tolist() == [MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR]
    np.testing.assert_array_equal(ran.equity, [10_000.0, 10_000.0, 9_980.0])
    np.testing.assert_array_equal(ran.held, [0.0, 10 * at(side, 102), 0.0])


@SIDES
def test_a_gap_through_the_stop_fills_at_the_open(side):
    rows = both(side, [CALM, (100, 105, 98, 104), (85, 88, 80, 86), CALM])
    ran = trade(rows, (0, side))
    assert prices(ran)[1] == ("SL", -side, 10.0, at(side, 85))
    assert ran.fills["time"][1] == MIDNIGHT + 2 * HOUR  # the open, not the close
    trade_ = ran.trades[0]
    assert trade_["pnl"] == -150.0
    assert trade_["r"] == -1.5
    assert (trade_["mae"], trade_["mfe"]) == (1.5, 0.5)
    assert ran.equity[-1] == 9_850.0


@SIDES
@pytest.mark.parametrize("low", [90, 89, 20])
def test_a_stop_that_is_touched_fills_at_its_price(side, low):
    ran = trade(both(side, [CALM, (100, 101, low, 95), CALM]), (0, side))
    assert prices(ran)[1] == ("SL", -side, 10.0, at(side, 90))
    assert ran.fills["time"][1] == MIDNIGHT + 2 * HOUR  # known when the bar has closed
    assert ran.trades["r"].tolist() == [-1.0]


@SIDES
def test_the_stop_comes_before_a_target_of_the_same_bar(side):
    rules = replace(PLAIN, targets_r=(1.0,), shares=(1.0,))
    rows = both(side, [CALM, CALM, (100, 115, 89, 112), CALM])
    assert prices(trade(rows, (0, side), setup=setup_of(rules)))[1:] == [
        ("SL", -side, 10.0, at(side, 90))
    ]


@SIDES
def test_an_open_beyond_a_target_fills_at_the_open_before_the_stop_is_asked(side):
    rules = replace(PLAIN, targets_r=(1.0,), shares=(1.0,))
    rows = both(side, [CALM, CALM, (113, 120, 80, 85), CALM])
    ran = trade(rows, (0, side), setup=setup_of(rules))
    assert prices(ran)[1:] == [("TP", -side, 10.0, at(side, 113))]
    assert ran.fills["time"][1] == MIDNIGHT + 2 * HOUR
    assert ran.trades["pnl"].tolist() == [130.0]


@SIDES
def test_thirds_at_one_two_and_three_r(side):
    rows = both(side, [
        CALM, (100, 112, 98, 111), (111, 119, 105, 118), (118, 125, 110, 121),
        (121, 131, 120, 130), CALM,
    ])  # fmt: skip
    ran = trade(rows, (0, side), setup=setup_of(THIRDS))
    third = 10 / 3
    assert [p[0] for p in prices(ran)] == ["ENTRY", "TP", "TP", "TP"]
    np.testing.assert_allclose([p[2] for p in prices(ran)[1:]], third, rtol=1e-15)
    assert [p[3] for p in prices(ran)[1:]] == [at(side, p) for p in (110, 120, 130)]
    assert ran.fills["time"][1:].tolist() == [MIDNIGHT + h * HOUR for h in (2, 4, 5)]
    [done] = ran.trades
    assert done["pnl"] == pytest.approx(200.0, abs=1e-9)  # 33.33 + 66.67 + 100
    assert done["exit"] == pytest.approx(at(side, 120))
    assert done["r"] == pytest.approx(2.0)
    assert (done["mae"], done["mfe"], done["n_fills"]) == (0.2, 3.0, 4)
    assert ran.equity[-1] == pytest.approx(10_200.0)


@SIDES
def test_a_jump_passes_several_targets_at_once(side):
    rows = both(side, [CALM, CALM, (122, 131, 121, 130), CALM])
    ran = trade(rows, (0, side), setup=setup_of(THIRDS))
    assert [p[3] for p in prices(ran)[1:]] == [at(side, p) for p in (122, 122, 130)]
    assert ran.trades["pnl"][0] == pytest.approx((22 + 22 + 30) * 10 / 3)


@SIDES
def test_what_targets_leave_goes_by_the_stop(side):
    rows = both(side, [CALM, (100, 112, 98, 111), (111, 112, 89, 90), CALM])
    ran = trade(rows, (0, side), setup=setup_of(THIRDS))
    assert [(p[0], p[3]) for p in prices(ran)[1:]] == [("TP", at(side, 110)), ("SL", at(side, 90))]
    assert ran.trades["pnl"][0] == pytest.approx(10 / 3 * 10 - 20 / 3 * 10)
    assert REASONS[ran.trades["reason"][0]] == "SL"


@SIDES
def test_targets_that_close_a_part_only_leave_the_rest(side):
    rules = replace(PLAIN, targets_r=(1.0, 2.0), shares=(0.25, 0.25))
    rows = both(side, [CALM, (100, 150, 98, 148), (148, 160, 140, 150)])
    ran = trade(rows, (0, side), setup=setup_of(rules))
    assert prices(ran)[1:] == [
        ("TP", -side, 2.5, at(side, 110)), ("TP", -side, 2.5, at(side, 120)),
        ("END_OF_TEST", -side, 5.0, at(side, 150)),
    ]  # fmt: skip


@SIDES
def test_whole_units_leave_what_does_not_divide_to_the_last_target(side):
    rows = both(side, [CALM, (100, 135, 98, 131), CALM])
    ran = trade(rows, (0, side), setup=setup_of(THIRDS, sizing=Sizing.risk(0.01, True)))
    assert [p[2] for p in prices(ran)] == [10.0, 3.0, 3.0, 4.0]
    small = trade(rows, (0, side), setup=setup_of(THIRDS, sizing=Sizing.risk(0.0025, True)))
    assert [p[2] for p in prices(small)] == [2.0, 2.0]  # a third of two units is no unit
    assert prices(small)[1][3] == at(side, 130)


@SIDES
def test_a_bar_that_opens_on_the_stop_or_a_target_counts(side):
    stop = trade(both(side, [CALM, CALM, (90, 91, 90, 91), CALM]), (0, side))
    assert prices(stop)[1] == ("SL", -side, 10.0, at(side, 90))
    assert stop.fills["time"][1] == MIDNIGHT + 2 * HOUR
    rules = replace(PLAIN, targets_r=(1.0,), shares=(1.0,))
    target = trade(
        both(side, [CALM, CALM, (110, 110, 109, 110), CALM]), (0, side), setup=setup_of(rules)
    )
    assert prices(target)[1] == ("TP", -side, 10.0, at(side, 110))


def test_fee_slippage_and_spread_of_a_long():
    setup = setup_of(costs=Costs(0.001, 0.002, 0.004), sizing=Sizing.notional(1_000, True))
    rows = [CALM, CALM, (110, 111, 109, 110), CALM]
    ran = trade(rows, (0, 1), (1, 0), setup=setup, target=True)
    # Half the spread and the slippage, 0.4 %, make 100 into 100.4 and 110 into 109.56.
    assert prices(ran) == [("ENTRY", 1, 9.0, 100.4), ("SIGNAL", -1, 9.0, pytest.approx(109.56))]
    np.testing.assert_allclose(ran.fills["reference"], [100.0, 110.0])
    np.testing.assert_allclose(ran.fills["fee"], [0.9036, 0.98604])
    np.testing.assert_allclose(ran.fills["slippage"], [3.6, 3.96])
    [done] = ran.trades
    assert done["pnl"] == pytest.approx(80.55036, abs=1e-9)
    assert done["fees"] == pytest.approx(1.88964)
    assert done["slippage"] == pytest.approx(7.56)
    assert np.isnan(done["r"])
    assert ran.equity[-1] == pytest.approx(10_080.55036)
    # At the close of the second bar the entry's costs are gone and nothing is gained yet.
    assert ran.equity[1] == pytest.approx(10_000 - 0.9036 - 3.6)


def test_fee_slippage_and_spread_of_a_short():
    setup = setup_of(costs=Costs(0.001, 0.002, 0.004), sizing=Sizing.notional(1_000, True))
    rows = [CALM, CALM, (110, 111, 109, 110), CALM]
    ran = trade(rows, (0, -1), (1, 0), setup=setup, target=True)
    assert prices(ran) == [("ENTRY", -1, 10.0, 99.6), ("SIGNAL", 1, 10.0, pytest.approx(110.44))]
    [done] = ran.trades
    assert done["pnl"] == pytest.approx(996 - 1104.4 - 0.996 - 1.1044, abs=1e-9)
    assert (done["fees"], done["slippage"]) == (pytest.approx(2.1004), pytest.approx(8.4))
    assert ran.equity[-1] == pytest.approx(10_000 - 110.5004)


@SIDES
def test_slippage_makes_a_stop_worse_than_its_price_but_does_not_move_it(side):
    setup = setup_of(costs=Costs(0.0, 0.01))
    ran = trade(both(side, [CALM, CALM, (100, 101, 85, 88), CALM]), (0, side), setup=setup)
    entry = 100 * (1 + side * 0.01)
    stop = entry - side * 10  # from the price that was paid
    assert prices(ran)[1][3] == pytest.approx(stop * (1 - side * 0.01))
    assert ran.fills["reference"][1] == pytest.approx(stop)


@SIDES
def test_the_stop_trails_from_the_bar_before(side):
    rules = replace(PLAIN, trail_atr=1.0)
    rows = both(side, [
        CALM,
        (100, 109, 95, 108),  # a low under 98, where the stop is only from its close on
        (107, 115, 99, 100),  # a new high, but a close that would lower the stop
        (100, 101, 97.5, 99), CALM,
    ])  # fmt: skip
    ran = trade(rows, (0, side), (1, 0), (2, 0), (3, 0), setup=setup_of(rules))
    assert prices(ran)[1] == ("SL", -side, 10.0, at(side, 98))
    assert ran.fills["time"][1] == MIDNIGHT + 4 * HOUR
    assert ran.trades["r"][0] == pytest.approx(-0.2)  # of what was at risk at the entry


@SIDES
def test_a_trailing_stop_alone_begins_at_the_first_decision(side):
    rules = replace(PLAIN, stop_atr=0.0, trail_atr=1.0)
    rows = both(side, [CALM, (100, 101, 50, 100), (100, 101, 89, 95), CALM])
    setup = setup_of(rules, sizing=Sizing.notional(1_000))
    ran = trade(rows, (0, side), (1, 0), (2, 0), setup=setup)
    assert prices(ran)[1] == ("SL", -side, 10.0, at(side, 90))
    assert np.isnan(ran.trades["r"][0])
    assert ran.trades["mae"][0] == pytest.approx(0.5)  # of the entry, as nothing was at risk


def test_a_range_that_is_not_known_moves_no_stop():
    rules = replace(PLAIN, trail_atr=1.0)
    rows = [CALM, (100, 109, 95, 108), (100, 101, 97, 99), CALM]
    for atr in (np.nan, 0.0):
        ran = trade(rows, (0, 1), (1, 0, {"atr": atr}), setup=setup_of(rules))
        assert prices(ran)[1][0] == "END_OF_TEST"


@SIDES
def test_a_limit_is_filled_at_its_price_or_better(side):
    rules = replace(PLAIN, fill="limit", limit_atr=0.5)
    touched = trade(both(side, [CALM, (100, 101, 95, 97), CALM]), (0, side), setup=setup_of(rules))
    assert prices(touched)[0] == ("ENTRY", side, 10.0, at(side, 95))
    assert touched.fills["time"][0] == MIDNIGHT + 2 * HOUR
    assert touched.orders["limit"].tolist() == [at(side, 95)]
    gap = trade(both(side, [CALM, (93, 94, 92, 93), CALM]), (0, side), setup=setup_of(rules))
    assert prices(gap)[0] == ("ENTRY", side, 10.0, at(side, 93))
    assert gap.fills["time"][0] == MIDNIGHT + HOUR
    missed = trade(both(side, [CALM, (100, 101, 95.5, 97), CALM]), (0, side), setup=setup_of(rules))
    assert prices(missed) == []


@SIDES
def test_a_limit_and_its_stop_in_one_bar(side):
    rules = replace(THIRDS, fill="limit", limit_atr=0.5)
    ran = trade(both(side, [CALM, (100, 130, 80, 90), CALM]), (0, side), setup=setup_of(rules))
    assert prices(ran) == [
        ("ENTRY", side, 10.0, at(side, 95)), ("SL", -side, 10.0, at(side, 85))
    ]
    # The high may have come before the fill: no target is certain.
    kept = trade(both(side, [CALM, (100, 130, 90, 100), CALM]), (0, side), setup=setup_of(rules))
    assert [p[0] for p in prices(kept)] == ["ENTRY", "END_OF_TEST"]
    assert kept.trades["mfe"][0] == pytest.approx(0.6)  # of the bar after, not of that high


@SIDES
def test_a_limit_that_a_gap_fills_is_walked_from_the_open(side):
    rules = replace(THIRDS, fill="limit", limit_atr=0.5)
    ran = trade(both(side, [CALM, (94, 105, 93, 104), CALM]), (0, side), setup=setup_of(rules))
    assert [(p[0], p[3]) for p in prices(ran)[:2]] == [
        ("ENTRY", at(side, 94)), ("TP", at(side, 104))
    ]


def test_the_end_closes_at_the_last_close_with_costs():
    ran = trade([CALM, CALM, (100, 106, 99, 105)], (0, 1), setup=setup_of(costs=Costs(0.001, 0.0)))
    reason, side, units, price = prices(ran)[-1]
    assert (reason, side, price) == ("END_OF_TEST", -1, 105.0)
    assert ran.trades["pnl"][0] == pytest.approx(units * (5 - 0.1 - 0.105))
    assert ran.equity[-1] == ran.account["cash"][0]


def test_trades_are_numbered_by_entries_and_told_with_their_reasons():
    rows = [CALM, CALM, (100, 101, 85, 86), CALM, (100, 115, 99, 112), CALM, CALM]
    ran = trade(rows, (0, 1, {"score": 0.9}), (2, -1, {"confidence": 0.4}), (4, 1))
    assert ran.trades["number"].tolist() == [0, 1, 2]
    assert ran.trades["side"].tolist() == [1, -1, 1]
    assert ran.trades["score"].tolist() == [0.9, 0.7, 0.7]
    assert ran.trades["confidence"].tolist() == [0.3, 0.4, 0.3]
    assert ran.fills["number"].tolist() == [0, 0, 1, 1, 2, 2]
