"""Every transition of a breaker, by hand."""

from dataclasses import replace

import numpy as np
from builders import HOUR
from hypothesis import event, given, settings
from hypothesis import strategies as st
from trading_cases import (
    CALM,
    MIDNIGHT,
    PLAIN,
    THIRDS,
    TO_TEN,
    ByHand,
    as_bytes,
    bars_of,
    breakers,
    driven,
    flip,
    prices,
    setup_of,
    statuses,
    trade,
    world,
)

from opportunity.backtest.execution import NO_PAYMENTS, execute
from opportunity.market.timeframe import DAY_MS
from opportunity.trading.breaking import thresholds
from opportunity.trading.costs import Sizing
from opportunity.trading.records import (
    ACCOUNT,
    CLOSED,
    DAY,
    DECISION,
    DEPTH,
    HALF_OPEN,
    OPEN,
    PROBING,
    STREAK,
)
from opportunity.trading.risk import UNLIMITED, RiskRecord

LOST = (85, 86, 84, 85)
"""Opens 15 below: a stop 10 away loses 1.5 R there."""
WON = (115, 116, 114, 115)


def at(hour):
    return MIDNIGHT + hour * HOUR


# The loss of a day. ----------------------------------------------------------------------------


def test_a_daily_loss_trips_at_the_mark_at_which_it_is_reached_and_stays_until_the_day_is_over():
    desk = ByHand(replace(UNLIMITED, max_daily_loss=0.02))
    desk.trade(LOST)
    assert desk.state(DAY) == CLOSED  # 1.5 %
    desk.trade(LOST)
    assert desk.state(DAY) == OPEN
    assert desk.field("tripped", DAY) == at(6)
    assert desk.field("until", DAY) == MIDNIGHT + DAY_MS
    assert desk.field("n_trips", DAY) == 1
    assert desk.ask() == "max_daily_loss"
    while desk.hour < 24:  # the mark at midnight belongs to the day that ends
        desk.bar(CALM)
    assert desk.state(DAY) == OPEN
    desk.bar(CALM)
    assert (desk.state(DAY), desk.field("until", DAY)) == (CLOSED, 0)
    assert desk.ask() == "placed"


def test_what_was_lost_in_a_day_may_come_back_and_the_day_is_over_all_the_same():
    """Latched: an entry is refused although the equity has recovered."""
    desk = ByHand(replace(UNLIMITED, max_daily_loss=0.005), PLAIN)
    desk.bar(CALM, wanted={0: 1}).bar(CALM).bar((100, 101, 92, 93))
    assert desk.state(DAY) == OPEN  # 0.7 % on paper
    desk.bar((93, 121, 93, 120))
    assert desk.broker.equity == 10_200.0
    assert desk.state(DAY) == OPEN


def test_a_day_that_begins_with_a_loss_trips_anew():
    desk = ByHand(replace(UNLIMITED, max_daily_loss=0.01))
    while desk.hour < 22:
        desk.bar(CALM)
    desk.bar(CALM, wanted={0: 1}).bar(CALM)
    desk.bar(LOST)
    assert (desk.state(DAY), desk.field("tripped", DAY)) == (OPEN, at(25))


# Drawdown. -------------------------------------------------------------------------------------


def test_a_drawdown_cools_down_and_a_won_probe_closes_it():
    desk = ByHand(replace(UNLIMITED, max_drawdown=0.01, cooldown_h=4.0))
    desk.trade(LOST)
    assert (desk.state(DEPTH), desk.field("tripped", DEPTH)) == (OPEN, at(3))
    assert desk.field("until", DEPTH) == at(7)
    for _ in range(3):
        assert desk.ask() == "max_drawdown"
    assert desk.broker.account["peak"][0] == 10_000.0
    desk.bar(CALM, wanted={0: 1})  # closes at 7
    assert (desk.state(DEPTH), desk.field("until", DEPTH)) == (HALF_OPEN, 0)
    assert desk.broker.account["peak"][0] == 9_850.0
    assert statuses(desk.broker)[-1] == "placed"
    desk.bar(CALM)
    assert desk.broker.positions["probe"][0] == 1 << DEPTH
    desk.bar(WON)
    assert desk.state(DEPTH) == CLOSED
    assert desk.broker.positions["probe"][0] == 0
    assert desk.field("n_trips", DEPTH) == 1


def test_a_lost_probe_opens_it_again_for_the_cool_down():
    desk = ByHand(replace(UNLIMITED, max_drawdown=0.04, cooldown_h=2.0))
    for _ in range(3):
        desk.trade(LOST)
    desk.bar(CALM).bar(CALM, wanted={0: 1}).bar(CALM)
    assert desk.state(DEPTH) == HALF_OPEN
    desk.bar(LOST)  # 1.5 %, far from another drawdown
    assert (desk.state(DEPTH), desk.field("n_trips", DEPTH)) == (OPEN, 2)
    assert desk.field("tripped", DEPTH) == at(12)  # the open at which it was stopped
    assert desk.field("until", DEPTH) == at(14)
    assert desk.ask() == "placed"  # closes at 14


