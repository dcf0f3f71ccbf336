import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from opportunity.contracts.base import TIMEFRAME_NAMES
from opportunity.contracts.scanned import ScannedQuery


@given(st.lists(st.sampled_from(TIMEFRAME_NAMES), min_size=1, max_size=11))
def test_timeframes_with_commas_are_read(names):
    assert ScannedQuery(timeframes=",".join(names)).timeframes.split(",") == names


@pytest.mark.parametrize("text", ["", ",", "1h,", "3m", "1h 4h", "1h,4h\n", ",".join(["1h"] * 12)])
def test_anything_else_is_refused(text):
    with pytest.raises(ValidationError):
        ScannedQuery(timeframes=text)
