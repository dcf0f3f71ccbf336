"""Point-in-time records as frames: plain values in JSON, prints as arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any, Final, get_args

import numpy as np

from opportunity.market.observations import Observation, Record, Trades
from opportunity.storage.frames import Frame

RECORDS: Final = "records"

_KINDS: Final[dict[str, type[Observation]]] = {t.__name__: t for t in get_args(Observation)}

PIECE: Final = 400
"""Records of one frame: writing it holds the interpreter for about a millisecond."""


def frames_of(records: Sequence[Record]) -> Iterator[Frame]:
    """Return records as frames, in their order; only the last one has `last` set."""
    waiting = iter(records)
    left = len(records)
    while left:
        piece = list(islice(waiting, PIECE))
        left -= len(piece)
        yield _frame(piece, left == 0)


def _frame(piece: Sequence[Record], last: bool) -> Frame:
    rows: list[list[object]] = []
    blocks: list[Trades] = []
    for record in piece:
        if isinstance(record, Trades):
            rows.append(["Trades", {"source": record.source, "symbol": record.symbol,
                                    "n": len(record)}])
            blocks.append(record)
        else:
            rows.append([type(record).__name__, asdict(record)])
    arrays = {} if not blocks else {
        "time": np.concatenate([b.time for b in blocks]),
        "price": np.concatenate([b.price for b in blocks]),
        "amount": np.concatenate([b.amount for b in blocks]),
        "side": np.concatenate([b.side for b in blocks]),
    }
    return Frame(RECORDS, {"rows": rows, "last": last}, arrays)


def records_of(frame: Frame) -> list[Record]:
    """Return the records of a frame.

    Raises
    ------
    KeyError
        If it holds a kind of record that is not known here.
    """
    found: list[Record] = []
    place = 0
    for kind, body in frame.meta["rows"]:
        if kind == "Trades":
            part = slice(place, place + body["n"])
            place = part.stop
            columns = (frame.arrays[name][part] for name in ("time", "price", "amount", "side"))
            found.append(Trades(body["source"], body["symbol"], *columns))
        else:
            found.append(_KINDS[kind](**{name: _frozen(value) for name, value in body.items()}))
    return found


def _frozen(value: Any) -> Any:
    """Turn the lists of JSON into the tuples that records hold."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