def test_a_probe_that_wins_nothing_has_not_won():
    risk = replace(UNLIMITED, max_drawdown=0.01, cooldown_h=3.0)
    desk = ByHand(risk, replace(PLAIN, time_stop=1))
    desk.trade(LOST)
    desk.bar(CALM).bar(CALM).bar(CALM, wanted={0: 1}).bar(CALM)
    assert desk.state(DEPTH) == HALF_OPEN
    desk.bar(CALM)
    assert desk.broker.trades["pnl"].tolist() == [-150.0, 0.0]
    assert desk.state(DEPTH) == OPEN


def test_a_trade_from_before_does_not_decide():
    risk = replace(UNLIMITED, max_drawdown=0.004, cooldown_h=1.0)
    desk = ByHand(risk, PLAIN)
    desk.bar(CALM, wanted={0: 1}).bar(CALM).bar((100, 101, 94, 95))
    assert desk.state(DEPTH) == OPEN
    desk.bar((95, 96, 94, 95))
    assert desk.state(DEPTH) == HALF_OPEN
    desk.bar((130, 131, 129, 130)).bar((80, 81, 79, 80))
    assert desk.broker.trades.size == 1  # the drop after the rise is a drawdown of its own
    assert desk.field("n_trips", DEPTH) == 2
    other = ByHand(risk, replace(PLAIN, time_stop=3))
    other.bar(CALM, wanted={0: 1}).bar(CALM).bar((100, 101, 94, 95)).bar((95, 120, 94, 119))
    other.bar((119, 120, 118, 119))
    assert other.broker.trades["pnl"][0] > 0
    assert other.state(DEPTH) == HALF_OPEN


def test_a_breach_while_half_open_trips_at_its_mark():
    desk = ByHand(replace(UNLIMITED, max_drawdown=0.01, cooldown_h=1.0), PLAIN)
    desk.trade(LOST)
    desk.bar(CALM, wanted={0: 1})
    assert desk.state(DEPTH) == HALF_OPEN
    desk.bar(CALM).bar((100, 101, 100, 100)).bar((90.5, 91, 90.2, 90.3))
    assert desk.state(DEPTH) == HALF_OPEN
    assert desk.broker.positions["side"][0] == 1
    other = ByHand(replace(UNLIMITED, max_drawdown=0.005, cooldown_h=1.0), PLAIN)
    other.trade(LOST)
    other.bar(CALM, wanted={0: 1}).bar(CALM).bar((93, 94, 92, 93))  # 0.7 %, not stopped
    assert (other.state(DEPTH), other.field("tripped", DEPTH)) == (OPEN, at(6))
    assert other.broker.positions["side"][0] == 1


def test_without_a_cool_down_the_next_mark_half_opens():
    desk = ByHand(replace(UNLIMITED, max_drawdown=0.01))
    desk.trade(LOST)
    assert desk.state(DEPTH) == OPEN
    assert desk.ask() == "placed"
    assert desk.state(DEPTH) == HALF_OPEN


# A losing streak. ------------------------------------------------------------------------------


def test_a_streak_trips_at_the_mark_of_the_batch_in_which_its_last_trade_ended():
    desk = ByHand(replace(UNLIMITED, max_losses=2, cooldown_h=3.0))
    desk.trade(LOST)
    assert desk.state(STREAK) == CLOSED
    desk.trade(LOST)
    assert (desk.state(STREAK), desk.field("tripped", STREAK)) == (OPEN, at(6))
    assert desk.broker.account["losses"][0] == 2
    desk.bar(CALM).bar(CALM)
    assert desk.state(STREAK) == OPEN
    desk.bar(CALM, wanted={0: 1})
    assert (desk.state(STREAK), desk.broker.account["losses"][0]) == (HALF_OPEN, 0)
    desk.bar(CALM).bar(WON)
    assert desk.state(STREAK) == CLOSED


def test_an_exit_at_the_close_counts_before_the_entries_of_the_same_moment():
    rules = replace(PLAIN, fill="close", opposite=True)
    rows = [CALM, (95, 96, 94, 95), CALM, CALM]
    risk = replace(UNLIMITED, max_losses=1, cooldown_h=9.0)
    ran = trade(rows, (0, 1), (1, -1), setup=setup_of(rules, risk=risk))
    assert statuses(ran) == ["filled", "filled", "max_losses"]
    assert ran.account["tripped"][0, STREAK] == at(2)


