import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from opportunity.contracts.base import (
    SYMBOL_PATTERN,
    TIMEFRAME_NAMES,
    Answer,
    Body,
    Number,
    Query,
    Signed,
    Unit,
    either,
    null_if_undefined,
)
from opportunity.market.symbols import QUOTES, parse_symbol
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


SPELT = st.from_regex(re.compile(SYMBOL_PATTERN), fullmatch=True)
LIKE = st.text(alphabet="BTCUSDbtcusd/_-:0", min_size=2, max_size=48)


@given(st.one_of(SPELT, LIKE, st.text(min_size=2, max_size=48)))
def test_documents_tell_of_symbols_what_the_parser_reads(text):
    told = re.fullmatch(SYMBOL_PATTERN, text) is not None
    try:
        parse_symbol(text)
    except ValueError:
        read = False
    else:
        read = text == text.strip()  # blanks around a symbol are forgiven, and not told of
    assert told == read


@pytest.mark.parametrize("quote", QUOTES)
def test_documents_know_every_quote_currency(quote):
    assert re.fullmatch(SYMBOL_PATTERN, f"xy{quote.lower()}")
    assert re.fullmatch(SYMBOL_PATTERN, f"XY{quote}:{quote}")


def test_one_of_two_fields():
    check = Draft202012Validator(either("a", "b"))
    for fits in ({"a": 1}, {"b": 1}, {"a": 1, "b": None}, {"a": None, "b": 2}):
        assert check.is_valid(fits)
    for wrong in ({}, {"a": 1, "b": 1}, {"a": None}, {"a": None, "b": None}):
        assert not check.is_valid(wrong)
