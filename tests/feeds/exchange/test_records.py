import numpy as np

from opportunity.feeds.exchange.records import Answer, Frame, Rows, Want


def test_wants_are_values_and_name_their_span():
    assert Want(0, 60_000, 180_000) == Want(0, 60_000, 180_000)
    assert len({Want(0, 60_000, 180_000), Want(1, 60_000, 180_000)}) == 2


def test_a_frame_keeps_what_was_said_about_its_end():
    values = (1.0, 2.0, 0.5, 1.5, 10.0)
    said = [Frame(0, 60_000, values, closed, 61_000).closed for closed in (True, False, None)]
    assert said == [True, False, None]


def test_an_answer_belongs_to_its_want():
    rows = Rows(np.array([60_000]), np.ones((1, 5)), 125_000)
    answer = Answer(Want(0, 60_000, 120_000), rows)
    assert answer.rows.asked_at == 125_000
    assert answer.want.row == 0
