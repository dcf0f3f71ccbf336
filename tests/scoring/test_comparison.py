"""Days of two accounts: which count, what each says, and how it is told."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.scoring.comparison import DAY_MS, Comparing, compare
from opportunity.scoring.sequential import CLIP, confidence_sequence

HOUR = DAY_MS // 24
START = 20_000 * DAY_MS


def grown(n_days: int, champion: float, challenger: float, step: int = HOUR, spread: float = 0.0):
    """Marks of two accounts that grow by so much a day, one wavering, from a midnight on."""
    rng = np.random.default_rng(1)
    n = n_days * DAY_MS // step
    drawn = rng.normal(0, spread, n) * math.sqrt(step / DAY_MS)
    a = np.exp(champion * np.arange(n + 1) * step / DAY_MS)
    b = np.exp(challenger * np.arange(n + 1) * step / DAY_MS + np.append(0, drawn).cumsum())
    return START + np.arange(n + 1) * step, 10_000 * a, 10_000 * b


def compared(times, a, b, **more):
    """Compare mark by mark, and see that all at once is the same."""
    comparing = Comparing("bold", **more)
    for time, one, other in zip(times.tolist(), a.tolist(), b.tolist(), strict=True):
        comparing.add(time, one, other)
    found, at_once = comparing.comparison(), compare(times, a, b, "bold", **more)
    assert found.interval == at_once.interval or found.interval.n == 0
    assert np.array_equal(found.bounds, at_once.bounds)
    return found


def test_days_are_the_gaps_between_midnights() -> None:
    times, a, b = grown(30, 0.001, 0.003, spread=0.004)
    found = compared(times, a, b)
    wanted = np.diff(np.log(a[::24] / b[::24]))
    assert found.differences == pytest.approx(wanted, rel=1e-9, abs=1e-15)
    assert found.days.tolist() == [START + (d + 1) * DAY_MS for d in range(30)]
    assert np.array_equal(found.bounds, confidence_sequence(found.differences))
    assert (found.since, found.until) == (times[0], times[-1])
    assert found.champion == pytest.approx(a[-1] / a[0] - 1)
    assert found.challenger == pytest.approx(b[-1] / b[0] - 1)


@pytest.mark.parametrize(("champion", "challenger", "verdict"), [
    (0.0, 0.01, "better"), (0.01, 0.0, "worse"), (0.0, 0.0, "not distinguishable yet"),
])  # fmt: skip
def test_verdict_is_about_the_challenger(champion, challenger, verdict) -> None:
    found = compared(*grown(60, champion, challenger, spread=0.004))
    assert found.verdict == verdict
    assert found.text.startswith(f"{verdict} (60 days")
    if verdict == "better":
        assert found.interval.high < 0  # champion less challenger


def test_text_says_how_long_it_would_take() -> None:
    found = compared(*grown(60, 0.0, 0.001, spread=0.004))
    assert found.verdict == "not distinguishable yet"
    more = found.interval.more
    assert more > 0
    assert found.text.endswith(f"would need about {more} more at the present difference)")
    nothing = compared(*grown(1, 0.0, 0.0))
    assert nothing.text == "not distinguishable yet (1 day)"


@given(st.integers(1, 23))
def test_part_of_a_day_is_not_a_day(hours) -> None:
    times, a, b = grown(4, 0.001, 0.003, spread=0.004)
    found = compared(times[hours:], a[hours:], b[hours:])
    whole = compared(times, a, b)
    assert found.days.tolist() == whole.days.tolist()[1:]
    assert np.array_equal(found.differences, whole.differences[1:])
    early = compared(times[:-hours], a[:-hours], b[:-hours])
    assert early.days.tolist() == whole.days.tolist()[:-1]


@given(st.sets(st.integers(0, 23), max_size=20))
def test_marks_within_a_day_change_nothing(left_out) -> None:
    """What is thinned after some time is compared as before."""
    times, a, b = grown(10, 0.001, 0.003, spread=0.004)
    keep = np.array([i % 24 == 0 or i % 24 not in left_out for i in range(times.size)])
    whole, thinned = compared(times, a, b), compared(times[keep], a[keep], b[keep])
    assert np.array_equal(whole.differences, thinned.differences)
    assert np.array_equal(whole.bounds, thinned.bounds)


def test_days_without_marks_count_as_one() -> None:
    times, a, b = grown(10, 0.0, 0.001)
    keep = (times <= START + 3 * DAY_MS) | (times >= START + 6 * DAY_MS)
    found = compared(times[keep], a[keep], b[keep])
    assert found.days.size == 8
    assert found.differences[3] == pytest.approx(-0.003)
    off = (times <= START + 3 * DAY_MS) | (times > START + 6 * DAY_MS + HOUR)
    assert compared(times[off], a[off], b[off]).differences[3] == pytest.approx(-0.004)


def test_longer_marks_count_one_each() -> None:
    found = compared(*grown(70, 0.0, 0.001, step=7 * DAY_MS))
    assert found.days.size == 10


def test_equal_accounts_have_no_difference() -> None:
    times, a, _ = grown(40, 0.001, 0.0)
    found = compared(times, a, a)
    assert (found.differences == 0).all()
    assert found.interval.mean == 0.0
    assert found.verdict == "not distinguishable yet"
    assert found.interval.more is None


def test_swapped_accounts_mirror() -> None:
    times, a, b = grown(40, 0.001, 0.003, spread=0.004)
    one, other = compared(times, a, b), compared(times, b, a)
    assert other.interval.low == -one.interval.high
    assert other.interval.mean == -one.interval.mean


def test_ruin_is_clipped_and_not_undefined() -> None:
    def compared(times, a, b):
        comparing = Comparing("bold")  # what live accounts come to; `compare` refuses it
        for mark in zip(times.tolist(), a.tolist(), b.tolist(), strict=True):
            comparing.add(*mark)
        return comparing.comparison()

    times, a, b = grown(6, 0.0, 0.0)
    b[24 * 3 :] = -5.0
    found = compared(times, a, b)
    assert found.interval.n == 6
    assert found.interval.mean == pytest.approx(CLIP / 6)
    assert found.interval.clipped == 1
    assert "1 of 6 days differed by more than 3%" in found.note
    a[24 * 4 :] = 0.0
    assert math.isfinite(compared(times, a, b).interval.mean)


def test_days_that_are_alike_are_noted() -> None:
    rng, slow = np.random.default_rng(3), [0.0]
    for e in rng.normal(0, 0.002, 200):
        slow.append(0.8 * slow[-1] + e)
    times = START + np.arange(201) * DAY_MS
    b = 10_000 * np.exp(np.cumsum(slow))
    found = compared(times, np.full(201, 10_000.0), b)
    assert found.alike == pytest.approx(0.8, abs=0.12)
    assert "neighbouring days are alike" in found.note
    wavering = compared(*grown(200, 0.0, 0.0, spread=0.004))
    assert abs(wavering.alike) < 0.2
    assert wavering.note == ""
    assert math.isnan(compared(times[:10], b[:10], b[:10]).alike)


def test_before_the_first_mark() -> None:
    comparing = Comparing("bold")
    found = comparing.comparison()
    assert comparing.until == 0
    assert (found.since, found.until, found.interval.n) == (0, 0, 0)
    assert math.isnan(found.champion)
    assert found.text == "not distinguishable yet (0 days)"
    assert found.to_frame().empty


def test_time_goes_on() -> None:
    comparing = Comparing("bold")
    comparing.add(START, 1.0, 1.0)
    with pytest.raises(ValueError, match=f"time must be > {START}, was {START}"):
        comparing.add(START, 1.0, 1.0)


@pytest.mark.parametrize(("champion", "challenger", "error", "words"), [
    ([1.0, 1.0], [1.0], ValueError, "challenger must have as many values as time, 2, was 1"),
    ([1.0, math.nan], [1.0, 1.0], ValueError, "champion must be finite and > 0, was nan"),
    ([1.0, 1.0], [math.inf, 1.0], ValueError, "challenger must be finite and > 0, was inf"),
    ([0.0, 1.0], [1.0, 1.0], ValueError, "champion must be finite and > 0, was 0"),
    ([1.0, 1.0], [1.0, -5.0], ValueError, "challenger must be finite and > 0, was -5"),
    (["a", "b"], [1.0, 1.0], TypeError, "champion must hold numbers, was <U1"),
    ([[1.0, 1.0]], [1.0, 1.0], ValueError, "champion must have one dimension, was of 2"),
])  # fmt: skip
def test_what_is_no_curve_of_equity_is_refused(champion, challenger, error, words) -> None:
    with pytest.raises(error, match=words):
        compare(np.array([START, START + HOUR]), champion, challenger)


@pytest.mark.parametrize("n", [0, 1])
def test_two_marks_are_the_least(n: int) -> None:
    with pytest.raises(ValueError, match=f"time must hold 2 marks or more, was {n}"):
        compare(np.arange(n), np.ones(n), np.ones(n))


def test_table_and_page() -> None:
    times, a, b = grown(30, 0.001, 0.003, spread=0.004)
    comparing = Comparing("<b>bold</b>", alpha=0.1, clip=0.02)
    for mark in zip(times.tolist(), a, b, strict=True):
        comparing.add(*mark)
    found = comparing.comparison()
    table = found.to_frame()
    assert list(table.columns) == ["difference", "mean", "low", "high"]
    assert str(table.index.tz) == "UTC"
    assert table["high"].iloc[-1] == found.interval.high
    page = found._repr_html_()
    assert "&lt;b&gt;bold" in page
    assert "<b>bold" not in page
    assert "90% at all times" in page
    assert found.text in page
