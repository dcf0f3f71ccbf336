"""What a decision asks for, by hand: limits, breakers, exits and entries."""

from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR
from hypothesis import given
from hypothesis import strategies as st
from trading_cases import DAY, MIDNIGHT, PLAIN, bars_of, prices, setup_of, statuses, trade

from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.deciding import ranked
from opportunity.trading.records import REASONS
from opportunity.trading.risk import UNLIMITED, RiskRecord

CALM = (100, 101, 99, 100)
STOPPED = (100, 101, 85, 86)


def test_max_positions_counts_open_and_ordered_but_not_what_a_reversal_ends():
    risk = replace(UNLIMITED, max_positions=1)
    rules = replace(PLAIN, opposite=True)
    rows = [CALM] * 6
    ran = trade(rows, (0, 1), (2, -1), setup=setup_of(rules, risk=risk))
    assert statuses(ran) == ["filled", "filled", "filled"]
    assert ran.account["n_open"][0] == 0
    bars = [bars_of(rows), bars_of(rows, "B/USDT")]
    held = trade(bars, (0, 1), (2, 1, {"symbol": 1}), (3, -1, {"symbol": 1}),
                 setup=setup_of(rules, risk=risk))  # fmt: skip
    assert statuses(held) == ["filled", "max_positions", "max_positions"]


@pytest.mark.parametrize("fill", ["open", "close"])
def test_an_opposite_entry_reverses(fill):
    rules = replace(PLAIN, opposite=True, fill=fill)
    rows = [CALM, CALM, (100, 106, 99, 105), (106, 107, 105, 106), CALM]
    ran = trade(rows, (0, 1), (2, -1), setup=setup_of(rules))
    turn = 106.0 if fill == "open" else 105.0
    assert [(p[0], p[1], p[3]) for p in prices(ran)] == [
        ("ENTRY", 1, 100.0), ("SIGNAL", -1, turn), ("ENTRY", -1, turn), ("END_OF_TEST", 1, 100.0)
    ]
    assert ran.fills["time"][1:3].tolist() == [MIDNIGHT + 3 * HOUR] * 2
    # 10 units gained `turn - 100` each; the short is sized by the equity after that.
    assert prices(ran)[2][2] == pytest.approx((10_000 + 10 * (turn - 100)) * 0.01 / 10)


def test_an_opposite_entry_is_passed_over_where_the_rules_say_so():
    ran = trade([CALM] * 6, (0, 1), (2, -1), setup=setup_of(PLAIN))
    assert [p[0] for p in prices(ran)] == ["ENTRY", "END_OF_TEST"]
    assert ran.orders.size == 1


def test_the_same_side_is_not_bought_twice():
    ran = trade([CALM] * 6, (0, 1), (1, 1), (2, 1), setup=setup_of(replace(PLAIN, opposite=True)))
    assert [p[0] for p in prices(ran)] == ["ENTRY", "END_OF_TEST"]


def test_a_flagged_bar_refuses_the_entry_but_ends_the_opposite_position():
    rules = replace(PLAIN, opposite=True)
    ran = trade([CALM] * 6, (0, 1), (2, -1, {"flagged": 1}), setup=setup_of(rules))
    assert [p[0] for p in prices(ran)] == ["ENTRY", "SIGNAL"]
    assert statuses(ran) == ["filled", "filled", "gap"]


@pytest.mark.parametrize("fill", ["open", "close"])
def test_a_time_stop_counts_decisions(fill):
    rules = replace(PLAIN, time_stop=2, fill=fill)
    rows = [CALM, CALM, CALM, (107, 108, 106, 107), CALM, CALM]
    ran = trade(rows, (0, 1), (1, 0), (2, 0), (3, 0), setup=setup_of(rules))
    reason, side, _, price = prices(ran)[1]
    # Filled at the open: held at two decisions by the third bar. At the close the same.
    assert (reason, side, price) == ("TIME", -1, 107.0 if fill == "open" else 100.0)
    assert ran.trades["bars"][0] == 2
    assert [REASONS[r] for r in ran.orders["reason"]] == ["ENTRY", "TIME"]


