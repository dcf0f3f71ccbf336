import pytest
from pydantic import ValidationError

from opportunity.contracts.health import Health
from opportunity.contracts.system import KnownDetector, ProvidersHealth


def test_states_are_those_of_health():
    one = ProvidersHealth.model_json_schema()["properties"]["status"]["enum"]
    assert one == Health.model_json_schema()["properties"]["status"]["enum"]


def test_share_is_a_fraction_or_null():
    given = {"name": "sar", "title": "SAR", "reads": [], "weight": 0.1, "connected": True,
             "streams": 0, "kinds": []}  # fmt: skip
    assert KnownDetector(share=None, **given).share is None
    with pytest.raises(ValidationError):
        KnownDetector(share=1.2, **given)
