import math

import numpy as np
import pytest
from pydantic import ValidationError

from opportunity.contracts.base import (
    TIMEFRAME_NAMES,
    Answer,
    Body,
    Number,
    Query,
    Signed,
    Unit,
    null_if_undefined,
)
from opportunity.market.timeframe import TIMEFRAMES


class Out(Answer):
    number: Number
    unit: Unit
    signed: Signed
    plain: float = 0.0


class In(Body):
    n: int = 0
    x: float = 0.0
    on: bool = False


class Asked(Query):
    n: int = 0
    on: bool = False


def test_timeframes_are_those_of_the_market():
    assert TIMEFRAME_NAMES == TIMEFRAMES


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_undefined_numbers_become_null_in_one_place(value):
    assert null_if_undefined(value) is None
    out = Out(number=value, unit=value, signed=value)
    assert (out.number, out.unit, out.signed) == (None, None, None)
    with pytest.raises(ValidationError):
        Out(number=0, unit=0, signed=0, plain=value)


def test_rounding_is_cut_and_more_is_refused():
    out = Out(number=5, unit=1.0000000000000002, signed=-1.0000000000000002)
    assert (out.unit, out.signed) == (1.0, -1.0)
    for broken in ({"unit": 1.001, "signed": 0}, {"unit": 0, "signed": -1.001}):
        with pytest.raises(ValidationError):
            Out(number=0, **broken)


def test_answers_and_bodies_know_their_fields():
    with pytest.raises(ValidationError):
        Out(number=0, unit=0, signed=0, more=1)
    with pytest.raises(ValidationError):
        In.model_validate({"m": 1})


@pytest.mark.parametrize("wrong", [{"n": "5"}, {"n": 5.0}, {"n": True}, {"on": 1}, {"x": math.nan}])
def test_bodies_do_not_guess_types(wrong):
    with pytest.raises(ValidationError):
        In.model_validate(wrong)


def test_bodies_take_whole_numbers_for_floats_and_queries_read_text():
    assert In.model_validate({"x": 1}).x == 1.0
    assert Asked.model_validate({"n": "5", "on": "false"}) == Asked(n=5, on=False)
    with pytest.raises(ValidationError):
        Asked.model_validate({"n": "five"})
