import math

import numpy as np
import pytest

from opportunity.backtest.guards import Evidence, Guard, Guards, Thresholds, judge

NAMES = [
    "trades", "probabilistic_sharpe", "track_record", "deflated_sharpe", "pbo", "equal_weights",
]  # fmt: skip

HELPS = {
    "trades": "more trades", "pbo": "returns of the others (`peers_of`)",
    "deflated_sharpe": "fewer trials", "equal_weights": "a run with equal weights",
}  # fmt: skip


def market(n=800, k=40, seed=1):
    return np.random.default_rng(seed).standard_normal((n, k)) * 0.01


def proof(better=0.004, **given):
    matrix = market()
    matrix[:, 3] += better
    parts = {"trades": 120, "n_trials": 40, "matrix": matrix, "benchmark": market(seed=2)[:, 0]}
    return Evidence(matrix[:, 3], **(parts | given))


def test_a_true_winner_passes_every_guard():
    found = judge(proof())
    assert [guard.name for guard in found] == NAMES
    assert found.passed, found.refusal
    assert found.refusal == ""


def test_a_variance_that_was_summed_up_takes_the_place_of_sharpes():
    sharpes = np.linspace(-0.1, 0.1, 40)
    mine = judge(proof(sharpes=sharpes))["deflated_sharpe"]
    summed = judge(proof(sharpes=None, variance=sharpes.var(ddof=1)))["deflated_sharpe"]
    assert summed == mine
    assert math.isnan(judge(proof(variance=math.nan))["deflated_sharpe"].value)


def test_the_luckiest_of_many_is_refused():
    """The best of 40 that are nothing but noise."""
    matrix = market(seed=5)
    best = int(np.argmax(matrix.mean(axis=0) / matrix.std(axis=0)))
    chosen = Evidence(
        matrix[:, best], 120, n_trials=40, matrix=matrix, benchmark=matrix.mean(axis=1)
    )
    found = judge(chosen)
    assert found["probabilistic_sharpe"].passed  # alone it would have looked proven
    assert not found["deflated_sharpe"].passed
    assert not found["pbo"].passed
    assert not found.passed
    assert found["deflated_sharpe"].text in found.refusal
    assert found["probabilistic_sharpe"].text not in found.refusal


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"trades": 29}, "trades"),
        ({"matrix": None, "sharpes": np.linspace(-0.1, 0.1, 40)}, "pbo"),
        ({"benchmark": None}, "equal_weights"),
        ({"n_trials": 10**9, "sharpes": np.linspace(-0.2, 0.2, 40)}, "deflated_sharpe"),
    ],
)
def test_each_guard_refuses_alone(given, name):
    found = judge(proof(**given))
    assert [guard.name for guard in found if not guard.passed] == [name]
    assert found.refusal == f"{found[name].text} What could help: {HELPS[name]}."


@pytest.mark.parametrize("better", [0.004, -0.001])
def test_sentences_read_right_whether_they_pass_or_fail(better):
    found = judge(proof(better, period="day"))
    for name in ("probabilistic_sharpe", "deflated_sharpe", "equal_weights"):
        guard = found[name]
        assert guard.passed == (better > 0)
        assert ("is not shown to be" in guard.text) == (better < 0)
        assert ("at least the 0.95" in guard.text) == (better > 0)
    assert " a day, is" in found["deflated_sharpe"].text
    assert "the best of 40 trials" in found["deflated_sharpe"].text
    assert "period" not in found["track_record"].text


def test_one_trial_is_not_many():
    text = judge(proof(-0.01, matrix=None, n_trials=1))["deflated_sharpe"].text
    assert "is not shown to be above the 0 that luck shows in one trial: probability 0." in text


def test_a_refusal_ends_with_what_could_help_once():
    refusal = judge(Evidence(np.zeros(300), 0)).refusal
    assert refusal.endswith("What could help: more trades, a run with equal weights.")
    losing = judge(proof(-0.01, matrix=None, n_trials=1)).refusal
    assert losing.count("weights or rules that earn something") == 1
    noise = market(200, 1)[:, 0]
    noise -= noise.mean()
    short = judge(Evidence(noise + 0.0005, 100, benchmark=noise - 0.0005)).refusal
    assert "What could help: a longer span." in short


def test_what_was_not_measured_has_not_passed():
    found = judge(proof(matrix=None, benchmark=None))
    for name in ("deflated_sharpe", "pbo", "equal_weights"):
        assert math.isnan(found[name].value)
        assert not found[name].passed


def test_one_trial_was_not_chosen():
    found = judge(proof(matrix=None, n_trials=1))
    assert found.passed, found.refusal
    assert found["deflated_sharpe"].value == found["probabilistic_sharpe"].value


def test_a_short_history_is_refused():
    short = proof().returns[:20] * 0.2 + np.linspace(-0.01, 0.01, 20)
    found = judge(Evidence(short, 100, benchmark=-short))
    assert not found["track_record"].passed
    assert "20 periods" in found.refusal


def test_a_losing_run_has_no_length_that_proves_it():
    found = judge(proof(-0.01))
    assert math.isnan(found["track_record"].threshold)
    assert "no length" in found["track_record"].text


def test_returns_that_do_not_vary_are_refused_without_an_error():
    found = judge(Evidence(np.zeros(300), 0, benchmark=market(300)[:, 0]))
    assert not found.passed
    assert not any(guard.passed for guard in found if guard.name not in ("pbo",))
    assert "nan" not in found.refusal


def test_equal_weights_pass_against_themselves():
    winner = proof()
    found = judge(proof(benchmark=winner.returns))
    assert found["equal_weights"].passed


def test_too_short_a_matrix_is_refused_without_an_error():
    found = judge(proof(matrix=market(20)))
    assert not found["pbo"].passed
    assert math.isnan(found["pbo"].value)


def test_thresholds_are_a_choice():
    assert judge(proof(trades=5), Thresholds(trades=5))["trades"].passed
    assert not judge(proof(), Thresholds(pbo=-1.0))["pbo"].passed


def test_no_trial_at_all_is_refused():
    with pytest.raises(ValueError, match="n_trials must be >= 1"):
        judge(proof(n_trials=0))


def test_the_verdict_is_that_of_all():
    good, bad = (Guard(str(p), 0.0, 0.0, p, f"It is {p}.") for p in (True, False))
    assert Guards((good,)).passed
    assert not Guards((good, bad)).passed
    assert Guards((good, bad)).refusal == "It is False."
