"""Records of the kernels as rows of tables and back, bit for bit: NaN is null, infinities texts."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.trading.records import BOUNDS, REASONS, STATUSES, TRADE
from opportunity.trading.terms import new_account, new_positions, new_tally

Records = NDArray[Any]

_FAR: Final = {"inf": math.inf, "-inf": -math.inf}


def plain(value: Any) -> Any:
    """Return a value of a record as JSON holds it; floats keep every bit."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else repr(value)
    return value


def encode(record: Records) -> dict[str, Any]:
    """Return a record, shape (1,), as plain values by field."""
    return {name: plain(record[name][0].tolist()) for name in record.dtype.names or ()}


def decode(body: Mapping[str, Any], empty: Records) -> Records:
    """Return the record of which `encode` told.

    Parameters
    ----------
    body : mapping
        Fields that this version does not know are left out.
    empty : ndarray, shape (1,)
        Gives the fields that the body lacks; changed in place.
    """
    for name in empty.dtype.names or ():
        if name in body:
            empty[name][0] = _back(body[name])
    return empty


def _back(value: Any) -> Any:
    if isinstance(value, list):
        return [_back(v) for v in value]
    if value is None:
        return math.nan
    return _FAR.get(value, value) if isinstance(value, str) else value


def account_body(account: Records, tally: Records) -> dict[str, Any]:
    """Return account and running sums as the column `book.account` holds them."""
    return {"account": encode(account), "tally": encode(tally)}


def accounts_of(body: Mapping[str, Any], cash: float) -> tuple[Records, Records]:
    """Return account and running sums of `account_body`."""
    return decode(body["account"], new_account(cash)), decode(body["tally"], new_tally(cash))


def position_of(body: Mapping[str, Any]) -> Records:
    """Return the position of which `encode` told; shape (1,)."""
    return decode(body, new_positions(1))


def order_rows(
    key: Mapping[str, Any], symbols: tuple[str, ...], numbers: NDArray[np.int64], orders: Records
) -> list[dict[str, Any]]:
    """Return ORDER records as rows of `paper_order`."""
    rows = []
    for number, order in zip(numbers.tolist(), orders, strict=True):
        bound = int(order["bound"]) if "bound" in (orders.dtype.names or ()) else -1
        rows.append({
            **key, "number": number, "time": int(order["time"]),
            "symbol": symbols[int(order["symbol"])], "side": int(order["side"]),
            "reason": REASONS[int(order["reason"])], "status": STATUSES[int(order["status"])],
            "limit_price": known(order["limit"]), "distance": known(order["distance"]),
            "score": known(order["score"]), "confidence": known(order["confidence"]),
            "size_by": BOUNDS[bound] if bound >= 0 else "",
        })  # fmt: skip
    return rows


def fill_rows(
    key: Mapping[str, Any], symbols: tuple[str, ...], first: int, fills: Records
) -> list[dict[str, Any]]:
    """Return FILL records as rows of `fill`."""
    return [
        {
            **key, "number": first + i, "time": int(fill["time"]),
            "symbol": symbols[int(fill["symbol"])], "side": int(fill["side"]),
            "reason": REASONS[int(fill["reason"])], "quantity": float(fill["quantity"]),
            "reference": float(fill["reference"]), "price": float(fill["price"]),
            "fee": float(fill["fee"]), "slippage": float(fill["slippage"]),
            "trade": int(fill["number"]),
        }
        for i, fill in enumerate(fills)
    ]  # fmt: skip


def trade_rows(
    key: Mapping[str, Any], symbols: tuple[str, ...], first: int, trades: Records
) -> list[dict[str, Any]]:
    """Return TRADE records as rows of `trade`."""
    rows = []
    for i, trade in enumerate(trades):
        row = {name: trade[name].item() for name in TRADE.names or ()}
        row |= {name: known(row[name]) for name in ("r", "mae", "mfe", "score", "confidence")}
        entry_number = row.pop("number")
        rows.append({
            **row, **key, "number": first + i, "entry_number": entry_number,
            "symbol": symbols[int(trade["symbol"])], "reason": REASONS[int(trade["reason"])],
        })  # fmt: skip
    return rows


def known(value: Any) -> float | None:
    """Return a number as a column holds it: None for NaN and infinities."""
    return float(value) if math.isfinite(value) else None
