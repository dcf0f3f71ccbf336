import numpy as np
import pytest
from builders import random_bars
from observed import observations

from opportunity.detectors import DETECTORS
from opportunity.detectors.inputs import Observed, records_about
from opportunity.market.observations import Funding, Trades

BARS = random_bars(300, seed=2)
READERS = [d for d in DETECTORS if d.needs]
readers = pytest.mark.parametrize("kind", READERS, ids=lambda d: d.name)


@readers
def test_joined_rows_pass_through_and_have_to_fit(kind):
    detector = kind()
    rows = np.full((len(BARS), len(kind.columns)), np.nan)
    assert detector.observe(BARS, Observed(rows, True)).rows is rows
    with pytest.raises(ValueError, match=r"rows must be of shape \(300, \d+\), was \(299, \d+\)"):
        detector.detect(BARS, Observed(rows[1:], True))


@readers
def test_inputs_taken_in_pieces_answer_as_those_taken_at_once(kind):
    known = [r for r in observations(BARS) if isinstance(r, tuple(kind.needs))]
    whole, pieces = (kind().new_inputs(("OTHER/USDT", "TEST/USDT")) for _ in range(2))
    whole.take(known)
    for part in range(0, len(known), 97):
        pieces.take(known[part : part + 97])
    asked = np.ones(len(BARS), np.int64), BARS.time, BARS.close_time
    np.testing.assert_array_equal(pieces.rows(*asked), whole.rows(*asked))
    assert whole.connected
    assert whole.rows(*asked).shape == (len(BARS), len(kind.columns))


@readers
def test_what_is_forgotten_is_not_missed_later(kind):
    known = [r for r in observations(BARS) if isinstance(r, tuple(kind.needs))]
    kept, full = (kind().new_inputs(("TEST/USDT",)) for _ in range(2))
    for inputs in (kept, full):
        inputs.take(known)
    kept.forget(int(BARS.time[200]))
    asked = np.zeros(100, np.int64), BARS.time[200:], BARS.close_time[200:]
    np.testing.assert_array_equal(kept.rows(*asked), full.rows(*asked))


def test_only_detectors_of_records_have_inputs():
    for kind in DETECTORS:
        assert (kind().new_inputs(("A/USDT",)) is None) == (not kind.needs)
        assert bool(kind.needs) == bool(kind.columns)


class Folder:
    """Records that can be asked about bars."""

    def about(self, bars):
        return observations(bars)


@readers
def test_a_folder_is_asked_about_the_bars(kind):
    found, same = kind().detect(BARS, Folder()), kind().detect(BARS, observations(BARS))
    assert found.connected
    np.testing.assert_array_equal(found.score, same.score)


@readers
@pytest.mark.parametrize(
    ("given", "came"),
    [
        ("fear_greed.csv", "was str"),
        ([1, 2], "was an iterable with int"),
        ({"a": 1}, "was dict"),
        (BARS, "was Bars"),
        (3, "was int"),
        ([*observations(BARS)[:3], "x"], "was an iterable with str"),
    ],
)
def test_what_is_no_record_is_refused(kind, given, came):
    with pytest.raises(TypeError, match=rf"must be records of .*op\.read_records.*{came}$"):
        kind().detect(BARS, given)


@readers
def test_a_block_of_prints_is_records(kind):
    block = next(r for r in observations(BARS) if isinstance(r, Trades))
    assert records_about(BARS, [block]) == [block]
    assert records_about(BARS, block) == list(block)
    kind().detect(BARS, block)


@readers
@pytest.mark.parametrize("labels", [{"symbol": ""}, {"timeframe": None}])
def test_records_need_bars_that_say_whose_they_are(kind, labels):
    bars = BARS.label(**labels)
    for known in (observations(BARS), [r for r in observations(BARS) if isinstance(r, Funding)]):
        with pytest.raises(ValueError, match="bars must carry a timeframe and a symbol"):
            kind().detect(bars, known)
    assert not kind().detect(bars, []).connected