def test_one_probe_decides_about_two_breakers():
    desk = ByHand(replace(UNLIMITED, max_losses=1, max_drawdown=0.01, cooldown_h=2.0))
    desk.trade(LOST)
    assert [desk.state(i) for i in (DEPTH, STREAK)] == [OPEN, OPEN]
    desk.bar(CALM).bar(CALM, wanted={0: 1}).bar(CALM)
    assert desk.broker.positions["probe"][0] == (1 << DEPTH) | (1 << STREAK)
    desk.bar(WON)
    assert [desk.state(i) for i in (DEPTH, STREAK)] == [CLOSED, CLOSED]


# One at a time. --------------------------------------------------------------------------------


def test_half_open_lets_one_position_or_order_through_at_all():
    desk = ByHand(replace(UNLIMITED, max_losses=1, cooldown_h=1.0), symbols=("A/USDT", "B/USDT"))
    desk.bar(CALM, CALM, wanted={0: 1}).bar(CALM, CALM).bar(LOST, CALM)
    desk.bar(CALM, CALM, wanted={0: 1, 1: 1})
    assert statuses(desk.broker)[-2:] == ["placed", "half_open"]
    desk.bar(CALM, CALM, wanted={1: 1})
    assert statuses(desk.broker)[-2:] == ["half_open", "half_open"]
    assert desk.broker.fills["symbol"].tolist() == [0, 0, 0]


def test_of_two_limits_that_rest_when_it_half_opens_the_second_one_is_refused():
    """Neither was a probe when it was ordered; a loss elsewhere came between."""
    rules = replace(PLAIN, fill="limit", limit_atr=0.5)
    names = ("A/USDT", "B/USDT", "C/USDT")
    desk = ByHand(replace(UNLIMITED, max_losses=1, cooldown_h=1.0), rules, names)
    broker = desk.broker
    desk.bar(CALM, CALM, CALM, wanted={2: 1})
    broker.batch(*one_bar(2, 1, (95, 96, 94, 95)))
    table = np.zeros(2, DECISION)
    table["symbol"], table["side"], table["atr"], table["time"] = [0, 1], 1, 10.0, at(2)
    table["volume"] = np.nan
    broker.decide(table)
    broker.batch(*one_bar(2, 2, LOST))  # trips
    broker.batch(*one_bar(2, 3, LOST))  # half opens
    assert broker.account["breaker"][0, STREAK] == HALF_OPEN
    broker.batch(*one_bar(0, 4, (100, 101, 94, 96)))
    assert broker.orders["status"][1] == PROBING
    broker.batch(*one_bar(1, 5, (100, 101, 94, 96)))
    assert statuses(broker) == ["filled", "half_open", "filled"]
    assert broker.positions["probe"].tolist() == [0, 1 << STREAK, 0]


def one_bar(symbol, hour, row):
    return np.array([symbol]), np.array([at(hour)]), at(hour + 1), np.array([[*row, 1.0]])


def test_an_entry_that_waits_is_refused_where_a_breaker_has_opened():
    """The probe is turned round; its loss at the open refuses what was to follow."""
    rules = replace(PLAIN, opposite=True)
    desk = ByHand(replace(UNLIMITED, max_losses=1, cooldown_h=5.0), rules)
    desk.trade(LOST)
    for _ in range(4):
        desk.bar(CALM)
    desk.bar(CALM, wanted={0: 1}).bar((100, 101, 95, 96), wanted={0: -1})
    assert statuses(desk.broker)[-2:] == ["placed", "placed"]
    desk.bar((96, 97, 95, 96))
    assert statuses(desk.broker)[-2:] == ["filled", "max_losses"]
    assert desk.state(STREAK) == OPEN
    assert desk.broker.account["n_open"][0] == 0


# When nothing is left, and when to look. -------------------------------------------------------


def test_nothing_left_trips_once_and_not_for_ever():
    rules = replace(PLAIN, stop_atr=0.0, time_stop=1)
    setup = setup_of(rules, sizing=Sizing.all_in(), risk=UNLIMITED)
    ran = trade([CALM, CALM, (300, 301, 299, 300), *[CALM] * 60], (0, -1), (1, 0), setup=setup)
    assert ran.equity[-1] < 0
    assert ran.account["n_trips"][0].tolist() == [1, 1, 0, 0]
    slow = trade([CALM, CALM, (300, 301, 299, 300), *[CALM] * 60], (0, -1), (1, 0), setup=setup,
                 payments=NO_PAYMENTS)  # fmt: skip
    assert as_bytes(ran) == as_bytes(slow)


