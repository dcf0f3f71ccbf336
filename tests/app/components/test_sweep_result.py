from dataclasses import replace

import numpy as np
import orjson
import pytest
from studied import plan, search

from app.backtests import Swept
from app.components.island import dumps
from app.components.sweep_result import MOST_TOLD, best_rows, sweep_state
from opportunity.contracts import DETECTOR_NAMES


def state(found):
    return orjson.loads(dumps(sweep_state("abc", Swept(found, 20, plan()))))


def valued(values, best=None):
    """The same search with other values."""
    found = search()
    made = np.full(len(found.values), np.nan)
    made[: len(values)] = values
    return replace(found, values=made, best=int(np.nanargmax(made)) if len(values) else -1)


def test_best_come_first_and_equal_weights_are_among_them() -> None:
    rows = best_rows(search())
    values = [row["value"] for row in rows]
    assert values[:MOST_TOLD] == sorted(values[:MOST_TOLD], reverse=True)
    assert sum(row["equal"] for row in rows) == 1
    assert values[0] == pytest.approx(search().value, abs=1e-4)
    assert all(sum(row["weights"].values()) == pytest.approx(1.0, abs=1e-4) for row in rows)


def test_state_holds_the_surface_of_every_pair() -> None:
    told = state(search())
    n = len(told["land"]["names"])
    assert set(told["land"]["names"]) <= set(DETECTOR_NAMES)
    assert len(told["land"]["pairs"]) == n * (n - 1) // 2 == len(told["land"]["mean"])
    k = told["land"]["pairs"].index(told["land"]["first"])
    i, j = (told["land"]["at"][d] for d in told["land"]["pairs"][k])
    assert told["land"]["best"][k][i * 8 + j] == pytest.approx(told["value"])
    assert sum(told["spread"]["counts"]) == int(np.isfinite(search().values).sum())
    assert len(dumps(told)) < 120_000


def test_the_verdict_is_what_the_values_say() -> None:
    n = len(search().values)
    shape = search().matrix[:, 2]
    assert state(valued([]))["verdict"]["text"].startswith("No vector has a value")
    assert state(valued([]))["best"] == []
    assert state(valued([-1.0, -0.5]))["verdict"]["text"] == "Even the best earns nothing here."
    nothing = state(valued([2.0, 1.0, 0.5]))
    assert nothing["verdict"]["text"] == "Nothing did better than equal weights."
    peak = np.zeros(n)
    peak[17] = 3.0
    assert state(valued(peak))["tone"] == 0
    hill = 10.0 * shape - 10.0 * shape[0]
    assert state(valued(hill))["tone"] == 1


def test_equal_weights_without_a_value_are_no_rival() -> None:
    shape = search().matrix[:, 2].copy()
    shape[0] = np.nan
    told = state(valued(shape))
    assert told["equal"] is None
    assert told["tone"] == 1