def test_an_order_at_the_close_costs_at_once_and_shows_at_the_next_mark():
    rules = replace(PLAIN, fill="close")
    setup = setup_of(rules, costs=Costs(0.001, 0.0), sizing=Sizing.notional(1_000))
    ran = trade([CALM, CALM, CALM], (0, 1), setup=setup)
    assert ran.fills["time"][0] == MIDNIGHT + HOUR
    assert prices(ran)[0][3] == 100.0
    np.testing.assert_allclose(ran.equity, [10_000, 9_999, 9_998])


def test_a_limit_rests_until_the_next_decision():
    rules = replace(PLAIN, fill="limit", limit_atr=0.5)
    rows = [CALM, CALM, CALM, (100, 101, 90, 95), CALM]
    ran = trade(rows, (0, 1), (2, 0), setup=setup_of(rules))
    assert statuses(ran) == ["expired"]
    rested = trade(rows, (0, 1), setup=setup_of(rules))
    assert statuses(rested) == ["filled"]
    renewed = trade(rows, (0, 1), (2, 1), setup=setup_of(rules))
    assert statuses(renewed) == ["expired", "filled"]
    assert renewed.account["n_open"][0] == 0


def test_orders_of_a_symbol_that_has_no_bars_wait_and_are_renewed_not_doubled():
    """Two decisions with no bar of the symbol between them: one exit, one entry."""
    a, b = bars_of([CALM] * 8), bars_of([CALM] * 8, "B/USDT")
    b = b[:3]
    late = bars_of([CALM], "B/USDT", first=6)
    b = replace(b, time=np.append(b.time, late.time), values=np.vstack([b.values, late.values]))
    rules = replace(PLAIN, opposite=True)
    on_b = {"symbol": 1}
    ran = trade(
        [a, b], (0, 1, on_b), (3, -1, on_b), (4, -1, on_b), (5, -1, on_b), setup=setup_of(rules)
    )
    assert statuses(ran) == ["filled", "filled", "expired", "expired", "filled"]
    assert [(p[0], p[1]) for p in prices(ran)] == [
        ("ENTRY", 1), ("SIGNAL", -1), ("ENTRY", -1), ("END_OF_TEST", 1)
    ]
    assert ran.account["n_open"][0] == 0


def losing(n):
    """Entries at every third bar, each of which loses 150 (stopped at 85: 1.5 R)."""
    rows, said = [], []
    for i in range(n):
        rows += [CALM, CALM, (85, 86, 84, 85)]
        said.append((3 * i, 1))
    return [*rows, CALM, CALM], said


def test_a_daily_loss_ends_the_day():
    rows, said = losing(13)
    ran = trade(rows, *said, setup=setup_of(risk=replace(UNLIMITED, max_daily_loss=0.03)))
    found = statuses(ran)
    # 1.5 % of what is left, each: the third entry comes at -2.98 %, the fourth at -4.43 %.
    assert found[:3] == ["filled"] * 3
    times = ran.orders["time"]
    today = times <= MIDNIGHT + DAY  # a decision at midnight still belongs to the day that ends
    assert set(found[3 : int(today.sum())]) == {"max_daily_loss"}
    assert found[int(today.sum())] == "filled"


def test_the_loss_of_a_day_is_counted_from_its_first_equity():
    risk = replace(UNLIMITED, max_daily_loss=0.03)
    quiet = [CALM] * 20
    rows, _ = losing(4)
    early = trade([*rows[:6], *quiet, *rows[6:]], (0, 1), (3, 1), (26, 1), (29, 1),
                  setup=setup_of(risk=risk))  # fmt: skip
    assert statuses(early) == ["filled"] * 4  # two losses a day each


def test_a_losing_streak_stops_entries_for_the_cool_down():
    rows, said = losing(10)
    risk = replace(UNLIMITED, max_losses=2, cooldown_h=7.0)
    ran = trade(rows, *said, setup=setup_of(risk=risk))
    # The second loss, inside the bar that closes at 6, opens the breaker until 13: bars 6 and 9
    # are refused. The probe of bar 12 is lost at 14, the open of its last bar: until 21. And so on.
    assert statuses(ran) == [
        "filled", "filled", "max_losses", "max_losses", "filled", "max_losses", "max_losses",
        "filled", "max_losses", "max_losses",
    ]  # fmt: skip


