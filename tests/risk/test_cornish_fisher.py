import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from opportunity.risk.cornish_fisher import FAR, expanded, holds


def bent(z, s, k):
    return (
        z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    )


@given(st.floats(-1.5, 1.5), st.floats(-1, 9))
def test_domain_is_where_the_quantiles_rise(s, k):
    z = np.linspace(-FAR, FAR, 100_001)
    slope = 1 + z * s / 3 + (3 * z**2 - 3) * k / 24 - (6 * z**2 - 5) * s**2 / 36
    if abs(slope.min()) > 1e-4:  # at the edge the grid cannot tell
        assert holds(s, k) == (slope.min() > 0)


def test_domain_has_the_published_corners():
    assert holds(0, 0)
    assert holds(0, 7.99)
    assert not holds(0, 8.01)
    assert holds(0, -0.1)
    assert not holds(0, -0.3)
    edge = 6 * (np.sqrt(2) - 1)  # Maillard: no skewness beyond this is ever in the domain
    kurtosis = np.linspace(0, 15, 30_001)
    assert any(holds(edge - 0.01, k) for k in kurtosis)
    assert not any(holds(edge + 0.02, k) for k in kurtosis)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(("s", "k"), [(0, 0), (0, 3), (-0.4, 1.5), (0.5, 2.0)])
def test_shortfall_is_the_integral_of_the_tail(level, s, k):
    var, es = expanded(level, s, k)
    q = stats.norm.ppf(1 - level)
    assert var == pytest.approx(-bent(q, s, k), abs=1e-12)
    area, _ = integrate.quad(lambda z: -bent(z, s, k) * stats.norm.pdf(z), -12, q)
    assert es == pytest.approx(area / (1 - level), abs=1e-7)
    assert es > var


def test_without_skewness_and_kurtosis_it_is_the_normal():
    assert expanded(0.95, 0, 0)[0] == pytest.approx(1.6448536, abs=1e-7)
    assert expanded(0.99, 0, 0)[0] == pytest.approx(2.3263479, abs=1e-7)


def test_losses_that_are_the_longer_tail_cost_more():
    assert expanded(0.99, -0.5, 2)[0] > expanded(0.99, 0, 2)[0] > expanded(0.99, 0.5, 2)[0]


def test_outside_its_domain_it_refuses():
    with pytest.raises(ValueError, match="rises, were 0 and 12"):
        expanded(0.95, 0, 12)