def test_thresholds_tell_when_there_is_something_to_do():
    terms = setup_of(risk=RiskRecord(max_daily_loss=0.1, max_drawdown=0.5)).terms()[0]
    account = np.zeros(1, ACCOUNT)
    account["day"], account["day_equity"], account["peak"] = 3, 200.0, 300.0
    assert thresholds(account[0], terms) == (4 * DAY_MS + 1, 180.0, 0.5)
    account["breaker"][0] = [OPEN, OPEN, OPEN, OPEN]
    account["until"][0] = [0, 5_000, 4_000, 0]
    assert thresholds(account[0], terms) == (4_000, -np.inf, -np.inf)
    account["breaker"][0] = [CLOSED, HALF_OPEN, HALF_OPEN, OPEN]
    assert thresholds(account[0], terms) == (4 * DAY_MS + 1, 180.0, 0.5)


# Laws. -----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), breakers())
def test_exits_are_never_refused_and_states_agree_with_their_times(seed, risk):
    _, batches, table = world(seed, 200, 3)
    broker = driven(batches, table, setup_of(THIRDS, risk=risk), ["A/USDT", "B/USDT", "C/USDT"])
    account = broker.account[0]
    for index in (DAY, DEPTH, STREAK):
        assert (account["until"][index] > 0) == (account["breaker"][index] == OPEN)
        assert (account["tripped"][index] > 0) == (account["n_trips"][index] > 0)
    orders = broker.orders
    assert set(orders["status"][orders["reason"] != 0].tolist()) <= {0, 1}


def test_random_markets_trip_everything_and_probes_win_and_lose():
    """So the properties of runs, of the broker and of the sweep say something about breakers."""
    trips, ends, refused = np.zeros(3), set(), set()
    risk = RiskRecord(
        max_daily_loss=0.01, max_drawdown=0.02, max_losses=2, cooldown_h=7.0, max_position=100.0
    )
    for seed in range(12):
        _, batches, table = world(seed, 300, 2)
        ran = execute(batches, table, setup_of(THIRDS, risk=risk), 2)
        trips += ran.account["n_trips"][0, :3] > 1
        ends |= set(map(tuple, ran.account["breaker"][:, :3].tolist()))
        refused |= set(statuses(ran))
    assert (trips >= 6).all()
    assert {state for end in ends for state in end} == {CLOSED, OPEN, HALF_OPEN}
    assert refused >= {"max_daily_loss", "max_drawdown", "max_losses", "half_open", "filled"}


def walk(seed, n=160):
    """Whole prices around 1,000 that jump, and entries at random."""
    rng = np.random.default_rng(seed)
    close = 1_000 + np.cumsum(rng.integers(-9, 10, n))
    opened = np.concatenate(([1_000], close[:-1])) + rng.integers(-3, 4, n)
    high = np.maximum(opened, close) + rng.integers(0, 6, n)
    low = np.minimum(opened, close) - rng.integers(0, 6, n)
    at = np.flatnonzero(rng.random(n) < 0.5)
    sides = rng.choice([-1, 1], at.size).tolist()
    return np.stack([opened, high, low, close], axis=1), list(zip(at.tolist(), sides, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([0.0137, 0.0413, 1.0]),
    st.sampled_from([0.0171, 0.0533, 1.0]), st.sampled_from([0, 2]),
)
def test_a_mirrored_market_mirrors(seed, daily, depth, losses):
    rows, said = walk(seed)
    risk = replace(
        UNLIMITED, max_daily_loss=daily, max_drawdown=depth, max_losses=losses, cooldown_h=7.0
    )
    setup = setup_of(replace(TO_TEN, opposite=True), risk=risk, sizing=Sizing.risk(0.02))
    found = trade(rows.tolist(), *said, setup=setup)
    other = trade(flip(rows, 1_000), *((b, -s) for b, s in said), setup=setup)
    assert statuses(found) == statuses(other)
    for name in ("breaker", "until", "tripped", "n_trips"):
        np.testing.assert_array_equal(found.account[name], other.account[name])
    assert [p[1] for p in prices(found)] == [-p[1] for p in prices(other)]
    event(f"trips: {(found.account['n_trips'][0] > 0).tolist()}")


def test_bars_before_a_world_change_nothing():
    """A quiet week in front shifts times, not states."""
    rows, said = [CALM, CALM, LOST, CALM, CALM, CALM], [(0, 1), (3, 1)]
    setup = setup_of(TO_TEN, risk=replace(UNLIMITED, max_losses=1, cooldown_h=1.0))
    short = trade([bars_of(rows)], *said, setup=setup)
    quiet = [CALM] * 168
    long = trade([bars_of([*quiet, *rows])], *((b + 168, s) for b, s in said), setup=setup)
    assert statuses(short) == statuses(long)
    np.testing.assert_array_equal(short.account["breaker"], long.account["breaker"])
    shift = long.account["tripped"] - short.account["tripped"]
    assert shift[0, STREAK] == 7 * DAY_MS