def test_a_win_ends_a_streak():
    rows = [CALM, CALM, (85, 86, 84, 85), CALM, CALM, (130, 131, 129, 130), CALM, CALM,
            (85, 86, 84, 85), CALM, CALM, CALM]  # fmt: skip
    rules = replace(PLAIN, targets_r=(2.0,), shares=(1.0,))
    ran = trade(rows, (0, 1), (3, 1), (6, 1), (9, 1),
                setup=setup_of(rules, risk=replace(UNLIMITED, max_losses=2)))  # fmt: skip
    assert statuses(ran) == ["filled"] * 4


def test_a_drawdown_stops_entries_and_then_counts_anew():
    rows, said = losing(10)
    risk = replace(UNLIMITED, max_drawdown=0.04, cooldown_h=4.0)
    ran = trade(rows, *said, setup=setup_of(risk=risk))
    # -1.5 %, -2.98 %, -4.43 % at the close at 9: open until 13, so bar 9 is refused. Bar 12 closes
    # at 13, where the peak is what is left; its probe is lost at 14, and so on.
    assert statuses(ran) == [
        "filled", "filled", "filled", "max_drawdown", "filled", "max_drawdown", "filled",
        "max_drawdown", "filled", "max_drawdown",
    ]  # fmt: skip
    assert ran.account["n_trips"][0].tolist() == [0, 4, 0, 0]


def test_limits_do_not_keep_anybody_in():
    """Exits are never refused, whatever the limits say."""
    risk = RiskRecord(max_positions=1, max_daily_loss=0.001, max_drawdown=0.001, max_losses=1)
    rules = replace(PLAIN, opposite=True)
    rows = [CALM, CALM, (100, 101, 92, 93), CALM, CALM]
    ran = trade(rows, (0, 1), (2, -1), setup=setup_of(rules, risk=risk))
    assert statuses(ran) == ["filled", "filled", "max_daily_loss"]
    assert [p[0] for p in prices(ran)] == ["ENTRY", "SIGNAL"]


def test_a_bankrupt_account_enters_nothing_more():
    rows = [CALM, CALM, (300, 301, 299, 300), CALM, CALM, CALM]
    rules = replace(PLAIN, stop_atr=0.0)
    setup = setup_of(rules, sizing=Sizing.all_in())
    ran = trade(rows, (0, -1), (1, 0), (2, 0), (3, 0), setup=setup, target=True)
    assert ran.equity[2] == pytest.approx(-10_000)
    broke = trade([*rows[:3], *rows[2:3] * 3], (0, -1), (2, 1), (3, 1), setup=setup, target=True)
    assert statuses(broke)[-1] in ("too small", "max_daily_loss")


def test_sides_to_hold():
    """In target mode a 0 leaves, a repeated side stays, another side turns round."""
    setup = setup_of(sizing=Sizing.all_in(whole_units=True))
    rows = [CALM, CALM, CALM, (110, 111, 109, 110), CALM, CALM, CALM, CALM]
    ran = trade(rows, (0, 1), (1, 1), (2, -1), (3, -1), (4, 0), (5, 0), setup=setup, target=True)
    assert prices(ran) == [
        ("ENTRY", 1, 100.0, 100.0), ("SIGNAL", -1, 100.0, 110.0), ("ENTRY", -1, 100.0, 110.0),
        ("SIGNAL", 1, 100.0, 100.0),
    ]  # fmt: skip
    assert ran.equity[-1] == 12_000.0


SAID = st.lists(st.tuples(st.sampled_from([-1, 0, 0, 1]), st.integers(0, 6)), max_size=60)


@given(SAID, st.data())
def test_entries_are_ranked_by_key_and_of_equal_keys_the_first_comes_first(said, data):
    sides = np.array([s for s, _ in said], np.int8)
    keys = np.array([k / 4 for _, k in said], np.float64)
    first = data.draw(st.integers(0, len(said)))
    until = data.draw(st.integers(first, len(said)))
    wanted = sorted((i for i in range(first, until) if sides[i]), key=lambda i: -keys[i])
    assert ranked(sides, keys, first, until).tolist() == wanted
