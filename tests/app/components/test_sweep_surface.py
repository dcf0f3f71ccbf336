import math
from dataclasses import replace

import numpy as np
import orjson
import pytest
from studied import SETUP, history, plan

import opportunity as op
from app.components.island import dumps
from app.components.sweep_surface import surface_state
from app.research_jobs import Stressed
from opportunity.scoring.presets import PRESETS


@pytest.fixture(scope="module")
def found():
    return op.surface(
        history(), PRESETS["balanced"], multiples=(0.0, 1.0), delays=(0, 1), setup=SETUP
    )


def state(found):
    return orjson.loads(dumps(surface_state("abc", Stressed(plan(), found))))


def test_cells_are_those_of_the_surface(found) -> None:
    told = state(found)
    assert told["multiples"] == [0.0, 1.0]
    assert told["values"]["trades"][1][0] == found.values["trades"][1, 0] > 0
    assert "total_return" in told["shares"]
    assert "sharpe" not in told["shares"]
    assert told["cost"] == pytest.approx(0.0015)


@pytest.mark.parametrize(("even", "tone"), [
    ((0.4, 0.2), -1), ((1.5, 1.2), -1), ((3.0, 0.8), -1), ((3.0, 1.2), 1), ((math.inf, 2.0), 1),
    ((math.nan, math.nan), -1),
])  # fmt: skip
def test_an_edge_must_survive_twice_the_costs_and_a_late_bar(found, even, tone) -> None:
    assert state(replace(found, break_even=np.array(even)))["tone"] == tone


def test_break_even_is_worded(found) -> None:
    told = state(replace(found, break_even=np.array([0.0, math.inf])))
    (first, late) = told["even"]
    assert (first[0]["text"], first[1]["text"], first[2]) == ("at once", "never", -1)
    assert (late[0]["text"], late[1]["text"], late[2]) == ("1 bar late", "always", 1)
    (first, late) = state(replace(found, break_even=np.array([2.0, math.nan])))["even"]
    assert first[1:] == ["\N{MULTIPLICATION SIGN} 2.00 · 0.300 %", 1]
    assert late[1] == "\N{EN DASH}"
