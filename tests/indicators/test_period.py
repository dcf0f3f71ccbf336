import numpy as np
import pytest

from opportunity.indicators.period import LONGEST, require_period


@pytest.mark.parametrize("given", [2, LONGEST, np.int32(14)])
def test_require_period_returns_a_plain_int(given):
    assert type(require_period(given)) is int
    assert require_period(given) == given


@pytest.mark.parametrize("given", [1, 0, -14, LONGEST + 1])
def test_require_period_names_rule_and_value(given):
    with pytest.raises(ValueError, match=rf"fast must be in \[2, 100000\], was {given}"):
        require_period(given, name="fast")


@pytest.mark.parametrize("given", [14.0, "14", None, True])
def test_require_period_takes_integers_only(given):
    with pytest.raises(TypeError, match="period must be an integer"):
        require_period(given)
