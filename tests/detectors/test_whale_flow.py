import numpy as np
import pytest

from opportunity.detectors.evidence import ITEM, age_items, combine, place
from opportunity.detectors.whale_flow import (
    AGGRESSOR,
    BOOK_DEPTH,
    BOOK_FLOW,
    BUY,
    CHAIN,
    FLOW,
    IMBALANCE,
    ITEM_WEIGHT,
    LARGE,
    LARGE_BUY,
    LARGE_SELL,
    N_ITEMS,
    OFI,
    OFI_DEEP,
    SELL,
    TRANSFER,
    TRANSFER_LEFT,
    VPIN,
    WEIGHTS,
    fade_items,
    put_item,
    sum_items,
    take_books,
    take_prints,
    take_transfers,
    weigh_inputs,
)
from opportunity.detectors.whales import STATE, Whales
from opportunity.detectors.whales_inputs import COLUMNS

PARAMS = Whales().packed


def fresh():
    return np.zeros(1, STATE)[0]


def row(**known):
    obs = np.full(len(COLUMNS), np.nan)
    for name, value in known.items():
        obs[COLUMNS.index(name)] = value
    return obs


def prints(s, obs, v=10.0):
    s["n"] += 1
    s["n_events"] = 0
    take_prints(s, PARAMS, obs, v, 100.0, 77)


def test_columns_are_where_the_kernel_looks():
    named = {
        "buy": BUY, "sell": SELL, "large_buy": LARGE_BUY, "large_sell": LARGE_SELL, "vpin": VPIN,
        "ofi": OFI, "ofi_deep": OFI_DEEP, "imbalance": IMBALANCE, "transfer_value": TRANSFER,
        "transfer_freshness": TRANSFER_LEFT,
    }
    for name, place_ in named.items():
        assert COLUMNS[place_] == name


@pytest.mark.parametrize("seed", range(3))
def test_short_items_equal_the_evidence_of_all_detectors(seed):
    rng = np.random.default_rng(seed)
    flow, items = np.zeros(1, FLOW)[0], np.zeros(N_ITEMS, ITEM)
    told = 0
    for bar in range(400):
        q = round(float(rng.uniform(-1, 1)), 1) if rng.random() < 0.5 else 0.0
        fade_items(flow, 6.0)
        age_items(items)
        if q:
            put_item(flow, ITEM_WEIGHT * q)
            place(items, 1 if q > 0 else -1, ITEM_WEIGHT, abs(q), 6.0, 0, bar, bar, bar)
        assert sum_items(flow) == pytest.approx(combine(items, 1.0)[0], abs=1e-12)
        told += q != 0
    assert told > 150


def test_a_bar_whose_large_prints_are_a_third_and_one_sided_counts_in_full():
    s = fresh()
    prints(s, row(buy=8.0, sell=2.0, large_buy=3.0, large_sell=0.0, largest=3.0, price=99.0))
    flow = s["flow"]
    assert flow["value"][LARGE] == ITEM_WEIGHT
    assert flow["left"][LARGE] == 1
    assert s["n_events"] == 1
    assert s["events"][0]["x"] == pytest.approx(0.3)
    prints(s, row(buy=5.0, sell=5.0, large_buy=0.0, large_sell=0.0, largest=1.0, price=99.0))
    assert flow["value"][LARGE] == pytest.approx(ITEM_WEIGHT * 2 ** (-1 / 6))
    prints(s, row(buy=5.0, sell=5.0, large_buy=1.0, large_sell=1.0, largest=1.0, price=99.0))
    assert flow["value"][LARGE] == pytest.approx(ITEM_WEIGHT * 2 ** (-2 / 6))  # balanced: nothing


def test_prints_that_miss_volume_count_for_less():
    s = fresh()
    prints(s, row(buy=2.0, sell=1.0, large_buy=1.0, large_sell=0.0, largest=1.0, price=9.0), v=12.0)
    assert s["flow"]["left"][LARGE] == 0.25
    share = 1.0 / 12.0
    assert s["flow"]["value"][LARGE] == pytest.approx(ITEM_WEIGHT * share / 0.3)


def test_unknown_thresholds_leave_large_prints_out():
    s = fresh()
    prints(s, row(buy=6.0, sell=4.0, largest=3.0, price=99.0))
    assert s["flow"]["left"][LARGE] == 0
    assert s["flow"]["seen"] == 0


