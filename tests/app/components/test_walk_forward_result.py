from dataclasses import replace

import numpy as np
import orjson
import pytest
from studied import plan, walked

from app.components.island import dumps
from app.components.walk_forward_result import POINTS, walk_forward_state
from app.research_jobs import Walked


def state(found):
    return orjson.loads(dumps(walk_forward_state("abc", Walked(plan(), found))))


def ended(last, equal, kept=0.9):
    """The same walk with other ends, and so much kept of what was promised."""
    found = walked()
    curve, other = found.equity.copy(), found.equal_equity.copy()
    curve[-1], other[-1] = last, equal
    folds = tuple(replace(f, in_sample=1.0, out_of_sample=kept) for f in found.folds)
    return replace(found, equity=curve, equal_equity=other, folds=folds)


def test_folds_follow_each_other_and_their_weights_are_whole() -> None:
    told = state(walked())
    assert len(told["folds"]) == 3
    for before, after in zip(told["folds"], told["folds"][1:], strict=False):
        assert before["last"] < after["first"]
    for i in range(3):
        assert sum(row["shares"][i] for row in told["weights"]) == pytest.approx(1.0, abs=1e-3)


def test_curve_is_thinned_but_ends_where_the_walk_ends() -> None:
    told = state(walked())
    curve = told["curve"]
    assert len(curve["time"]) == len(curve["equity"]) == len(curve["equal"]) <= POINTS
    assert curve["equity"][-1] == pytest.approx(walked().equity[-1], abs=0.01)
    assert curve["time"] == sorted(curve["time"])
    assert np.ptp(curve["time"]) == np.ptp(walked().time)


@pytest.mark.parametrize(("last", "equal", "kept", "tone", "words"), [
    (9_000.0, 8_000.0, 0.9, -1, "Out of sample it lost"),
    (10_500.0, 10_700.0, 0.9, -1, "Equal weights did better"),
    (10_500.0, 10_100.0, 0.2, 0, "kept little"),
    (10_500.0, 10_100.0, 0.9, 1, "kept what was promised"),
])  # fmt: skip
def test_the_verdict_is_what_the_curves_say(last, equal, kept, tone, words) -> None:
    told = state(ended(last, equal, kept))
    assert told["tone"] == tone
    assert words in told["verdict"]["text"]
