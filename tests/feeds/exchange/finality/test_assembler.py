import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scripted_venue import (
    GRACE,
    HOLD,
    MINUTE,
    NAN,
    START,
    SYMBOLS,
    Faults,
    Run,
    Script,
    assembler,
    bar,
    closed,
    opens,
    rows_of,
)

from opportunity.feeds.exchange.finality.assembler import Assembler
from opportunity.feeds.exchange.records import Answer, Frame, Rows, Want

LONG = 75 * MINUTE


@pytest.fixture
def one():
    return remembering(1)


def remembering(n):
    """Return an assembler that knows the bar before the start."""
    made = assembler(n)
    for row in range(n):
        made.history(row, np.array([START - MINUTE]), np.array([bar(100.0)]))
    return made


def out(made, now):
    return [(b.time, b.rows.tolist(), bool(b.late.any())) for b in made.take(now)]


def answer(made, bars, now, row=0):
    """Answer the question that is due for a row."""
    want = next(w for w in made.wanted(now) if w.row == row)
    made.answer(Answer(want, rows_of(bars, now)))
    return want


def test_a_bar_that_history_lacked_is_a_correction_when_it_comes():
    """It is no part of the stream, and whoever read the history does not have it."""
    made = assembler(2)
    for row in range(2):
        times = START - MINUTE * np.array([5, 4, 2])
        made.history(row, times, np.array([bar(100.0)] * 3))
    made.connected(np.arange(2), START + GRACE)
    told = {START - n * MINUTE: bar(100.0) for n in (7, 6, 5, 4, 2, 1)}
    for want in made.wanted(START + GRACE):
        made.answer(Answer(want, rows_of(told, START + GRACE)))
        told.pop(START - MINUTE, None)  # the others are older than what is known: no matter
    assert made.corrected().tolist() == [0]
    assert [(n.kind, n.time) for n in made.notes()] == [("late", START - MINUTE)]
    assert out(made, opens(3)) == []  # it never leaves
    made.audit(0, opens(3))
    answer(made, {START - MINUTE: bar(100.0)}, opens(3))
    assert made.corrected().size == 0  # once is enough


# -- what is final --------------------------------------------------------------------------------


def test_a_closing_frame_goes_out_at_its_close(one):
    one.frame(closed(0, 0, bar(100.0), at=opens(1) - 500))  # the clock lags a little
    assert out(one, opens(1) - 1) == []
    (batch,) = one.take(opens(1))
    assert (batch.time, batch.times.tolist(), batch.late.tolist()) == (opens(1), [START], [False])
    assert batch.values.tolist() == [list(bar(100.0))]
    assert batch.settled.tolist() == [opens(1)]
    assert one.released.tolist() == [START]
    assert one.last_price(0) == bar(100.0)[3]
    assert one.notes() == []


@pytest.mark.parametrize("mark", [None, False])
def test_an_open_frame_never_becomes_final(one, mark):
    for at in (START + 1_000, opens(1) + 300):
        one.frame(Frame(0, START, bar(55.0), mark, at))
    one.frame(Frame(0, opens(1), bar(100.0), mark, opens(1) + 500))  # a later bar is no proof
    assert out(one, opens(5)) == []
    answer(one, {START - MINUTE: bar(100.0), START: bar(101.0)}, opens(1) + GRACE)
    (batch,) = one.take(opens(5))
    assert batch.values.tolist() == [list(bar(101.0))]


def test_a_row_asked_for_too_early_is_not_final(one):
    early = opens(1) + GRACE - 1
    one.answer(Answer(Want(0, START, opens(1)), rows_of({START: bar(100.0)}, early)))
    assert out(one, opens(2)) == []
    one.answer(Answer(Want(0, START, opens(1)), rows_of({START: bar(100.0)}, early + 1)))
    assert out(one, opens(2)) == [(opens(1), [0], False)]


