from builders import random_bars

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.detectors.pending import Pending


def test_pending_detectors_hold_a_name_and_nothing_else():
    names = [d.name for d in DETECTORS if issubclass(d, Pending)]
    assert set(names) < set(DETECTOR_NAMES)
    assert all(not d.built for d in DETECTORS if d.name in names)
    assert all(d.built for d in DETECTORS if d.name not in names)


def test_pending_detector_counts_the_bars_it_sees():
    detector = next(d for d in DETECTORS if not d.built)()
    for bar in random_bars(5):
        detector.update(bar)
    assert detector.snapshot()["state"]["n"][0] == 5
