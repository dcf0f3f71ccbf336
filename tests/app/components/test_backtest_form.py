import orjson
import pytest
from drawn import drawn

from app.components.backtest_form import INSIDE, BacktestForm, job_state
from app.jobs import Job
from opportunity.errors import CoverageError


def state(form):
    return orjson.loads(form.state)


def test_offers_what_can_be_tested_and_a_span_up_to_now() -> None:
    form = BacktestForm()
    form.offer(("BTC/USDT", "ETH/USDT"), ("1h", "4h"), ["balanced"], 1_763_812_800_000)
    offered = orjson.loads(form.offered)
    assert offered["symbols"] == ["BTC/USDT", "ETH/USDT"]
    assert ["4h", 14_400_000] in offered["frames"]
    assert (offered["start"], offered["end"]) == ("2025-07-25", "2025-11-22")
    assert ["profit_factor", "Profit factor"] in offered["objectives"]


def test_an_emptied_field_is_no_zero_and_a_preset_that_is_gone_is_not_chosen() -> None:
    form = BacktestForm()
    form.offer(("BTC/USDT",), ("1h",), ["balanced", "mine"], 1_763_812_800_000)
    first = form.offered
    form.offer(("BTC/USDT",), ("1h",), ["balanced", "other"], 1_763_812_800_000)
    asked, shown = drawn(BacktestForm, """
        const form = root.querySelector("form"), all = root.querySelectorAll("input");
        const fee = all.find((one) => one.value === "0.05");
        const preset = root.querySelectorAll("select")
          .find((one) => one.options.some((option) => option.value === "mine"));
        preset.value = "mine";
        fee.value = "";
        form.dispatchEvent(new Happening("submit"));
        model.set({ offered: model.later });
        return [model.said[0].asked, preset.value];""", offered=first, later=form.offered)
    assert (asked["market"]["fee"], asked["market"]["slippage"]) == (None, 0.001)
    assert asked["preset"] == "mine"
    assert shown == ""


def test_run_and_cancel_reach_the_page() -> None:
    told = []
    form = BacktestForm(on_run=told.append, on_cancel=lambda: told.append(0))
    form._handle_msg({"type": "run", "asked": {"kind": "sweep"}})
    form._handle_msg({"type": "cancel"})
    form._handle_msg({"type": "other"})
    assert told == [{"kind": "sweep"}, 0]


def test_what_a_run_asked_goes_back_into_the_fields() -> None:
    form = BacktestForm()
    span = {"start": 1_763_812_800_000, "end": 1_763_899_200_000}
    form.fill("sweep", {"symbols": ["BTC/USDT"], **span})
    filled = orjson.loads(form.filled)
    assert (filled["kind"], filled["symbols"]) == ("sweep", ["BTC/USDT"])
    assert (filled["start"], filled["end"]) == ("2025-11-22", "2025-11-23")


def test_refusal_is_worded_each_time_anew() -> None:
    def refuse(asked):
        raise ValueError("fee must be small")

    form = BacktestForm(on_run=refuse)
    form._handle_msg({"type": "run", "asked": {}})
    first = state(form)
    assert (first["state"], first["error"]) == ("refused", "fee must be small")
    form._handle_msg({"type": "run", "asked": {}})
    assert state(form)["n"] == first["n"] + 1
    form._handle_msg({"type": "run"})  # nothing asked for
    assert state(form)["n"] == first["n"] + 2


@pytest.mark.parametrize(("error", "told"), [
    (CoverageError("bars must reach back"), "bars must reach back"),
    (ZeroDivisionError("inside"), INSIDE), (None, ""),
])
def test_only_foreseen_errors_are_told(error, told) -> None:
    job = Job("a", 0, "backtest", {}, 0, state="failed", error=error)
    assert job_state(job, 0, 1.0)["error"] == told


def test_state_of_a_job() -> None:
    job = Job("a", 0, "backtest", {}, 0, state="running", done=30.0, total=90.0, doing="reading",
              started_at=1, began=10.0)
    told = job_state(job, 0, 13.0)
    assert (told["progress"], told["left_s"], told["took_s"]) == (pytest.approx(1 / 3), 6.0, None)
    job.state, job.ended = "done", 12.5
    assert job_state(job, 0, 13.0)["took_s"] == 2.5
