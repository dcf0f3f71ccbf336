from dataclasses import fields

import pytest

from app.exchange.faults import Fault, make
from app.exchange.injector import FAULTS

GIVEN = {"delist": {"symbols": ["BTC/USDT"]}, "swap": {"symbols": ["BTC/USDT", "ETH/USDT"]}}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_is_made_of_its_name_and_written_back(kind: str) -> None:
    fault = make(FAULTS, {"kind": kind, **GIVEN.get(kind, {})})
    assert type(fault) is FAULTS[kind]
    assert make(FAULTS, fault.as_dict()) == fault
    assert type(fault).__doc__


@pytest.mark.parametrize("kind", FAULTS)
def test_every_number_has_bounds(kind: str) -> None:
    made = FAULTS[kind]
    for field in fields(made):
        if field.type in (int, float, int | None, float | None) and "status" not in field.name:
            low, high = ({**made.bounds} | _common())[field.name]
            for value in (low - 1, high + 1):
                with pytest.raises(ValueError, match=rf"{field.name} must be between .*, was"):
                    make(FAULTS, {"kind": kind, **GIVEN.get(kind, {}), field.name: _as(
                        field.type, value)})


def _common() -> dict[str, tuple[float, float]]:
    from app.exchange.faults import _BOUNDS

    return dict(_BOUNDS)


def _as(kind: object, value: float) -> float:
    return int(value) if kind in (int, int | None) else float(value)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ([], r"fault must be a JSON object, was '\[\]'"),
        ({}, "kind must be a known name, was None"),
        ({"kind": "stal"}, "Did you mean 'stall'"),
        ({"kind": "stall", "for": 3}, "Did you mean 'for_s'"),
        ({"kind": "stall", "for_s": "3"}, "for_s must be a number, was '3'"),
        ({"kind": "stall", "for_s": True}, "for_s must be a number, was True"),
        ({"kind": "stall", "for_s": float("nan")}, "for_s must be a number, was nan"),
        ({"kind": "stall", "times": 1.5}, "times must be a whole number, was 1.5"),
        ({"kind": "stall", "new_too": 1}, "new_too must be true or false, was 1"),
        ({"kind": "stall", "symbols": "BTCUSDT"}, "symbols must be a list of str"),
        ({"kind": "stall", "symbols": ["?"]}, "symbol must be BASE/QUOTE"),
        ({"kind": "stall", "probability": 0.0}, "probability must be > 0"),
        ({"kind": "rate_limit", "status": 400}, "rate_limit status must be a known name"),
        ({"kind": "server_error", "status": 400}, "status must be between 500 and 599, was 400"),
        ({"kind": "gap", "where": "rest"}, "gap where must be a known name, was 'rest'"),
        ({"kind": "gap", "bars": [True]}, "bars must be a list of int"),
        ({"kind": "delist"}, "symbols must be given for delist"),
        ({"kind": "swap", "symbols": ["BTC/USDT"]}, "symbols must be two for swap"),
        ({"kind": "bad_frame", "what": "html"}, "bad_frame what must be a known name"),
    ],
)
def test_wrong_order_says_what_is_wrong(payload: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(FAULTS, payload)


def test_symbols_are_taken_in_any_spelling() -> None:
    fault = Fault(symbols=("btc-usdt", "ETHUSDT"))
    assert fault.symbols == ("BTC/USDT", "ETH/USDT")
    assert fault.concerns("ETH/USDT")
    assert not fault.concerns("SOL/USDT")
    assert not fault.concerns(None)
    assert Fault().concerns(None)
