import math

import pytest

from opportunity.market.prices import Price, price_text


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (64_210.0, "64,210"), (103_412.48, "103,412.5"), (1e8, "100,000,000"), (1000.04, "1,000"),
        (999.999, "1,000"), (71.25, "71.25"), (71.5, "71.5"), (10.0, "10"), (1.23456, "1.235"),
        (1.0, "1"), (0.5, "0.5"), (0.12346, "0.1235"), (0.000009725, "0.000009725"),
        (1e-8, "0.00000001"), (0.0, "0"), (-64_210.5, "-64,210.5"), (math.nan, "nan"),
    ],
)
def test_a_price_is_written_with_the_digits_of_its_size(price, text):
    assert price_text(price) == text


@pytest.mark.parametrize("price", [1e-9, 3.7e-5, 0.7, 4.2, 88.0, 5e3, 7.5e7])
def test_what_is_written_reads_back_to_four_figures(price):
    assert float(price_text(price).replace(",", "")) == pytest.approx(price, rel=5e-4)


def test_templates_get_the_price_whatever_precision_they_ask_for():
    price = Price(64_210.0)
    told = f"{price} {price:.6g} {price:.8g} {price!s} {price:.2f}"
    assert told == "64,210 64,210 64,210 64,210 64210.00"
    assert price == 64_210.0
