from app.components.labels import HINTS, LABELS, badge
from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS


def test_every_detector_has_a_label_and_a_hint() -> None:
    assert tuple(LABELS) == tuple(HINTS) == DETECTOR_NAMES


def test_badges_read_as_words() -> None:
    for detector in DETECTORS:
        for kind in detector.kinds:
            assert "_" not in badge(kind.name)
    assert badge("inside_bar") == "Inside bar"
    assert badge("SAR flip") == "SAR flip"
