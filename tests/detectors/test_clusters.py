import numpy as np
import pytest

from opportunity.detectors.clusters import (
    CLUSTER,
    N_CLUSTERS,
    POOL,
    confluence,
    fill_pool,
    find_twin,
    map_clusters,
    meeting,
    touch_clusters,
)
from opportunity.detectors.legs import BOOK, EXTENDED, LIVE, SET
from opportunity.kernels import kernel

WORLD = np.dtype(
    [
        ("serial", "i8"),
        ("books", BOOK, (2,)),
        ("pool", POOL),
        ("clusters", CLUSTER, (N_CLUSTERS,)),
    ],
    align=True,
)


@kernel
def _fill(world):
    fill_pool(world[0].pool, world[0].books)


@kernel
def _meeting(world, price, reach):
    return meeting(world[0].pool, price, reach)


@kernel
def _confluence(world, price, atr):
    return confluence(world[0].pool, world[0].clusters, price, atr)


@kernel
def _map(world, c, atr):
    map_clusters(world[0], world[0].pool, world[0].clusters, c, atr)


@kernel
def _touch(world, before, h, low, c, atr):
    touch_clusters(world[0].clusters, before, h, low, c, atr)


@kernel
def _twin(world, scale, i):
    return find_twin(world[0].books, scale, i)


def world_of(*legs: tuple[int, int, float, float], status: int = SET) -> np.ndarray:
    """Legs as (scale, bar of A, price of A, price of B), each in the next slot of its scale."""
    world = np.zeros(1, WORLD)
    used = [0, 0]
    for scale, bar, a, b in legs:
        leg = world[0]["books"][scale]["legs"][used[scale]]
        used[scale] += 1
        leg["status"], leg["side"], leg["drawn"] = status, np.sign(b - a), 1
        leg["a"]["price"], leg["a"]["bar"] = a, bar
        leg["b"]["price"], leg["b"]["bar"] = b, bar + 10
    _fill(world)
    return world


def test_pool_holds_the_levels_in_order():
    world = world_of((0, 5, 100, 120))
    pool = world[0]["pool"]
    np.testing.assert_allclose(
        pool["price"][: pool["size"]], [104.28, 107.64, 110, 112.36], rtol=1e-12
    )


def test_extensions_join_the_pool_once_c_is_known():
    world = world_of((0, 5, 100, 120), status=EXTENDED)
    leg = world[0]["books"][0]["legs"][0]
    leg["pinned"], leg["c"]["price"] = 1, 110
    _fill(world)
    pool = world[0]["pool"]
    np.testing.assert_allclose(pool["price"][4:6], [135.44, 142.36], rtol=1e-12)


def test_live_leg_joins_when_its_levels_are_drawn():
    world = world_of((0, 5, 100, 120), status=LIVE)
    assert world[0]["pool"]["size"] == 4
    world[0]["books"][0]["legs"][0]["drawn"] = 0
    _fill(world)
    assert world[0]["pool"]["size"] == 0


def test_levels_of_one_leg_count_once_however_near():
    world = world_of((0, 5, 100, 104))  # 0.5 and 0.618 lie 0.47 apart
    assert _meeting(world, 101.8, 0.5) == 1
    assert _confluence(world, 101.8, 2.0) == 0


def test_same_leg_of_both_scales_counts_once():
    world = world_of((0, 5, 100, 120), (1, 5, 100, 120))
    assert _twin(world, 0, 0) == 0
    assert world[0]["pool"]["size"] == 4
    assert _meeting(world, 110, 0.25) == 1


def test_levels_of_different_legs_meet():
    # 0.618 of the long leg and 0.382 of the short one both lie at 107.64.
    short = 107.64 + 0.382 * 10 / 0.618
    world = world_of((0, 5, 100, 120), (0, 30, short - 10 / 0.618, short))
    assert _meeting(world, 107.64, 0.25) == 2
    assert _confluence(world, 107.64, 1.0) == pytest.approx(1 / 3)
    _map(world, 110.0, 1.0)
    cluster = world[0]["clusters"][0]
    assert cluster["count"] == 2
    assert cluster["bottom"] <= 107.64 + 1e-9
    assert cluster["price"] == pytest.approx(107.64, abs=0.25)


@pytest.fixture
def met() -> np.ndarray:
    """Two legs whose middles lie at 110, and the cluster there, with an ATR of 1."""
    world = world_of((0, 5, 100, 120), (1, 3, 95, 125))
    _map(world, 115.0, 1.0)
    clusters = world[0]["clusters"]
    place = [i for i in range(N_CLUSTERS) if abs(clusters[i]["price"] - 110) < 0.01]
    assert len(place) == 1
    clusters[0], clusters[place[0]] = clusters[place[0]].copy(), clusters[0].copy()
    return world


def test_touched_and_held_place_counts_more_and_a_worn_one_less(met):
    expected = {0: 1.0, 1: 1.15, 2: 1.15, 3: 0.8, 4: 0.8}
    for held, factor in expected.items():
        assert met[0]["clusters"][0]["held"] == held
        assert _confluence(met, 110.0, 1.0) == pytest.approx(factor / 3)
        _touch(met, 112.0, 112.0, 110.1, 111.0, 1.0)  # comes down to it
        assert met[0]["clusters"][0]["inside"] == 1
        _touch(met, 111.0, 113.0, 111.0, 112.0, 1.0)  # and leaves


@pytest.mark.parametrize("side", [1, -1])
def test_close_through_a_cluster_breaks_it(met, side):
    h, low = (112.0, 109.5) if side > 0 else (110.5, 108.0)
    _touch(met, 110 + 2.0 * side, h, low, 110 - 0.2 * side, 1.0)
    assert met[0]["clusters"][0]["alive"] == 1
    _touch(met, 110 - 0.2 * side, 110.5, 109.5, 110 - 0.3 * side, 1.0)
    assert met[0]["clusters"][0]["alive"] == 0


def test_cluster_ends_with_its_legs(met):
    met[0]["books"][1]["legs"][0]["status"] = 0
    _fill(met)
    _map(met, 115.0, 1.0)
    assert not met[0]["clusters"]["alive"].any()


def test_more_places_than_slots_keep_the_larger_ones():
    world = np.zeros(1, WORLD)
    rng = np.random.default_rng(5)
    legs = [
        (scale, int(bar), 100.0, 100.0 + float(span))
        for scale in (0, 1)
        for bar, span in zip(range(5), rng.uniform(9, 11, 5), strict=True)
    ]
    world = world_of(*legs)
    for _ in range(10):
        _map(world, 104.0, 1.0)
    clusters = world[0]["clusters"]
    kept = clusters[clusters["alive"] == 1]
    assert 1 <= kept.size <= N_CLUSTERS
    assert (kept["count"] >= 2).all()
    assert kept["count"].max() > 3
