import math
from dataclasses import replace

import numpy as np
import pytest

from opportunity.detectors.transfers import COLUMNS, LEAST, MEMORY_MS, WINDOW_MS, TransferLog
from opportunity.market.observations import Transfer

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
START = 1_700_000_000_000 // DAY_MS * DAY_MS
VALUE, FRESH, SIDE, AMOUNT, QUALITY = range(len(COLUMNS))


def usual(log, n=30, until=START, seed=1):
    """Transfers of the weeks before, of unknown flow; return their sizes."""
    sizes = np.exp(np.random.default_rng(seed).normal(6, 0.5, n))
    for i, size in enumerate(sizes.tolist()):
        at = until - (n - i) * 12 * HOUR_MS
        log.take(Transfer(at, at, "chain", "BTC", size, "unknown"))
    return np.log(sizes)


LARGE = math.exp(7.5)


def transfer(flow, at=START, amount=LARGE, known=None):
    return Transfer(at, at if known is None else known, "chain", "BTC", amount, flow)


def row(log, closed, opened=None):
    rows = np.full((1, len(COLUMNS)), np.nan)
    opened = closed - HOUR_MS if opened is None else opened
    log.fill(np.array([opened]), np.array([closed]), np.array([0]), rows)
    return rows[0]


@pytest.mark.parametrize(("flow", "side"), [("in", -1), ("out", 1)])
def test_value_is_the_z_score_of_the_log_size_with_the_side_of_the_flow(flow, side):
    log = TransferLog()
    logs = usual(log)
    log.take(transfer(flow))
    z = (7.5 - logs.mean()) / logs.std()
    got = row(log, START)
    assert got[VALUE] == pytest.approx(side * min(z / 3, 1))
    assert got[FRESH] == 1
    later = row(log, START + 12 * HOUR_MS)
    assert later[FRESH] == 0.5
    assert later[VALUE] == pytest.approx(got[VALUE])
    assert np.isnan(row(log, START + 48 * HOUR_MS)[VALUE])


@pytest.mark.parametrize("flow", ["unknown", "between"])
def test_unknown_flows_are_neutral(flow):
    log = TransferLog()
    usual(log)
    log.take(transfer(flow))
    got = row(log, START)
    assert np.isnan(got[[VALUE, FRESH]]).all()
    assert (got[SIDE], got[AMOUNT]) == (0, math.exp(7.5))
    log.take(transfer("out", amount=math.exp(7.4)))
    value = row(log, START)[VALUE]
    log.take(transfer(flow, START + 60_000))
    assert row(log, START + 60_000)[VALUE] == pytest.approx(value)


def test_a_late_transfer_is_not_seen_early():
    log = TransferLog()
    usual(log)
    log.take(transfer("out", START, known=START + 3 * HOUR_MS))
    for closed in (START, START + HOUR_MS, START + 3 * HOUR_MS - 1):
        assert np.isnan(row(log, closed)).all()
    assert row(log, START + 3 * HOUR_MS)[FRESH] == 1  # it ages from when it was known
    assert row(log, START + 3 * HOUR_MS)[SIDE] == 1
    assert np.isnan(row(log, START + 4 * HOUR_MS)[SIDE])  # a pin belongs to one bar


def test_swapped_flows_negate_the_value_bit_for_bit():
    rng = np.random.default_rng(4)
    one, other = TransferLog(), TransferLog()
    usual(one)
    usual(other)
    swap = {"in": "out", "out": "in", "unknown": "unknown"}
    for i in range(40):
        made = transfer(("in", "out", "unknown")[rng.integers(3)], START + i * HOUR_MS,
                        float(np.exp(rng.normal(7, 0.6))))
        one.take(made)
        other.take(replace(made, flow=swap[made.flow]))
        a, b = row(one, made.available_at), row(other, made.available_at)
        np.testing.assert_array_equal(a[[VALUE, SIDE]], -b[[VALUE, SIDE]])
        np.testing.assert_array_equal(a[[FRESH, AMOUNT, QUALITY]], b[[FRESH, AMOUNT, QUALITY]])


def test_equal_transfers_of_both_sides_cancel():
    log = TransferLog()
    usual(log)
    log.take(transfer("in"))
    log.take(transfer("out"))
    assert row(log, START)[VALUE] == 0


def test_few_transfers_say_nothing():
    log = TransferLog()
    usual(log, LEAST - 1)
    log.take(transfer("out"))
    assert np.isnan(row(log, START)[VALUE])
    assert row(log, START)[QUALITY] == 0


def test_only_the_last_30_days_are_compared():
    log, fresh = TransferLog(), TransferLog()
    for t in range(25):
        log.take(transfer("unknown", START - WINDOW_MS - HOUR_MS + t, 1e6 + t))
    usual(log, 40)
    usual(fresh, 40)
    for one in (log, fresh):
        one.take(transfer("out"))
    assert row(log, START)[VALUE] == row(fresh, START)[VALUE]


def test_repeats_are_passed_over_and_older_ones_refused():
    log = TransferLog()
    usual(log)
    log.take(transfer("out"))
    before = row(log, START)
    log.take(transfer("out"))
    np.testing.assert_array_equal(row(log, START), before)
    with pytest.raises(ValueError, match="available_at must not go back"):
        log.take(transfer("out", START - 1))
    with pytest.raises(ValueError, match=r"amount of a transfer must be > 0 and <= 1e\+18, was 0"):
        log.take(transfer("out", START + 1, 0.0))


def test_forgetting_changes_no_later_row():
    log, kept = TransferLog(), TransferLog()
    rng = np.random.default_rng(6)
    for i in range(400):
        made = transfer("out" if i % 3 else "in", START + i * 6 * HOUR_MS,
                        float(np.exp(rng.normal(6, 1))))
        for one in (log, kept):
            one.take(made)
        log.forget(made.available_at)
        np.testing.assert_array_equal(
            row(log, made.available_at), row(kept, made.available_at)
        )
    assert len(log._rows) <= MEMORY_MS // (6 * HOUR_MS) + 2
    assert len(log._seen) <= MEMORY_MS // (6 * HOUR_MS) + 2


@pytest.mark.parametrize(
    ("change", "text"),
    [({"flow": "sideways"}, "flow of a transfer must be one of"), ({"amount": 1e300}, "1e[+]18"),
     ({"amount": float("nan")}, "amount of a transfer"), ({"amount": -1.0}, "amount")],
)
def test_transfers_that_cannot_be_are_refused(change, text):
    log, clean = TransferLog(), TransferLog()
    usual(log)
    usual(clean)
    with pytest.raises(ValueError, match=text):
        log.take(replace(transfer("in"), **change))
    for one in (log, clean):
        one.take(transfer("out"))
    np.testing.assert_array_equal(row(log, START), row(clean, START))
