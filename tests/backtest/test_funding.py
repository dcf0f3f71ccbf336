import numpy as np
import pytest
from builders import HOUR

from opportunity.backtest.funding import payments_of
from opportunity.market.observations import FearGreed, Funding

START = 1_600_000_000_000 // (24 * HOUR) * 24 * HOUR
END = START + 48 * HOUR
BTC = "BTC/USDT:USDT"


def settled(hours, rate=0.0003, symbol=BTC):
    return [Funding(START + h * HOUR, START + h * HOUR, "test", symbol, rate) for h in hours]


def test_a_rate_of_eight_hours_is_paid_whole_every_eight_hours():
    payments, known = payments_of(settled(range(0, 48, 8)), ["BTC/USDT"], START, END)
    assert known
    assert payments.time.tolist() == [START + h * HOUR for h in range(0, 48, 8)]
    np.testing.assert_allclose(payments.rate, 0.0003)
    assert payments.symbol.tolist() == [0] * 6


def test_every_four_hours_half_of_it_is_paid():
    payments, known = payments_of(settled(range(0, 48, 4)), ["BTC/USDT"], START, END)
    assert known
    np.testing.assert_allclose(payments.rate, 0.00015)
    day = payments.rate[payments.time < START + 24 * HOUR].sum()
    assert day == pytest.approx(3 * 0.0003)  # a day costs the same at either interval


def test_a_change_of_interval_is_paid_by_what_passed():
    hours = [*range(0, 24, 8), *range(24, 48, 4)]
    payments, known = payments_of(settled(hours), ["BTC/USDT"], START, END)
    assert known
    np.testing.assert_allclose(payments.rate, [0.0003] * 4 + [0.00015] * 5)


def test_what_is_paid_does_not_hang_on_what_comes_later():
    hours = [*range(0, 24, 8), *range(24, 240, 4)]
    whole, _ = payments_of(settled(hours), ["BTC/USDT"], START, START + 240 * HOUR)
    for n in range(2, len(hours)):
        part, _ = payments_of(settled(hours[:n]), ["BTC/USDT"], START, END)
        assert part.rate.tolist() == whole.rate[: part.rate.size].tolist()


@pytest.mark.parametrize(
    ("hours", "known"),
    [
        ([*range(0, 20, 4), *range(24, 49, 8)], True),
        ([*range(0, 16, 4), *range(20, 49, 8)], True),
        ([h for h in range(0, 48, 4) if h != 20], False),
        ([h for h in range(0, 48, 8) if h != 24], False),
        ([0, 8, 16, 24, 48], False),
        ([-8, 0, 24, 32, 40], False),
        ([-24, -8, 0, 8, 16, 24, 32, 40], True),  # before the run
        ([0], False), ([0, 8], False), ([-200, 0, 8, 16, 24, 32, 40], True),
    ],
)  # fmt: skip
def test_a_pause_is_told_from_a_change_of_interval(hours, known):
    assert payments_of(settled(hours), ["BTC/USDT"], START, END)[1] is known


def test_without_any_payment_nothing_is_known_of_a_short_run_either():
    assert payments_of([], ["BTC/USDT"], START, START + HOUR)[1] is False
    assert payments_of(settled([0]), ["BTC/USDT"], START, START + HOUR)[1] is True


def test_a_missing_payment_makes_the_sum_unknown_but_pays_no_more_than_half_as_long_again():
    hours = [h for h in range(0, 48, 8) if h != 24]
    payments, known = payments_of(settled(hours), ["BTC/USDT"], START, END)
    assert not known
    assert payments.time.size == 5
    assert payments.rate[3] == pytest.approx(0.0003 * 1.5)


@pytest.mark.parametrize("hours", [range(24, 48, 8), range(0, 24, 8), []])
def test_what_is_known_for_a_part_of_the_time_is_not_known(hours):
    assert payments_of(settled(hours), ["BTC/USDT"], START, END)[1] is False


def test_every_symbol_must_be_known():
    both = settled(range(0, 48, 8)) + settled(range(0, 48, 8), -0.0001, "ETH/USDT:USDT")
    payments, known = payments_of(both, ["BTC/USDT", "ETH/USDT"], START, END)
    assert known
    assert payments.symbol.tolist() == [0, 1] * 6  # of one time by symbol
    assert payments.rate[:2].tolist() == pytest.approx([0.0003, -0.0001])
    assert not payments_of(both, ["BTC/USDT", "SOL/USDT"], START, END)[1]


def test_order_repeats_and_other_symbols_do_not_matter():
    rows = settled(range(0, 48, 8))
    mixed = rows[::-1] + rows[:3] + settled(range(48), 9.0, "DOGE/USDT:USDT")
    one, known = payments_of(rows, ["BTC/USDT"], START, END)
    other, also = payments_of(mixed, ["BTC/USDT"], START, END)
    assert known
    assert also
    np.testing.assert_array_equal(one.rate, other.rate)
    np.testing.assert_array_equal(one.time, other.time)


def test_payments_lie_between_the_ends():
    payments, known = payments_of(settled(range(-48, 96, 8)), ["BTC/USDT"], START, END)
    assert known
    assert (payments.time.min(), payments.time.max()) == (START, END - 8 * HOUR)


def test_a_run_shorter_than_an_interval_needs_none():
    assert payments_of(settled([0, 8, 16]), ["BTC/USDT"], START + HOUR, START + 3 * HOUR)[1] is True


def test_something_else_is_named():
    with pytest.raises(TypeError, match="funding must be Funding records, was FearGreed"):
        payments_of([FearGreed(START, START, "test", 3)], ["BTC/USDT"], START, END)


@pytest.mark.parametrize("rate", [float("nan"), float("inf")])
def test_a_rate_that_is_no_number_is_refused(rate):
    rows = settled(range(0, 48, 8)) + settled([9], rate)
    with pytest.raises(ValueError, match=rf"funding of {BTC} must be finite, was {rate} at 2020-"):
        payments_of(rows, ["BTC/USDT"], START, END)
    assert payments_of(rows, ["ETH/USDT"], START, END)[0].time.size == 0
