from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from builders import mirrored, random_bars, shuffled
from smc_bars import after_lead, events_of, walk

from opportunity.detectors.base import WARMUP
from opportunity.detectors.events import EVENT, N_EVENTS, Event
from opportunity.detectors.smc import ROOM, STATE, Smc
from opportunity.indicators import atr
from opportunity.market.bars import Bars
from opportunity.market.readers import read_bars

HOUR = 3_600_000


def state_after(bars: Bars) -> np.void:
    """State of a fresh stream that has seen these bars."""
    detector = Smc()
    states = detector.new_states(1)
    detector.run(
        states, np.zeros(1, np.int64), detector.packed, bars.time[None], bars.values[None],
        np.empty((1, len(bars), 0)), np.empty((1, len(bars), detector.width)),
        np.empty((1, 0), EVENT), np.zeros(1, np.int64),
    )  # fmt: skip
    return states[0]


def test_ict_is_an_output_of_its_own_with_its_own_confidence():
    bars = random_bars(3000, seed=11)
    found = Smc().detect(bars)
    ict, confidence = found.outputs["ict"], found.outputs["ict_confidence"]
    assert np.isnan(ict[: WARMUP - 1]).all()
    assert np.isnan(confidence[: WARMUP - 1]).all()
    ict, confidence = ict[WARMUP - 1 :], confidence[WARMUP - 1 :]
    assert 0.3 < np.abs(ict).max() <= 1
    assert 0 <= confidence.min() <= confidence.max() <= 0.6
    assert ((ict == 0) | (confidence > 0)).all()
    assert {-1, 0, 1} == set(np.sign(ict))


