import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from opportunity.storage.ledger_rows import (
    accounts_of,
    decode,
    encode,
    fill_rows,
    known,
    order_rows,
    position_of,
    trade_rows,
)
from opportunity.trading.records import ACCOUNT, FILL, ORDER, POSITION, TALLY, TRADE
from opportunity.trading.terms import new_account, new_positions, new_tally

FLOATS = st.floats(width=64, allow_nan=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)


def filled(kind: np.dtype, data) -> np.ndarray:
    record = np.zeros(1, kind)
    for name in kind.names:
        field = record[name]
        drawn = FLOATS if field.dtype == np.float64 else WHOLE
        record[name] = np.array([data.draw(drawn) for _ in range(field.size)]).reshape(field.shape)
    return record


@given(st.data())
def test_every_bit_survives_json(data) -> None:
    for kind in (ACCOUNT, TALLY, POSITION):
        record = filled(kind, data)
        text = json.dumps(encode(record), allow_nan=False)
        assert decode(json.loads(text), np.zeros(1, kind)).tobytes() == record.tobytes()


def test_what_is_not_finite_is_told_apart() -> None:
    record = new_account(1.0)
    record["cash"], record["equity"], record["peak"] = np.nan, np.inf, -np.inf
    body = encode(record)
    assert (body["cash"], body["equity"], body["peak"]) == (None, "inf", "-inf")
    back = decode(body, new_account(1.0))[0]
    assert math.isnan(back["cash"])
    assert (back["equity"], back["peak"]) == (np.inf, -np.inf)


def test_other_versions_are_read_as_far_as_they_go() -> None:
    body = encode(new_positions(1)) | {"unheard_of": 5}
    del body["stop"], body["quantity"]
    found = position_of(body)
    assert math.isnan(found["stop"][0])
    assert found["quantity"][0] == 0.0
    account, tally = accounts_of({"account": {}, "tally": {"wins": 3}}, 70.0)
    assert account.tobytes() == new_account(70.0).tobytes()
    assert tally["wins"][0] == 3
    assert tally["peak"] == new_tally(70.0)["peak"]


def test_rows_name_symbols_reasons_and_bounds() -> None:
    key = {"book": "paper", "epoch": 2}
    orders = np.zeros(2, ORDER)
    orders["symbol"], orders["reason"], orders["status"] = [1, 0], [0, 3], [1, 0]
    orders["bound"], orders["limit"] = [3, -1], [np.nan, 5.0]
    first, second = order_rows(key, ("A", "B"), np.array([7, 9]), orders)
    assert (first["number"], first["symbol"], first["size_by"]) == (7, "B", "liquidity")
    assert (first["limit_price"], second["limit_price"]) == (None, 5.0)
    assert (second["reason"], second["status"], second["size_by"]) == ("TIME", "placed", "")
    fills = np.zeros(2, FILL)
    fills["reason"], fills["number"] = [1, 7], 4
    told = fill_rows(key, ("A", "B"), 11, fills)
    said = [(f["number"], f["reason"], f["trade"]) for f in told]
    assert said == [(11, "SL", 4), (12, "GONE", 4)]
    trades = np.zeros(1, TRADE)
    trades["number"], trades["r"], trades["mfe"] = 5, np.nan, np.inf
    (trade,) = trade_rows(key, ("A",), 3, trades)
    assert (trade["number"], trade["entry_number"], trade["r"], trade["mfe"]) == (3, 5, None, None)
    json.dumps([first, second, *told, trade], allow_nan=False)


def test_known_numbers() -> None:
    assert known(np.float64(1.5)) == 1.5
    assert known(np.nan) is None
