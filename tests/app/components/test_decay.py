import numpy as np
import orjson

from app.components.decay import MOST_WINDOWS, DecayTable, decay_state
from app.components.island import dumps
from app.journal_figures import SCORE, DetectorVerdict, Verdict
from opportunity.scoring.averages import Average
from opportunity.scoring.decay import LIMIT, watch

NAN = float("nan")


def _verdict(name: str, information: float = 0.1) -> DetectorVerdict:
    mean = Average(100, 0.5, 0.4, 0.6, 50.0)
    return DetectorVerdict(Verdict(name, mean, mean, mean), 0.7, information)


def _fallen(n: int):
    rng = np.random.default_rng(3)
    coefficient = 0.3 + 0.02 * rng.standard_normal(n)
    coefficient[n - 12 :] = -0.3
    return watch(np.arange(n) * 10, np.full(n, 100), coefficient)


def test_a_row_a_detector_with_windows_and_alarms() -> None:
    state = decay_state([_verdict("smc"), _verdict(SCORE)], {"smc": _fallen(80)}, 10, 24)
    row, whole = state["rows"]
    assert len(row["coefficient"]) == len(row["start"]) == len(row["alarm"]) == MOST_WINDOWS
    assert row["alarms"]
    assert row["alarms"][0] >= 680
    assert 0 <= row["fall"] < LIMIT
    assert (row["agreed"], row["information"], row["hit"]["n"]) == (0.7, 0.1, 100)
    assert (whole["whole"], whole["fall"], whole["coefficient"]) == (True, None, [])


def test_too_few_say_nothing() -> None:
    state = decay_state([_verdict("sar", NAN)], {"sar": watch(*np.zeros((3, 0)))}, 0, 4)
    row = orjson.loads(dumps(state))["rows"][0]
    assert (row["information"], row["fall"], row["mean"]) == (None, None, None)
    assert DecayTable().state == "{}"
