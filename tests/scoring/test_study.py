from itertools import pairwise

import numpy as np
import pytest
from builders import mirrored, random_bars

import opportunity as op
from opportunity.detectors.base import DEAD_BAND
from opportunity.scoring.forward import forward_moves
from opportunity.scoring.study import HORIZONS, SURE, TOGETHER, study

BARS = [random_bars(1_500, seed=s).label(symbol=f"S{s}/USDT") for s in (1, 2)]
SCORES = [op.score(b) for b in BARS]


@pytest.fixture(scope="module")
def found():
    return study(SCORES, n_draws=60)


def test_habits_are_counted_over_all_bars(found):
    assert found.names[-1] == TOGETHER
    assert (found.symbols, found.n_bars) == (("S1/USDT", "S2/USDT"), 3_000)
    for j, name in enumerate(found.names[:-1]):
        cls = next(d for d in op.DETECTORS if d.name == name)
        seen = [cls().detect(b) for b in BARS]
        score = np.concatenate([s.score for s in seen])
        trust = np.concatenate([s.confidence for s in seen])
        there = np.isfinite(score)
        assert found.habits.available[j] == pytest.approx(there.mean())
        assert found.habits.speaking[j] == pytest.approx((np.abs(score) >= DEAD_BAND).mean())
        assert found.habits.sure[j] == pytest.approx((trust[there] > SURE).mean())
        ceiling = trust[there].max()
        assert found.habits.ceiling[j] == ceiling
        assert found.habits.sure_of_ceiling[j] == pytest.approx(
            (trust[there] > SURE * ceiling).mean()
        )


def test_turns_count_new_sides():
    score = SCORES[0].net
    side = np.where(np.abs(score) >= DEAD_BAND, np.sign(score), 0)
    turns = sum(b != 0 and b != a for a, b in pairwise(side))
    found = study(SCORES[0], n_draws=10)
    assert found.habits.turns[-1] == pytest.approx(1000 * turns / np.isfinite(score).sum())


def test_the_score_is_judged_like_a_detector(found):
    i = found.horizons.index(24)
    n_right = n_called = 0
    for scores in SCORES:
        move = forward_moves(scores.evidence.bars, scores.evidence.atr, (24,))[0]
        called = (np.abs(scores.net) >= DEAD_BAND) & np.isfinite(move)
        n_right += (np.sign(move[called]) == np.sign(scores.net[called])).sum()
        n_called += called.sum()
    assert found.knowledge.calls[i, -1] == n_called
    assert found.knowledge.hit_rate.value[i, -1] == pytest.approx(n_right / n_called, abs=1e-3)


def test_correlation_is_numpys_over_common_bars(found):
    scores = np.concatenate([s.evidence.scores for s in SCORES])
    names = [d.name for d in op.DETECTORS]
    a, b = scores[:, names.index("price_action")], scores[:, names.index("sar")]
    both = np.isfinite(a) & np.isfinite(b)
    i, j = found.names.index("price_action"), found.names.index("sar")
    assert found.correlation[i, j] == pytest.approx(np.corrcoef(a[both], b[both])[0, 1])
    np.testing.assert_array_equal(found.correlation, found.correlation.T)
    np.testing.assert_array_equal(np.diag(found.correlation), 1.0)


def test_bars_and_scores_give_the_same(found):
    again = study(BARS, n_draws=60)
    np.testing.assert_array_equal(again.to_frame().to_numpy(), found.to_frame().to_numpy())


def test_weights_change_the_score_alone(found):
    other = study(BARS, weights={"sar": 0.9}, n_draws=60).to_frame()
    mine = found.to_frame()
    assert other.drop(TOGETHER).equals(mine.drop(TOGETHER))
    assert not other.loc[TOGETHER].equals(mine.loc[TOGETHER])
    array = np.array([op.Weights(sar=0.9).as_dict()[d.name] for d in op.DETECTORS])
    assert study(BARS, weights=array, n_draws=60).to_frame().equals(other)


def test_a_mirrored_market_is_known_as_well():
    told, twin = (study(b, n_draws=20).knowledge for b in (BARS[0], mirrored(BARS[0])))
    np.testing.assert_allclose(twin.information.value, told.information.value, atol=0.03)
    np.testing.assert_allclose(twin.hit_rate.value, told.hit_rate.value, atol=0.02)


def test_frame_has_a_row_for_each_name_and_refuses_other_horizons(found):
    frame = found.to_frame(72)
    assert tuple(frame.index) == found.names
    assert (frame["hit_rate_low"] <= frame["hit_rate"]).all()
    assert (frame["hit_rate"] <= frame["hit_rate_high"]).all()
    assert found.horizons == HORIZONS
    with pytest.raises(ValueError, match=r"horizon must be one of \(6, 24, 72\), was 7"):
        found.to_frame(7)
    assert "<table" in found._repr_html_()
    assert "3000 bars of 2 streams" in repr(found)


def test_deciles_are_there_for_every_name(found):
    assert tuple(found.deciles) == found.names
    for tenths in found.deciles.values():
        assert (np.diff(tenths.confidence) > 0).all()


def test_what_cannot_be_studied_raises():
    with pytest.raises(ValueError, match="bars must be of one stream or more, was none"):
        study([])
    with pytest.raises(ValueError, match="bars must be of one known timeframe"):
        study([BARS[0], op.resample(BARS[1], "4h")])
    with pytest.raises(ValueError, match="horizons must be >= 1 bar"):
        study(BARS, horizons=(0,))


def test_progress_is_told():
    told = []
    study(BARS, n_draws=10, progress=lambda done, n: told.append((done, n)))
    assert told == [(1, 2), (2, 2)]