def test_mirrored_prices_negate_ict_and_keep_its_confidence():
    for seed in range(4):
        bars = random_bars(2000, seed=seed)
        found, twin = Smc().detect(bars).outputs, Smc().detect(mirrored(bars)).outputs
        np.testing.assert_allclose(twin["ict"], -found["ict"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(
            twin["ict_confidence"], found["ict_confidence"], rtol=0, atol=1e-9
        )


def test_zones_of_mirrored_prices_are_mirrored():
    bars = random_bars(2000, seed=6)
    total = bars.high.max() + bars.low.min()
    zones = [(e.bar, e.kind, e.state, e.zone) for e in Smc().events(bars) if e.zone]
    twins = [
        (e.bar, e.kind, e.state, (total - e.zone[1], total - e.zone[0]))
        for e in Smc().events(mirrored(bars)) if e.zone
    ]  # fmt: skip
    assert len(zones) == len(twins) > 300
    for one, other in zip(sorted(zones), sorted(twins), strict=True):
        assert one[:3] == other[:3]
        assert one[3] == pytest.approx(other[3])


def test_silence_never_lasts():
    score = Smc().detect(random_bars(5000, seed=3)).score[WARMUP:]
    assert np.diff(np.flatnonzero(score)).max() < 50


def test_state_is_small():
    assert STATE.itemsize <= 13_312


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_ended_stays_on_a_chart(seed):
    """Every zone and break that the state has let go of was told to have ended."""
    bars = random_bars(6000, seed=seed)
    found = Smc().events(bars)
    assert N_EVENTS < max(Counter(e.bar for e in found).values()) < ROOM
    last = {e.id: e for e in found}

    def shown(*kinds: str) -> set[str]:
        return {
            i for i, e in last.items() if e.kind in kinds and e.state in ("active", "touched")
        }

    def ids(serials: np.ndarray) -> set[str]:
        return {f"smc-{s}" for s in serials.reshape(-1).tolist() if s}

    state = state_after(bars)
    zones = ids(state["zones"]["serial"][~np.isnan(state["near"])])
    assert shown("fvg", "inverse_fvg", "order_block", "breaker") == zones
    assert shown("equal_levels") == ids(state["pools"]["serial"][~np.isnan(state["levels"])])
    assert shown("ote") == ids(state["band"]["serial"])
    assert shown("dealing_range") == ids(state["dealing"]["serial"])
    # An opposite break takes one back that has not faded yet.
    breaks = [last[i] for i in sorted(shown("bos", "choch"))]
    for event in breaks:
        against = {
            e.bar for e in found
            if e.kind in ("bos", "choch") and e.state == "active" and e.scale == event.scale
            and e.side == -event.side
        }
        assert not any(event.bar < bar <= event.bar + 12 for bar in against), event


def test_only_what_reads_the_clock_changes_after_a_gap():
    bars = random_bars(2000, seed=7)
    time = bars.time.copy()
    time[700:] += 40 * HOUR
    gapped = replace(bars, time=time)
    clocked = ("day", "week", "Asian", "ICT")

    def rest(of: Bars):
        return [
            (e.bar, e.kind, e.side, e.state, e.zone)
            for e in Smc().events(of)
            if e.kind not in ("sweep", "equal_levels") and not any(w in e.text for w in clocked)
        ]

    found, other = rest(bars), rest(gapped)
    assert found == other


@pytest.mark.parametrize(("minutes", "sessions"), [(15, True), (60, True), (240, False)])
def test_sessions_count_up_to_an_hour(minutes, sessions):
    bars = random_bars(4000, seed=2)
    step = minutes * 60_000
    time = bars.time[0] // step * step + step * np.arange(len(bars))
    bars = replace(bars, time=time, timeframe=None)
    texts = " ".join(e.text for e in Smc().events(bars))
    assert ("Asian session" in texts) == sessions
    assert "previous day" in texts
    assert "previous week" in texts


def test_daily_bars_have_no_previous_day():
    bars = random_bars(4000, seed=2)
    day = 24 * HOUR
    time = bars.time[0] // day * day + day * np.arange(len(bars))
    bars = replace(bars, time=time, timeframe=None)
    texts = " ".join(e.text for e in Smc().events(bars))
    assert "previous week" in texts
    assert "previous day" not in texts


def test_parameters_reach_the_kernel():
    bars = random_bars(3000, seed=9)
    usual = Counter(e.kind for e in Smc().events(bars))
    assert Counter(e.kind for e in Smc(internal=3.0).events(bars))["bos"] < usual["bos"]
    assert Counter(e.kind for e in Smc(least_gap=2.0).events(bars))["fvg"] < usual["fvg"]
    assert Counter(e.kind for e in Smc(thrust=5.0).events(bars))["order_block"] < 20
    more = Counter(e.kind for e in Smc(equal=1.0).events(bars))["equal_levels"]
    assert more > usual["equal_levels"]
    assert Counter(e.kind for e in Smc(pierce=1.0).events(bars))["sweep"] < usual["sweep"]
    assert Smc(c_max=0.3).detect(bars).confidence[-1] == pytest.approx(
        Smc().detect(bars).confidence[-1] / 2
    )


def test_breaks_score_for_their_side_and_fade():
    rise = walk(100, 101, 102, 103, 102, 101, 102, 103, 104)
    rest = [(104, 104.5, 103.5, 104)] * 30
    score = Smc(least_gap=10.0).detect(after_lead(rise, rest)).score
    assert score[127] > 0.1
    assert 0 < score[151] < 0.6 * score[127]


RATES = {  # per 1000 bars: BTC, ETH
    ("bos", 1.5): (20.2, 21.0),
    ("choch", 1.5): (21.1, 21.8),
    ("bos", 3.0): (6.8, 7.0),
    ("choch", 3.0): (7.3, 7.5),
    ("fvg", None): (81.3, 91.2),
    ("order_block", 1.5): (13.3, 13.2),
    ("order_block", 3.0): (9.1, 9.1),
    ("equal_levels", 1.5): (5.4, 5.6),
    ("equal_levels", 3.0): (0.92, 0.82),
    ("breaker", 1.5): (8.4, 8.3),
    ("breaker", 3.0): (5.9, 5.8),
    ("sweep", 3.0): (7.1, 6.9),
    ("sweep", None): (56.8, 54.1),
    ("ote", 3.0): (9.0, 9.4),
    ("ict", None): (2.0, 2.0),
}


@pytest.mark.realdata
@pytest.mark.parametrize(("column", "symbol"), [(0, "BTC-USDT"), (1, "ETH-USDT")])
def test_recorded_bars_give_the_measured_number_of_events(market_data, column, symbol):
    bars = read_bars(market_data / "binance" / symbol / "1h.parquet")
    found = Smc().events(bars)
    counts = Counter((e.kind, e.scale) for e in found if e.state == "active")
    for key, rates in RATES.items():
        assert counts[key] / len(bars) * 1000 == pytest.approx(rates[column], rel=0.1), key
    assert max(Counter(e.bar for e in found).values()) < ROOM


def t_value(bars: Bars, events: list[Event], ahead: int = 24) -> float:
    """t of the mean move after events in their direction, in ATR, at most one each `ahead`."""
    a = atr(bars, 14)
    moves, free = [], 0
    for e in events:
        if free <= e.bar < len(bars) - ahead:
            moves.append(e.side * (bars.close[e.bar + ahead] - bars.close[e.bar]) / a[e.bar])
            free = e.bar + ahead
    return float(np.mean(moves) / np.std(moves) * np.sqrt(len(moves)))


@pytest.fixture(scope="module")
def mixed(market_data) -> list[tuple[Bars, list[Event]]]:
    """Recorded bars in random order, four times, with what is seen in them."""
    bars = read_bars(market_data / "binance" / "ETH-USDT" / "1h.parquet")[-25_000:]
    return [(b, Smc().events(b)) for b in (shuffled(bars, seed) for seed in range(4))]


@pytest.mark.realdata
@pytest.mark.parametrize(
    "kinds",
    [
        ("bos", "choch"), ("fvg",), ("order_block",), ("breaker", "inverse_fvg"), ("sweep",),
        ("ote",), ("ict",),
    ],
    ids=lambda k: k[0],
)  # fmt: skip
def test_shuffled_bars_hold_nothing_to_find(mixed, kinds):
    values = [
        t_value(bars, [e for e in events if e.kind in kinds and e.state == "active" and e.side])
        for bars, events in mixed
    ]
    assert abs(np.mean(values)) < 3 / np.sqrt(len(values))


def test_events_after_the_lead_are_quiet_before_anything_happens():
    assert events_of(after_lead([(100, 100.5, 99.5, 100)] * 5)) == []
