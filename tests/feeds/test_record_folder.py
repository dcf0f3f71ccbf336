from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import random_bars

from opportunity.errors import CoverageError
from opportunity.feeds.record_folder import FolderRecords
from opportunity.feeds.records import HEARTBEAT_MS
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    Heartbeat,
    OpenInterest,
    OrderBook,
    Trades,
    Transfer,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS

TIME = 1_704_067_200_000
BTC, ETH = "BTC/USDT", "ETH/USDT"


def put(path: Path, times, **columns) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame({"timestamp": times, **columns})
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)


@pytest.fixture
def root(tmp_path) -> Path:
    every = [TIME + 8 * HOUR_MS * i for i in range(6)]
    for pair, rate in (("BTC-USDT", 1e-4), ("ETH-USDT", 2e-4)):
        put(tmp_path / "perps" / pair / "funding_rate.parquet", every, funding_rate=[rate] * 6)
    put(tmp_path / "perps" / "BTC-USDT" / "1h.parquet", every, open=[1.0] * 6)
    put(tmp_path / "spot" / "BTC-USDT" / "trades.csv", [TIME + 1, TIME + 5, TIME + HOUR_MS],
        price=[1, 2, 3], amount=[1, 1, 1], side=["buy", "sell", "buy"])  # fmt: skip
    put(tmp_path / "sentiment" / "fear_greed_1d.csv", [TIME, TIME + DAY_MS], value=[20, 30])
    put(tmp_path / "news" / "paper.csv", [TIME + HOUR_MS, TIME + 2 * HOUR_MS], title=["a", "b"])
    put(tmp_path / "whales" / "btc_transfers.csv", [TIME, TIME], asset=["BTC", "ETH"],
        amount=[5, 6], flow=["in", "out"])  # fmt: skip
    (tmp_path / "README.md").write_text("not a record")
    return tmp_path


def test_folder_tells_what_it_holds(root, tmp_path_factory):
    held = FolderRecords(root).kinds
    assert {*held} == {FearGreed, Funding, Headline, Heartbeat, Trades, Transfer}
    empty = FolderRecords(tmp_path_factory.mktemp("empty"))
    assert empty.kinds == ()
    assert empty.between((Funding, Heartbeat, Trades), 0, 2**60) == []


def test_records_come_in_the_order_in_which_they_became_known(root):
    found = FolderRecords(root).between((Funding, FearGreed, Headline), TIME, TIME + 2 * DAY_MS)
    known = [r.available_at for r in found]
    assert known == sorted(known)
    assert len(found) == 12 + 1 + 2  # the second value is known two days later
    assert {r.source for r in found} == {"perps", "fear_greed_1d", "paper"}
    assert {r.symbol for r in found if isinstance(r, Funding)} == {BTC, ETH}


def test_bounds_are_of_when_it_was_known(root):
    folder = FolderRecords(root)
    at = TIME + 8 * HOUR_MS
    assert [r.symbol for r in folder.between((Funding,), at, at + 1)] == [BTC, ETH]
    assert folder.between((Funding,), at + 1, at + 8 * HOUR_MS) == []
    assert folder.between((Funding,), at, at) == []
    assert folder.between((FearGreed,), TIME, TIME + DAY_MS) == []
    (mood,) = folder.between((FearGreed,), TIME + DAY_MS, TIME + DAY_MS + 1)
    assert mood.event_time == TIME


def test_pieces_make_the_whole(root):
    kinds = (Funding, FearGreed, Headline, Heartbeat, Transfer)
    whole = FolderRecords(root).between(kinds, TIME, TIME + 3 * DAY_MS)
    folder = FolderRecords(root)
    edges = np.linspace(TIME, TIME + 3 * DAY_MS, 38).astype(np.int64).tolist()
    pieces = [
        r for a, b in pairwise(edges) for r in folder.between(kinds, a, b)
    ]
    assert sorted(pieces, key=repr) == sorted(whole, key=repr)
    assert [r.available_at for r in pieces] == [r.available_at for r in whole]


def test_symbols_pick_their_own_records_and_those_of_their_coins(root):
    folder = FolderRecords(root)
    kinds = (Funding, Transfer, Trades, FearGreed, Headline)
    for symbol in (ETH, "ETH/USDT:USDT"):
        found = folder.between(kinds, TIME, TIME + 3 * DAY_MS, [symbol])
        assert {type(r) for r in found} == {Funding, Transfer, FearGreed, Headline}
        assert {r.symbol for r in found if isinstance(r, Funding)} == {ETH}
        assert [r.asset for r in found if isinstance(r, Transfer)] == ["ETH"]
    assert len(folder.between((Funding,), TIME, TIME + 3 * DAY_MS, [])) == 0


def test_prints_come_as_a_part_of_their_block(root):
    folder = FolderRecords(root)
    (block,) = folder.between((Trades,), TIME + 5, TIME + HOUR_MS)
    assert (block.time.tolist(), block.price.tolist()) == ([TIME + 5], [2.0])
    assert (block.source, block.symbol) == ("spot", BTC)
    assert folder.between((Trades,), TIME + 6, TIME + HOUR_MS) == []


def test_archive_of_headlines_was_watched_from_its_first_to_its_last(root):
    beats = FolderRecords(root).between((Heartbeat,), 0, 2**60)
    expected = range(TIME + HOUR_MS, TIME + 2 * HOUR_MS + 1, HEARTBEAT_MS)
    assert [b.available_at for b in beats] == [*expected]
    assert {(b.source, b.of) for b in beats} == {("paper", "headline")}


def test_files_are_read_only_when_asked_for(root):
    (root / "perps" / "ETH-USDT" / "funding_rate.parquet").write_bytes(b"broken")
    folder = FolderRecords(root)
    assert len(folder.between((Funding,), 0, 2**60, [BTC])) == 6
    with pytest.raises(ValueError, match=r"ETH-USDT.funding_rate\.parquet: "):
        folder.between((Funding,), 0, 2**60, [ETH])


def test_kinds_that_are_not_there_are_no_error(root):
    assert FolderRecords(root).between((OpenInterest, OrderBook), 0, 2**60) == []


@pytest.mark.realdata
def test_recorded_folder_is_found(market_data):
    folder = FolderRecords(market_data)
    assert {*folder.kinds} == {FearGreed, Funding, Headline, Heartbeat, Trades, Transfer}
    found = folder.between((Funding, FearGreed), 1_600_000_000_000, 1_600_086_400_000, [BTC])
    assert [type(r) for r in found].count(Funding) == 3
    assert [type(r) for r in found].count(FearGreed) == 1
    (prints,) = folder.between((Trades,), 0, 2**60, ["XRP/ETH"])
    assert len(prints) == 12_477


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CoverageError, match=r"root must be an existing folder, was .*nowhere"):
        FolderRecords(tmp_path / "nowhere")


@pytest.mark.parametrize("labels", [{"symbol": ""}, {"timeframe": None}])
def test_bars_have_to_say_whose_they_are_whatever_is_there(tmp_path, labels):
    bars = random_bars(120, seed=1).label(**labels)
    with pytest.raises(ValueError, match="bars must carry a symbol and a timeframe"):
        FolderRecords(tmp_path).about(bars)