def test_aggressor_flow_is_the_z_score_of_24_bars():
    rng = np.random.default_rng(5)
    buy, sell = rng.uniform(0, 10, (2, 300))
    s = fresh()
    shares = []
    for i in range(300):
        prints(s, row(buy=buy[i], sell=sell[i], largest=1.0, price=9.0), v=buy[i] + sell[i])
        part = slice(max(0, i - 23), i + 1)
        share = (buy[part].sum() - sell[part].sum()) / (buy[part].sum() + sell[part].sum())
        if i >= 50:
            before = np.array(shares)
            z = (share - before.mean()) / before.std()
            assert s["flow"]["z"] == pytest.approx(z, abs=0.01)
            assert s["flow"]["value"][AGGRESSOR] == pytest.approx(np.clip(z / 3, -1, 1), abs=0.01)
            assert s["flow"]["left"][AGGRESSOR] == 1
        else:
            assert s["flow"]["left"][AGGRESSOR] == 0
        shares.append(share)


def test_what_is_not_renewed_fades_and_ends():
    s = fresh()
    prints(s, row(buy=8.0, sell=2.0, large_buy=3.0, large_sell=0.0, largest=3.0, price=99.0))
    take_books(s, row(imbalance=0.4))
    left = []
    for _ in range(6):
        prints(s, row())
        take_books(s, row())
        left.append((s["flow"]["left"][LARGE], s["flow"]["left"][BOOK_DEPTH]))
    assert left == [(x, x) for x in (0.5, 0.25, 0.125, 0.0625, 0, 0)]
    assert weigh_inputs(s) == (0, 0, False)


def test_order_flow_needs_fifty_bars_and_is_a_z_score():
    rng = np.random.default_rng(6)
    s, before = fresh(), []
    for i in range(260):
        x, deep = rng.normal(0, 20, 2)
        take_books(s, row(ofi=x, ofi_deep=deep))
        if i >= 50:
            window = np.array(before[-200:])
            z = (0.5 * (x + deep) - window.mean()) / window.std()
            assert s["flow"]["value"][BOOK_FLOW] == pytest.approx(np.clip(z / 3, -1, 1), abs=0.01)
            assert s["flow"]["left"][BOOK_FLOW] == 1
        else:
            assert s["flow"]["left"][BOOK_FLOW] == 0
        before.append(0.5 * (x + deep))


def test_inputs_are_weighed_by_weight_and_freshness():
    s = fresh()
    flow = s["flow"]
    flow["value"] = [0.5, -1.0, 0.25, 1.0, -0.5]
    flow["left"] = [1.0, 0.5, 0.0, 0.25, 0.5]
    flow["seen"] = 0b1111
    score, coverage, said = weigh_inputs(s)
    w = np.array(WEIGHTS) * flow["left"]
    assert score == pytest.approx((w * flow["value"]).sum() / w.sum())
    assert coverage == pytest.approx(w.sum() / (sum(WEIGHTS[:4]) + w[CHAIN]))
    assert said
    flow["value"] = 0
    assert weigh_inputs(s) == (0, pytest.approx(coverage), False)


def test_transfers_come_and_go_without_being_missed():
    s = fresh()
    s["flow"]["seen"] = 1 << LARGE
    s["flow"]["left"][LARGE] = 1
    take_transfers(s, row(transfer_value=-0.6, transfer_freshness=0.5), 100.0, 77)
    score, coverage, _ = weigh_inputs(s)
    assert score == pytest.approx(-0.6 * 0.075 / (0.35 + 0.075))
    assert coverage == 1
    take_transfers(s, row(), 100.0, 77)
    assert weigh_inputs(s) == (0, 1, False)


@pytest.mark.parametrize("side", [-1, 0, 1])
def test_pins_are_shown_when_the_size_stands_out(side):
    s = fresh()
    take_transfers(s, row(pin_side=side, pin_amount=900.0, pin_quality=0.3), 100.0, 77)
    assert s["n_events"] == 0
    take_transfers(s, row(pin_side=side, pin_amount=900.0, pin_quality=0.4), 100.0, 77)
    assert s["n_events"] == 1
    assert s["events"][0]["side"] == side


def test_one_sided_volume_is_reported_against_its_own_past():
    rng = np.random.default_rng(8)
    s, told = fresh(), []
    for i in range(120):
        value = float(rng.uniform(0.2, 0.4)) if i < 100 else 0.9 if i < 105 else 0.25
        prints(s, row(buy=5.0, sell=5.0, largest=1.0, price=9.0, vpin=value))
        for event in s["events"][: s["n_events"]]:
            if i >= 100:
                told.append((i, int(event["state"]), int(event["side"])))
    assert told[0] == (100, 1, 0)
    assert told[1] == (105, 3, 0)
