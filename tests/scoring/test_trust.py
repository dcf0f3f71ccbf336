import math

import numpy as np
import pytest

from opportunity.market.trust import CLOCK, FACTORS, GAPS, MISMATCH, VOLUME
from opportunity.scoring.trust import summarise, symbol_note, symbol_trust, trust_note

NAN = math.nan


def wrong(**facts):
    values = np.zeros(len(FACTORS))
    for name, fact in facts.items():
        values[FACTORS.index(name)] = fact
    return values


def test_a_symbol_is_trusted_as_its_scored_timeframes_by_weight():
    trust = np.array([[1.0, 0.4], [0.2, 0.8], [0.5, 0.5]])
    net = np.array([[0.1, -0.2], [0.3, NAN], [NAN, NAN]])
    found = symbol_trust(trust, net, np.array([1.0, 3.0]))
    np.testing.assert_allclose(found, [0.55, 0.2, NAN])
    assert (symbol_trust(np.ones((2, 3)), np.zeros((2, 3)), np.array([0.25, 0.3, 0.2])) == 1).all()


def test_the_market_is_summed_up():
    found = summarise(np.array([1.0, NAN, 0.4, 0.9]), 0.5)
    assert (found.lowest, found.median, found.n_vetoed, found.n_symbols) == (0.4, 0.9, 1, 3)
    assert summarise(np.array([NAN]), 0.5).n_symbols == 0


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ""),
        ({"age": 1.5}, "the next of the 1h bars is 1.5 bars overdue"),
        ({"gaps": 0.04}, "4 % of the 1h bars missing lately"),
        ({"gaps": 0.007}, "0.7 % of the 1h bars missing lately"),
        ({"gaps": 0.004}, ""),
        ({"gaps": 1.0}, "bars are missing and being asked for"),
        ({"mismatch": 0.02}, "stream and exchange disagree on 2 % of the bars"),
        ({"revisions": 0.01}, "1 % of the bars changed after they had closed"),
        ({"volume": 4}, "no volume in the last 4 1h bars"),
        ({"price": 1}, "the newest price is not confirmed"),
        ({"clock": 2_340}, "the clocks differ by 2.3 s"),
        ({"listing": 1}, "not traded any more, or halted"),
        ({"gaps": 0.04, "mismatch": 0.02},
         "4 % of the 1h bars missing lately; stream and exchange disagree on 2 % of the bars"),
    ],
)
def test_each_fact_has_its_words(facts, said):
    assert trust_note(wrong(**facts), "1h") == said


def test_a_symbol_tells_the_worst_of_each_kind_of_what_scored():
    facts = np.stack([wrong(gaps=0.02, clock=2_000), wrong(gaps=0.1), wrong(volume=9)])
    scored = np.array([True, True, False])
    assert symbol_note(facts, ("1m", "5m", "1h"), scored) == (
        "10 % of the 5m bars missing lately; the clocks differ by 2.0 s"
    )
    assert symbol_note(facts, ("1m", "5m", "1h"), ~np.ones(3, np.bool_)) == ""
    assert {GAPS, MISMATCH, VOLUME, CLOCK} == {1, 2, 4, 6}
