import numpy as np

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.presence import existing

READERS = {"sentiment", "news", "whales"}


def test_detectors_of_bars_always_have_what_they_read():
    there = dict(zip(DETECTOR_NAMES, existing().tolist(), strict=True))
    assert {name for name, found in there.items() if not found} == READERS


def test_a_detector_of_records_is_there_once_it_has_a_score_anywhere():
    scores = np.full((3, 2, len(DETECTOR_NAMES)), np.nan)
    assert existing(scores).sum() == 6
    scores[2, 1, DETECTOR_NAMES.index("news")] = 0.0
    there = dict(zip(DETECTOR_NAMES, existing(scores).tolist(), strict=True))
    assert {name for name, found in there.items() if not found} == READERS - {"news"}
