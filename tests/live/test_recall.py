import asyncio
from pathlib import Path

import numpy as np
import pandas as pd
from builders import random_bars
from observed import observations

from opportunity.detectors import DETECTORS
from opportunity.feeds.record_folder import FolderRecords
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.live.recall import recall, recall_feed
from opportunity.live.scanner import scan
from opportunity.market.observations import FearGreed, Funding
from opportunity.market.store import BarStore

BARS = random_bars(1_200, seed=2)
LAST = int(BARS.close_time[-1])


def names(exists: np.ndarray) -> set[str]:
    return {str(d.name) for d, there in zip(DETECTORS, exists, strict=True) if there and d.needs}


def test_recalled_records_answer_as_the_detectors_own_join():
    known = observations(BARS)
    there = recall(iter(known), ["TEST/USDT"], LAST, LAST)
    assert names(there.exists) == {"sentiment", "news", "whales"}
    for detector in (d() for d in DETECTORS if d.needs):
        rows, connected = there.observed(BARS)[detector.label]
        assert connected
        np.testing.assert_array_equal(rows, detector.observe(BARS, known).rows)


def test_records_after_the_end_are_not_read_from_a_folder(tmp_path: Path):
    (tmp_path / "sentiment").mkdir()
    days = pd.date_range("2020-09-01", periods=120, freq="D", tz="UTC")
    pd.DataFrame({"timestamp": days, "value": 60}).to_parquet(
        tmp_path / "sentiment" / "fear_greed_1d.parquet"
    )
    folder = FolderRecords(tmp_path)
    assert names(recall(folder, ["TEST/USDT"], LAST, LAST).exists) == {"sentiment"}
    early = int(BARS.time[0]) - 40 * 86_400_000
    assert names(recall(folder, ["TEST/USDT"], early, early).exists) == set()


def test_feed_is_asked_for_what_matters():
    async def run():
        feed = SimulatedFeed(2, speed=1.0)
        start = await feed.open()
        there = await recall_feed(feed, feed.symbols, start)
        bars = await feed.history(feed.symbols[0], "1h", 5, start)
        await feed.close()
        return there, bars

    there, bars = asyncio.run(run())
    assert names(there.exists) == {"sentiment", "news", "whales"}
    for name, (rows, _) in there.observed(bars).items():
        assert np.isfinite(rows[-1]).any(), name


def test_scan_reads_what_lies_beside_the_bars(tmp_path: Path):
    store = BarStore(tmp_path, exchange="binance")
    store.write(BARS.label(symbol="TEST/USDT"))
    plain = scan(store, timeframes=["1h"]).evaluation
    (tmp_path / "sentiment").mkdir()
    days = pd.date_range("2020-09-01", periods=120, freq="D", tz="UTC")
    value = 50 + (np.arange(120) % 40)
    path = tmp_path / "sentiment" / "fear_greed_1d.parquet"
    pd.DataFrame({"timestamp": days, "value": value}).to_parquet(path)
    told = scan(store, timeframes=["1h"]).evaluation
    sentiment = [d.name for d in DETECTORS].index("sentiment")
    assert np.isnan(plain.snapshot.scores[0, 0, sentiment])
    assert np.isfinite(told.snapshot.scores[0, 0, sentiment])
    assert told.row(0).coverage == 1
    same = scan({"TEST/USDT": BARS}, timeframes=["1h"], observations=FolderRecords(tmp_path))
    np.testing.assert_array_equal(same.evaluation.snapshot.scores, told.snapshot.scores)


def test_a_broken_file_of_records_costs_the_records_only(tmp_path: Path):
    store = BarStore(tmp_path, exchange="binance")
    store.write(BARS.label(symbol="TEST/USDT"))
    (tmp_path / "sentiment").mkdir()
    (tmp_path / "sentiment" / "fear_greed.csv").write_text("timestamp,value\n2020-10-01,400\n")
    report = scan(store, timeframes=["1h"])
    assert "fear_greed.csv" in report.errors["records"]
    assert "400" in report.errors["records"]
    assert np.isfinite(report.evaluation.combined.net).all()


def test_a_folder_without_records_knows_nothing_about_bars(tmp_path: Path):
    kinds = (FearGreed, Funding)
    folder = FolderRecords(tmp_path)
    assert folder.about(BARS) == []
    assert folder.between(kinds, 0, LAST) == []
