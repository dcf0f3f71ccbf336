from dataclasses import astuple

import numpy as np
from builders import random_bars
from observed import observations

from opportunity.market.observations import PrintMinute, Trades
from opportunity.storage.frames import pack, unpack
from opportunity.storage.record_frames import PIECE, frames_of, records_of


def back(records) -> list:
    stored = [unpack(b"".join(pack(frame))) for frame in frames_of(records)]
    assert [f.meta["last"] for f in stored] == [False] * (len(stored) - 1) + [True] * bool(stored)
    return [r for frame in stored for r in records_of(frame)]


def test_records_of_every_kind_come_back_in_order() -> None:
    records = observations(random_bars(300))
    records.append(
        PrintMinute(1, 2, "x", "A/B", 1.0, 2.0, 0.5, 0.1, 3, -0.2, 9.0, 0.0, ((1, 2), (3, 4)))
    )
    found = back(records)
    assert len(found) == len(records) > 3 * PIECE
    assert len({type(r) for r in records}) == 11
    for one, other in zip(found, records, strict=True):
        assert type(one) is type(other)
        if isinstance(one, Trades):
            for mine, theirs in zip(
                (one.time, one.price, one.amount, one.side),
                (other.time, other.price, other.amount, other.side), strict=True,
            ):  # fmt: skip
                np.testing.assert_array_equal(mine, theirs)
            assert (one.source, one.symbol) == (other.source, other.symbol)
        else:
            assert astuple(one) == astuple(other)


def test_no_records_make_no_frame() -> None:
    assert list(frames_of([])) == []