def test_a_bar_called_closed_before_its_close_is_refused(one):
    one.frame(closed(0, 0, bar(100.0), at=opens(1) - GRACE - 1))
    assert out(one, opens(2)) == []
    (note,) = one.notes()
    assert note.kind == "refused"
    assert "before its close" in note.text


@pytest.mark.parametrize(
    "values",
    [
        (NAN, 2.0, 1.0, 1.5, 1.0), (1.5, 1.0, 2.0, 1.5, 1.0), (0.0, 2.0, 0.0, 1.0, 1.0),
        (1.5, 2.0, 1.0, 1.5, -1.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", [True, False, None])
def test_a_frame_that_is_no_bar_is_refused_and_asked_for(one, values, mark):
    one.frame(Frame(0, START, values, mark, opens(1) + 300, "x" * 9_999))
    assert out(one, opens(2)) == []
    assert one.forming(START + 1) is None
    (note,) = one.notes()
    assert (note.kind, note.symbol, note.time) == ("refused", SYMBOLS[0], START)
    assert "x" * 300 in note.text
    assert len(note.text) == 500
    assert one.n_refused == 1
    assert [w.until for w in one.wanted(opens(1) + GRACE)] == [opens(1)]


@pytest.mark.parametrize(
    "time", [START // 1_000, START * 1_000, START * 10**6, START + 30_000, START + 3 * MINUTE, 0]
)
@pytest.mark.parametrize("mark", [True, False])
def test_times_in_another_unit_or_off_the_grid_are_refused(one, time, mark):
    one.frame(Frame(0, time, bar(100.0), mark, START + 300))
    assert [n.kind for n in one.notes()] == ["refused"]
    times = np.array([time, START], np.int64)
    rows = Rows(times, np.array([bar(55.0), bar(100.0)]), opens(1) + GRACE - 1)
    one.answer(Answer(Want(0, START, opens(1)), rows))
    assert [n.kind for n in one.notes()] == ["refused"]
    assert out(one, opens(9)) == []


def test_rows_of_an_answer_are_refused_one_by_one(one):
    now = opens(3) + GRACE
    bars = {START: bar(100.0), opens(1): (NAN,) * 5, opens(2): bar(100.0)}
    answer(one, bars, now)
    assert out(one, now) == [(opens(1), [0], False)]
    kinds = [n.kind for n in one.notes()]
    assert kinds.count("refused") == 1
    answer(one, {opens(1): bar(100.0)}, now)
    assert out(one, now) == [(opens(2), [0], False), (opens(3), [0], False)]


def test_rows_in_any_order_will_do(one):
    now = opens(3) + GRACE
    times = np.array([opens(2), START, opens(1), START], np.int64)
    rows = Rows(times, np.array([bar(100.0 + m) for m in (2, 0, 1, 0)]), now)
    one.answer(Answer(Want(0, START, opens(3)), rows))
    values = [b.values[0, 0] for b in one.take(now)]
    assert values == [100.0, 101.0, 102.0]


# -- order, holes, empty bars ---------------------------------------------------------------------


def test_a_hole_is_asked_for_and_then_all_goes_out_in_order(one):
    for minute in (0, 2, 3):
        one.frame(closed(0, minute, bar(100.0)))
    now = opens(4) + 500
    assert out(one, now) == [(opens(1), [0], False)]
    want = answer(one, {opens(m): bar(100.0) for m in range(4)}, now)
    assert want == Want(0, START, opens(3))
    assert out(one, now) == [(opens(m), [0], False) for m in (2, 3, 4)]
    assert [n.kind for n in one.notes()] == ["rest"]


def test_a_minute_that_three_answers_lack_is_empty():
    made = remembering(2)
    now = opens(2) + 500
    for minute in (0, 1, 2):
        made.frame(closed(1, minute, bar(100.0)))
    made.frame(closed(0, 1, bar(100.0)))
    assert out(made, now + HOLD) == [(opens(1), [1], False), (opens(2), [1], False)]
    known = {START - MINUTE: bar(100.0), opens(1): bar(100.0)}
    for _ in range(3):
        now = made.next_at(now + 20_000)
        answer(made, known, now)
    (batch,) = made.take(now)
    assert (batch.time, batch.rows.tolist(), batch.late.tolist()) == (opens(2), [0], [True])
    assert [(n.kind, n.time) for n in made.notes() if n.symbol == SYMBOLS[0]] == [
        ("empty", START), ("late", opens(1)),
    ]  # fmt: skip


def test_what_is_confirmed_empty_is_settled_without_a_bar():
    made = remembering(2)
    now = opens(4)
    for n in range(3):
        answer(made, {START - MINUTE: bar(100.0)}, now + n * MINUTE)
    now += 3 * MINUTE
    made.frame(closed(1, 0, bar(100.0)))
    (batch,) = made.take(now)
    assert batch.rows.tolist() == [1]
    assert batch.settled.tolist() == [opens(3), opens(1)]


def test_an_answer_without_the_known_bar_proves_nothing(one):
    now = opens(4)
    for n in range(3):
        answer(one, {}, now + n * MINUTE)
    assert not [n for n in one.notes() if n.kind == "empty"]
    for n in range(3, 15):
        now = one.next_at(now + n * MINUTE)
        answer(one, {}, now)
    assert [n for n in one.notes() if n.kind == "empty"]  # but a row is not stuck for ever


def test_an_answer_with_refused_rows_counts_half(one):
    now, garbled = opens(4), {START - MINUTE: bar(100.0), opens(1): (NAN,) * 5}
    for n in range(6):
        assert one.released.tolist() == [START - MINUTE]
        assert not [note for note in one.notes() if note.kind == "empty"], n
        now = one.next_at(now + MINUTE)
        answer(one, garbled, now)
    assert [n.time for n in one.notes() if n.kind == "empty"][:2] == [START, opens(1)]


def test_the_same_answer_counts_once(one):
    now = opens(9)
    (want,) = one.wanted(now)
    for _ in range(5):
        one.answer(Answer(want, rows_of({START - MINUTE: bar(100.0)}, now)))
    assert not [n for n in one.notes() if n.kind == "empty"]


def test_a_venue_that_gives_short_pages_is_read_to_the_end(one):
    now, bars = opens(900) + GRACE, {opens(m): bar(100.0) for m in range(900)}
    for _ in range(10):
        wants = one.wanted(now)
        if not wants:
            break
        page = [t for t in bars if wants[0].since <= t < wants[0].until][:100]
        one.answer(Answer(wants[0], rows_of({t: bars[t] for t in page}, now)))
    closes = [close for _ in range(4) for close, _, _ in out(one, now)]
    assert closes == [opens(m + 1) for m in range(900)]
    assert not [n for n in one.notes() if n.kind == "empty"]


def test_a_venue_that_gives_only_the_newest_rows_does_not_block_a_row_for_ever(one):
    now, bars = opens(900) + GRACE, {opens(m): bar(100.0) for m in range(300, 900)}
    for _ in range(60):
        for want in one.wanted(now):
            one.answer(Answer(want, rows_of(bars, now)))
        now += 30_000
        if one.released[0] >= opens(899):
            break
        one.take(now)
    empty = [n.time for n in one.notes() if n.kind == "empty" and n.time < opens(900)]
    assert empty == [opens(m) for m in range(300)]


# -- the barrier ----------------------------------------------------------------------------------


def test_bars_of_one_close_go_out_together():
    made = remembering(3)
    for row in (2, 0):
        made.frame(closed(row, 0, bar(100.0)))
    assert out(made, opens(1) + HOLD - 1) == []
    assert made.next_at(opens(1) + 400) == opens(1) + GRACE  # row 1 will be asked for
    made.frame(closed(1, 0, bar(100.0)))
    assert made.next_at(opens(1) + 400) == opens(1) + 400
    assert out(made, opens(1) + 400) == [(opens(1), [0, 1, 2], False)]


def test_who_is_missing_after_the_hold_comes_late():
    made = remembering(3)
    for row in (2, 0):
        made.frame(closed(row, 0, bar(100.0)))
    (batch,) = made.take(opens(1) + HOLD)
    assert batch.rows.tolist() == [0, 2]
    assert batch.settled.tolist() == [opens(1), START, opens(1)]
    made.frame(closed(1, 0, bar(100.0)))
    (batch,) = made.take(opens(1) + HOLD + 1)
    assert (batch.time, batch.rows.tolist(), batch.late.tolist()) == (opens(1), [1], [True])
    assert batch.settled.tolist() == [opens(1)] * 3
    assert [n.kind for n in made.notes()] == ["late"]


def test_settled_never_runs_ahead_of_bars_in_the_same_call(one):
    for minute in (1, 2, 0):
        one.frame(closed(0, minute, bar(100.0)))
    assert [b.settled.tolist() for b in one.take(opens(4))] == [[opens(m)] for m in (1, 2, 3)]


# -- rows that go and come back -------------------------------------------------------------------


def test_a_dropped_row_is_neither_waited_for_nor_asked_for():
    made = remembering(2)
    made.drop(1)
    made.frame(closed(0, 0, bar(100.0)))
    made.frame(closed(1, 0, bar(100.0)))
    (batch,) = made.take(opens(1) + 400)
    assert batch.rows.tolist() == [0]
    assert batch.settled.tolist() == [opens(1), opens(1) + 400]
    assert [w.row for w in made.wanted(opens(5))] == [0]
    faults = made.faults(opens(5))
    assert faults.ended.tolist() == [False, True]
    assert (faults.overdue[1], faults.missing[1], faults.pending[1]) == (0, 0, False)


def test_bars_that_were_ready_still_leave_a_dropped_row():
    made = remembering(2)
    made.frame(closed(1, 0, bar(100.0)))
    made.frame(closed(1, 2, bar(100.0)))
    made.drop(1)
    made.frame(closed(0, 0, bar(100.0)))
    assert out(made, opens(9)) == [(opens(1), [0, 1], False)]


def test_a_restored_row_goes_on_after_what_was_settled():
    made = remembering(2)
    made.drop(1)
    for minute in range(5):
        made.frame(closed(0, minute, bar(100.0)))
    assert len(made.take(opens(5) + 400)) == 5
    made.restore(1)
    assert made.corrected().tolist() == [1]
    assert {w.row: w for w in made.wanted(opens(7))}[1].until == opens(6)
    for row in (0, 1):
        made.frame(closed(row, 5, bar(100.0)))
    assert out(made, opens(6) + 400) == [(opens(6), [0, 1], False)]
    assert made.faults(opens(6) + 400).missing.tolist() == [0.0, 0.0]


def test_answers_for_a_dropped_row_are_left():
    made = remembering(2)
    want = next(w for w in made.wanted(opens(2)) if w.row == 1)
    made.drop(1)
    made.answer(Answer(want, rows_of({START: bar(100.0)}, opens(2))))
    assert out(made, opens(9)) == []


# -- corrections, mismatches, jumps ---------------------------------------------------------------


def test_a_stream_bar_that_differs_from_rest_is_corrected_and_counted(one):
    one.frame(closed(0, 0, bar(100.0)))
    one.frame(closed(0, 1, bar(100.0)))
    assert len(one.take(opens(2) + 400)) == 2
    now = opens(2) + 30_000
    one.connected(np.array([0]), now)
    truth = {START: bar(100.1), opens(1): bar(100.0), START - MINUTE: bar(100.0)}
    answer(one, truth, now)
    assert one.corrected().tolist() == [0]
    assert one.corrected().tolist() == []
    (note,) = one.notes()
    assert (note.kind, note.time, note.before, note.after) == (
        "corrected", START, bar(100.0), bar(100.1),
    )  # fmt: skip
    assert note.change_bp == pytest.approx(10.0)
    faults = one.faults(now)
    assert faults.mismatch.tolist() == [0.5]
    assert faults.revised.tolist() == [0.01]
    assert one.n_corrections == 1
    assert out(one, opens(9)) == []  # nothing goes out again


def test_a_corrected_frame_makes_rest_decide(one):
    one.frame(closed(0, 0, bar(100.0)))
    one.take(opens(1) + 400)
    now = opens(1) + 20_000
    one.frame(closed(0, 0, bar(101.0), at=now))
    assert one.corrected().size == 0
    answer(one, {START: bar(101.0)}, now)
    assert one.corrected().tolist() == [0]


def test_a_jump_is_held_until_rest_answers(one):
    one.frame(closed(0, 0, bar(10_000.0)))
    now = opens(1) + GRACE
    assert out(one, now + HOLD) == []
    assert one.faults(now).suspicious.tolist() == [True]
    answer(one, {START: bar(100.0), START - MINUTE: bar(100.0)}, now)
    (batch,) = one.take(now)
    assert batch.values.tolist() == [list(bar(100.0))]
    assert one.faults(now).suspicious.tolist() == [False]
    assert [n.kind for n in one.notes()] == ["spike", "corrected"]


@pytest.mark.parametrize("factor", [100.0, 0.01, 1.25])
def test_an_open_bar_that_jumps_is_not_shown(one, factor):
    time = START
    one.frame(Frame(0, time, bar(100.5), None, time + 1))
    one.frame(Frame(0, time, bar(100.0 * factor, 9e9), None, time + 2))
    assert one.forming(time + 3).values[0].tolist() == list(bar(100.5))


def test_doubt_from_outside_is_kept_until_it_ends(one):
    for _ in range(2):
        one.doubt(0, True, "ticker disagrees")
    assert one.faults(START).suspicious.tolist() == [True]
    assert [(n.kind, n.text) for n in one.notes()] == [("spike", "ticker disagrees")]
    one.doubt(0, False, "")
    assert one.faults(START).suspicious.tolist() == [False]


def test_a_bar_that_comes_after_it_was_empty_is_noted_and_not_released(one):
    now = opens(4)
    for n in range(3):
        answer(one, {START - MINUTE: bar(100.0)}, now + n * MINUTE)
    one.notes()
    now += 4 * MINUTE
    answer(one, {START - MINUTE: bar(100.0), opens(1): bar(100.0), opens(5): bar(100.0)}, now)
    assert one.corrected().tolist() == [0]
    assert [n.time for n in one.notes() if n.kind == "late"] == [opens(1)]
    assert opens(2) not in [close for close, _, _ in out(one, now)]


# -- forming, faults, bounds ----------------------------------------------------------------------


def test_forming_bars_are_shown_and_ended_by_the_final_one(one):
    one.frame(Frame(0, START, bar(100.0), False, START + 1_000))
    shown = one.forming(START + 2_000)
    assert shown.rows.tolist() == [0]
    assert one.forming(START + 3_000) is None
    one.frame(closed(0, 0, bar(100.0), at=opens(1) - 100))
    one.frame(Frame(0, START, bar(100.0), False, opens(1) - 50))
    assert one.forming(opens(1) - 40) is None


def test_faults_of_rows_that_wait():
    made = remembering(2)
    for minute in range(3):
        made.frame(closed(0, minute, bar(100.0)))
    now = opens(3) + HOLD
    faults = made.faults(now)
    assert faults.overdue.tolist() == [0.0, 2.0]
    assert faults.pending.tolist() == [False, True]
    assert faults.missing.tolist() == [0.0, pytest.approx(0.03)]
    assert faults.mismatch.tolist() == faults.revised.tolist() == [0.0, 0.0]
    assert not faults.suspicious.any()
    assert not faults.ended.any()
    assert made.faults(opens(1)).overdue.tolist() == [0.0, 0.0]
    assert faults.skew_ms == 0


def test_bars_far_ahead_of_a_hole_are_asked_for_again(one):
    for minute in range(1, 400):
        one.frame(closed(0, minute, bar(100.0)))
    now = opens(400) + GRACE
    for _ in range(9):
        for want in one.wanted(now):
            bars = {t: bar(100.0) for t in range(want.since, want.until, MINUTE)}
            one.answer(Answer(want, rows_of(bars, now)))
    closes = [close for _ in range(3) for close, _, _ in out(one, now)]
    assert closes == [opens(m + 1) for m in range(400)]


def test_rows_that_are_not_there_and_negative_patience_are_refused():
    with pytest.raises(ValueError, match="hold_ms must be >= 0, was -1"):
        Assembler(SYMBOLS, "1m", START, GRACE, -1)
    with pytest.raises(ValueError, match="timeframe"):
        Assembler(SYMBOLS, "1M", START, GRACE, HOLD)  # type: ignore[arg-type] # the point
    with pytest.raises(ValueError, match="budget must be >= 1, was 0"):
        assembler(1).budget = 0


def test_weeks_stand_on_mondays():
    week = 7 * 24 * 60 * MINUTE
    monday = (START - 4 * 24 * 60 * MINUTE) // week * week + 4 * 24 * 60 * MINUTE
    made = Assembler(SYMBOLS[:1], "1w", START, GRACE, HOLD)
    assert made.released.tolist() == [monday - week]
    made.history(0, np.array([monday - week]), np.array([bar(100.0)]))
    made.frame(Frame(0, monday, bar(100.0), True, monday + week + 1))
    assert out(made, monday + week + 1) == [(monday + week, [0], False)]


def test_without_symbols_nothing_happens():
    made = Assembler((), "1m", START, GRACE, HOLD)
    assert made.take(opens(9)) == made.wanted(opens(9)) == []
    assert made.faults(opens(9)).overdue.size == 0
    assert made.next_at(START) > opens(9)


# -- against a venue that misbehaves --------------------------------------------------------------

troubles = st.builds(
    Faults,
    loss=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    duplicate=st.sampled_from([0.0, 0.5]),
    corrupt=st.sampled_from([0.0, 0.2]),
    spike=st.sampled_from([0.0, 0.1]),
    delay=st.sampled_from([500, 5_000, 200_000]),
    cuts=st.integers(0, 4),
    failure=st.sampled_from([0.0, 0.3, 0.6]),
    answer_delay=st.sampled_from([100, 3_000, 90_000]),
)
scripts = st.builds(
    Script, st.just(20), st.integers(0, 10_000), empty=st.sampled_from([0.0, 0.1, 0.5])
)
property_test = settings(
    max_examples=settings.default.max_examples // 5, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


def truth(script, row):
    return list(script.bars[row].items())


@property_test
@given(scripts, troubles)
def test_whatever_happens_the_truth_goes_out_once_and_in_order(script, faults):
    run = Run(script, faults).play(opens(20)).play(opens(20) + LONG, step=5_000)
    for row, symbol in enumerate(SYMBOLS):
        assert run.released(row) == truth(script, row)
        empty = {t for name, t in run.noted("empty") if name == symbol and t < opens(20)}
        assert empty == {opens(m) for m in range(20)} - set(script.bars[row])
        assert run.noted("corrected") == [] or faults.spike
    assert not run.corrected
    assert run.assembler.faults(opens(20) + HOLD).missing.max() < 1e-9


@property_test
@given(scripts, troubles, st.integers(1, 19), st.booleans())
def test_the_future_never_changes_what_went_out_before(script, faults, minute, cut):
    until = opens(minute) + 1_000
    whole = Run(script, faults).play(until)
    other = Script(20, script.seed, empty=script.empty)
    part = Run(other, faults)
    if cut:
        part.frames = [f for f in part.frames if f.at <= until]
    else:  # another future: nothing that is to come may be looked at
        part.frames = [
            f if f.at <= until else Frame(f.row, f.time, bar(1.0), True, f.at) for f in part.frames
        ]
        for bars in other.bars:
            bars.update({t: bar(1.0) for t in bars if t + MINUTE > until})
    part.play(until)
    for row in range(3):
        assert part.released(row) == whole.released(row)
    assert part.notes == whole.notes


@property_test
@given(scripts, st.randoms(use_true_random=False), st.floats(0, 0.3))
def test_the_order_of_frames_changes_nothing(script, random, wrong):
    rng = np.random.default_rng(script.seed)
    frames = script.frames(Faults(duplicate=0.5, spike=wrong, corrupt=0.1))[0]
    end = opens(20) + 500
    frames = [Frame(f.row, f.time, f.values, f.closed, end) for f in frames]
    frames += [  # a second telling of some bars, and it is wrong
        Frame(f.row, f.time, bar(f.values[0] * 1.01), True, end)
        for f in frames if f.closed and f.values[0] > 0 and rng.random() < wrong
    ]  # fmt: skip
    mixed = frames.copy()
    random.shuffle(mixed)
    states = []
    for order in (frames, mixed):
        run = Run(script, Faults())
        run.now, run.frames = end - 1_000, order
        run.play(end + LONG, step=5_000)
        faults = run.assembler.faults(end)
        states.append((
            [run.released(row) for row in range(3)], faults.mismatch.tolist(),
            faults.missing.tolist(), run.assembler.released.tolist(),
        ))  # fmt: skip
    assert states[0] == states[1]
    assert states[0][0] == [truth(script, row) for row in range(3)]


@property_test
@given(st.integers(0, 10_000), st.integers(0, 2), st.integers(3, 18), st.floats(0.002, 0.05))
def test_a_revision_after_the_release_is_told(seed, row, minute, share):
    script = Script(20, seed)
    run = Run(script, Faults()).play(opens(20) - 20_000)
    before = dict(run.released(row))[opens(minute)]
    after = tuple(v * (1 + share) for v in before)
    script.bars[row][opens(minute)] = after
    run.corrected.clear()
    run.assembler.frame(Frame(row, opens(minute), after, True, run.now))
    run.play(opens(20) + 5 * MINUTE)
    assert run.corrected == {row}
    notes = [n for n in run.notes if n.kind == "corrected"]
    assert [(n.symbol, n.time, n.after, n.revision) for n in notes] == [
        (SYMBOLS[row], opens(minute), after, 1)
    ]
    assert dict(run.released(row))[opens(minute)] == before
    revised = run.assembler.faults(run.now).revised
    assert revised.tolist() == [0.01 if r == row else 0.0 for r in range(3)]


@property_test
@given(st.integers(0, 10_000), st.sets(st.integers(0, 19), max_size=6))
def test_stream_bars_that_differ_show_in_the_share(seed, wrong):
    script = Script(20, seed)
    run = Run(script, Faults())
    run.frames = [
        Frame(f.row, f.time, bar(f.values[0] * 1.01), True, f.at)
        if f.closed and (f.time - START) // MINUTE in wrong and f.row == 1 else f
        for f in run.frames
    ]  # fmt: skip
    run.connections = [opens(m) + 30_000 for m in range(1, 21)]  # each brings an audit
    run.play(opens(21))
    noted = {t for name, t in run.noted("corrected") if name == SYMBOLS[1]}
    assert noted == {opens(m) for m in wrong}
    assert len(run.noted("corrected")) == len(wrong)
    mismatch = run.assembler.faults(opens(20) + HOLD).mismatch
    assert mismatch.tolist() == [0.0, pytest.approx(len(wrong) / 20), 0.0]


class Misbehaving(RuleBasedStateMachine):
    """Any order of events at all; at the end the venue behaves, and nothing may be amiss."""

    @initialize(seed=st.integers(0, 10_000), empty=st.sampled_from([0.0, 0.3]))
    def begin(self, seed, empty):
        self.script = Script(60, seed, empty=empty)
        self.run = Run(self.script, Faults())
        self.run.frames = []
        self.minute = 0
        self.dropped: set[int] = set()
        self.ever: set[int] = set()

    @rule(ms=st.integers(1, 100_000))
    def pass_time(self, ms):
        if self.run.now + ms < opens(50):
            self.run.now += ms
            self.run.take()

    @rule(row=st.integers(0, 2), back=st.integers(0, 6))
    def close(self, row, back):
        time = self.run.now // MINUTE * MINUTE - (1 + back) * MINUTE
        if values := self.script.bars[row].get(time):
            self.run.assembler.frame(Frame(row, time, values, True, self.run.now))

    @rule(row=st.integers(0, 2), back=st.integers(-3, 6), mark=st.sampled_from([None, False]))
    def show(self, row, back, mark):
        time = self.run.now // MINUTE * MINUTE - back * MINUTE
        self.run.assembler.frame(Frame(row, time, bar(55.0), mark, self.run.now))

    @rule(row=st.integers(0, 2), shift=st.sampled_from([1, 30_000, 999]), back=st.integers(0, 4))
    def garble(self, row, shift, back):
        now = self.run.now
        time = now // MINUTE * MINUTE - back * MINUTE
        made = self.run.assembler
        made.frame(Frame(row, time - shift, bar(55.0), True, now))
        made.frame(Frame(row, time, (NAN, 1.0, 1.0, 1.0, 1.0), True, now))
        made.frame(Frame(row, time // 1_000, bar(55.0), True, now))
        made.frame(Frame(row, time - MINUTE, bar(5_500.0), True, now))

    @rule()
    def ask(self):
        for want in self.run.assembler.wanted(self.run.now):
            self.run.fly(want)

    @precondition(lambda self: self.run.flights)
    @rule(which=st.integers(0, 20), fails=st.booleans())
    def land(self, which, fails):
        flight = self.run.flights.pop(which % len(self.run.flights))
        self.run.land(self.run.now, fails, *flight[2:])

    @rule(rows=st.sets(st.integers(0, 2), min_size=1))
    def connect(self, rows):
        self.run.assembler.connected(np.array(sorted(rows)), self.run.now)

    @rule(row=st.integers(0, 2))
    def drop(self, row):
        self.run.assembler.drop(row)
        self.run.flights = [f for f in self.run.flights if f[2].row != row]
        self.dropped.add(row)
        self.ever.add(row)

    @rule(row=st.integers(0, 2))
    def restore(self, row):
        self.run.assembler.restore(row)
        self.dropped.discard(row)

    @invariant()
    def nothing_wrong_went_out(self):
        for row, bars in enumerate(self.script.bars):
            for time, values in self.run.released(row):
                assert bars[time] == values

    def teardown(self):
        if not hasattr(self, "run"):
            return
        for row in sorted(self.dropped):
            self.run.assembler.restore(row)
        self.run.play(opens(60) + LONG, step=5_000)
        for row in range(3):
            given, expected = self.run.released(row), truth(self.script, row)
            if row not in self.ever:
                assert given == expected
            else:  # what closed while it was away is left out, nothing else
                assert [bar for bar in expected if bar in given] == given
                assert given[-1:] == expected[-1:]


TestMisbehaving = Misbehaving.TestCase
TestMisbehaving.settings = settings(
    max_examples=settings.default.max_examples // 5, stateful_step_count=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
