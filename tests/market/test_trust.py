from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.market.trust import (
    AGE,
    CLOCK,
    FACTORS,
    FLAT,
    GAPS,
    LISTING,
    MISMATCH,
    PRICE,
    REVISIONS,
    SKEWED,
    VOLUME,
    Faults,
    blame,
    overdue,
    weigh,
)

MINUTE, HOUR = 60_000, 3_600_000
NOW = 500_000 * HOUR
LENGTHS = np.array([MINUTE, HOUR])


def nothing(n: int = 2) -> Faults:
    numbers, flags = np.zeros(n), np.zeros(n, np.bool_)
    return Faults(numbers, numbers, flags, numbers, numbers, flags, flags)


def blamed(faults: Faults) -> np.ndarray:
    n = faults.missing.size
    facts = np.zeros((n, 2, len(FACTORS)))
    closed = np.full((n, 2), NOW)
    blame(facts, faults, MINUTE, LENGTHS, closed, np.full(n, NOW))
    return facts


@pytest.mark.parametrize(
    ("place", "fact", "factor"),
    [
        (AGE, 0.0, 1.0), (AGE, 1.0, 1.0), (AGE, 1.5, 0.5), (AGE, 2.0, 0.0), (AGE, 900.0, 0.0),
        (GAPS, 0.005, 1.0), (GAPS, 0.105, 0.5), (GAPS, 0.3, 0.0), (GAPS, 1.0, 0.0),
        (MISMATCH, 0.01, 0.95), (MISMATCH, 0.2, 0.0), (REVISIONS, 0.1, 0.5),
        (REVISIONS, 1.0, 0.0),
        (VOLUME, 2.0, 1.0), (VOLUME, 3.0, FLAT), (VOLUME, 99.0, FLAT),
        (PRICE, 1.0, 0.0), (LISTING, 1.0, 0.0),
        (CLOCK, 1_000.0, 1.0), (CLOCK, 1_001.0, SKEWED), (CLOCK, 5_000.0, SKEWED),
        (CLOCK, 5_001.0, 0.0),
    ],
)  # fmt: skip
def test_each_fact_costs_its_factor_and_nothing_else(place, fact, factor):
    facts = np.zeros(len(FACTORS))
    facts[place] = fact
    factors, trust = weigh(facts)
    wanted = np.ones(len(FACTORS))
    wanted[place] = factor
    np.testing.assert_allclose(factors, wanted, atol=1e-12)
    assert trust == factors[place]


@given(st.lists(st.floats(0, 1e7), min_size=len(FACTORS), max_size=len(FACTORS)))
def test_trust_is_the_product_and_worse_facts_never_raise_it(facts):
    facts = np.array(facts)
    factors, trust = weigh(facts)
    assert ((factors >= 0) & (factors <= 1)).all()
    assert trust == pytest.approx(factors.prod())
    for place in range(len(FACTORS)):
        worse = facts.copy()
        worse[place] = facts[place] * 2 + 0.01
        assert weigh(worse)[1] <= trust


def test_nothing_wrong_is_exactly_full_and_what_is_not_known_is_the_worst():
    assert (weigh(np.zeros((3, 2, len(FACTORS))))[1] == 1.0).all()
    for place in set(range(len(FACTORS))) - {VOLUME}:
        facts = np.zeros(len(FACTORS))
        facts[place] = np.nan
        assert weigh(facts)[1] == 0.0, FACTORS[place]


def test_a_stream_is_overdue_once_its_next_bar_should_have_closed():
    closed = np.array([[NOW, NOW - HOUR], [NOW - 3 * MINUTE, 0]])
    assert overdue(closed, LENGTHS, NOW).tolist() == [[0.0, 0.0], [2.0, 0.0]]


def test_each_fault_of_a_symbol_is_one_of_its_streams():
    wrong = replace(
        nothing(), mismatch=np.array([0.0, 0.02]), revised=np.array([0.03, 0.0]),
        suspicious=np.array([True, False]), ended=np.array([False, True]), skew_ms=-2_000,
    )
    facts = blamed(wrong)
    assert facts[0, :, [MISMATCH, REVISIONS, PRICE, LISTING]].tolist() == [
        [0, 0], [0.03, 0.03], [1, 1], [0, 0],
    ]
    assert facts[1, :, [MISMATCH, REVISIONS, PRICE, LISTING]].tolist() == [
        [0.02, 0.02], [0, 0], [0, 0], [1, 1],
    ]
    assert (facts[..., CLOCK] == 2_000).all()
    assert not blamed(nothing()).any()


def test_missing_bars_weigh_less_in_longer_ones_and_pending_ones_stop_all():
    facts = blamed(replace(nothing(), missing=np.array([0.06, 0.01]),
                           pending=np.array([False, True])))
    assert facts[0, :, GAPS] == pytest.approx([0.06, 0.001])
    assert facts[1, :, GAPS].tolist() == [1.0, 1.0]
    assert weigh(facts)[1][1].tolist() == [0.0, 0.0]


def test_a_silent_feed_makes_the_shortest_streams_old_first():
    for silent, trust in ((0.5, [1, 1]), (1.5, [0.5, 1]), (5.0, [0, 1]), (104.0, [0, 1]),
                          (149.0, [0, 0.5]), (179.0, [0, 0])):
        facts = blamed(replace(nothing(1), overdue=np.array([silent])))
        assert weigh(facts)[1][0] == pytest.approx(trust), silent


def test_known_gaps_never_become_smaller():
    facts = np.zeros((2, 2, len(FACTORS)))
    facts[..., GAPS] = 0.1
    facts[..., AGE] = 3.0
    blame(facts, nothing(), MINUTE, LENGTHS, np.full((2, 2), NOW), np.full(2, NOW))
    assert (facts[..., GAPS] == 0.1).all()
    assert (facts[..., AGE] == 3.0).all()


def test_faults_of_some_symbols_in_their_order():
    faults = replace(nothing(), missing=np.array([0.1, 0.2]), ended=np.array([True, False]),
                     skew_ms=7)
    part = faults.take(["B/USDT", "NEW/USDT", "A/USDT"], ["A/USDT", "B/USDT"])
    assert part.missing.tolist() == [0.2, 0.0, 0.1]
    assert part.ended.tolist() == [False, False, True]
    assert part.skew_ms == 7
