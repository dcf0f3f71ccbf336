from types import SimpleNamespace

import numpy as np
import orjson
import pytest
from builders import random_bars
from studied import SETUP, plan, search, walked

import opportunity as op
from app.backtests import Ran, Swept
from app.components.island import dumps
from app.components.research_runs import SHOWN, ResearchRuns, runs_state
from app.jobs import Job
from app.research_jobs import Stressed, Walked

ABOUT = {"symbols": ["BTC/USDT", "ETH/USDT", "SOL/USDT"], "start": 1_763_812_800_000,
         "end": 1_763_899_200_000}  # fmt: skip


def job(number, kind="backtest", state="done", result=None, about=ABOUT):
    return Job(f"id{number}", number, kind, dict(about), 0, state=state, result=result)


def test_newest_come_first_and_are_bounded() -> None:
    told = runs_state([job(i, state="failed") for i in range(40)], "id39")
    assert [run["id"] for run in told["runs"]] == [f"id{39 - i}" for i in range(SHOWN)]
    assert told["shown"] == "id39"
    assert told["runs"][0]["title"] == "BTC/USDT, ETH/USDT +1 · 2025-11-22 to 2025-11-23"


def test_questions_to_the_guards_and_jobs_of_no_market_are_left_out() -> None:
    assert runs_state([job(0, kind="promote"), job(1, about={})], "")["runs"] == []


def test_each_kind_says_its_one_number() -> None:
    ran = Ran(plan(), op.backtest(random_bars(400), timeframes=["1h"], rules=SETUP.rules))
    jobs = [job(0, result=ran), job(1, "sweep", result=Swept(search(), 5, plan())),
            job(2, "walk_forward", result=Walked(plan(), walked())),
            job(3, "calibration", result=object()), job(4, state="running")]  # fmt: skip
    runs = orjson.loads(dumps(runs_state(jobs, "")))["runs"][::-1]
    assert runs[0]["said"].endswith("%")
    assert runs[0]["tone"] in (-1, 0, 1)
    assert runs[1]["said"]["text"] == "best {value}"
    assert runs[2]["said"].endswith("%")
    assert runs[3]["said"]["text"] == "done"
    assert (runs[4]["said"], runs[4]["state"]) == ("", "running")


@pytest.mark.parametrize(("times", "said"), [
    (1.25, "\N{MULTIPLICATION SIGN}1.2"), (0.0, "\N{MULTIPLICATION SIGN}0.0"),
    (float("inf"), "\N{MULTIPLICATION SIGN}\N{INFINITY}"), (float("nan"), "\N{EN DASH}"),
])  # fmt: skip
def test_costs_that_an_edge_survives_are_written_however_many(times, said) -> None:
    found = Stressed(plan(), SimpleNamespace(break_even=np.array([times])))
    (run,) = runs_state([job(0, "surface", result=found)], "")["runs"]
    assert run["said"]["values"] == {"times": said}


def test_a_press_opens_a_run() -> None:
    told = []
    ResearchRuns(on_open=told.append)._handle_msg({"open": "abc"})
    ResearchRuns()._handle_msg({"open": "abc"})
    assert told == ["abc"]
