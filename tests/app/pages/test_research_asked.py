"""What the form asks: read, checked, queued as the right job."""

from datetime import UTC, datetime

import pytest

from app.backtests import Backtests
from app.pages.research_asked import KINDS, submit, submit_test
from opportunity.backtest.trials import MemoryTrials
from opportunity.scoring.presets import PRESETS


class NoBars:
    def load(self, symbol, timeframe, start, end):
        raise ValueError("there is none")

    def records(self, bars):
        return []

    def span(self, symbol, timeframe):
        return None


@pytest.fixture
async def world(world):
    world.backtests = Backtests(lambda exchange: NoBars(), world.hub, MemoryTrials(), None)
    yield world
    await world.backtests.close()


@pytest.fixture
def market(world):
    day = datetime.fromtimestamp(world.now / 1e3, UTC)
    return {
        "symbols": ["BTC/USDT", "ETH/USDT"], "timeframe": "1h",
        "start_date": f"{day.year}-01-01", "end_date": f"{day.year}-06-01",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_a_job_of_its_own(world, market, kind) -> None:
    job = submit(world, {"kind": kind, "market": market, "preset": ""})
    assert job.kind == kind
    assert job.about["symbols"] == ["BTC/USDT", "ETH/USDT"]
    assert ("weights" in job.about) is (kind not in ("sweep", "walk_forward"))


async def test_what_belongs_to_a_kind_is_read(world, market) -> None:
    search = {"method": "tpe", "n": 40, "objective": "calmar", "least_trades": 3}
    folds = {"n": 4, "train": 0.3, "anchored": False}
    job = submit(
        world, {"kind": "walk_forward", "market": market, "search": search, "folds": folds}
    )
    assert {n: job.about[n] for n in ("method", "n", "objective", "folds", "anchored")} == {
        "method": "tpe", "n": 40, "objective": "calmar", "folds": 4, "anchored": False,
    }  # fmt: skip
    job = submit(world, {"kind": "calibration", "market": market, "method": "logistic",
                         "preset": "aggressive"})  # fmt: skip
    assert (job.about["method"], job.about["weights"]) == ("logistic", PRESETS["aggressive"])


@pytest.mark.parametrize(("asked", "told"), [
    ({"kind": "swep"}, "kind of run"), ({"kind": "calibration", "method": "magic"}, "method"),
    ({"kind": "sweep", "search": {"n": 0}}, "n: "),
    ({"kind": "sweep", "search": {"method": "tpe", "n": 5_000}}, "at most 2,000"),
    ({"kind": "walk_forward", "folds": {"n": 99}}, "folds must be"),
    ({"kind": "surface", "preset": "balancd"}, "preset must be"),
])
async def test_nonsense_is_refused(world, market, asked, told) -> None:
    with pytest.raises(ValueError, match=told):
        submit(world, {"market": market, **asked})
    assert world.backtests.jobs.all() == []


async def test_only_a_search_has_vectors_to_test(world) -> None:
    with pytest.raises(ValueError, match="result must hold weights"):
        submit_test(world, object(), 0)
