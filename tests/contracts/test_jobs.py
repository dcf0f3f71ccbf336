from typing import get_args

from app.api.jobs import RESULTS
from app.jobs import State
from opportunity.contracts.jobs import JobKind, JobLine, JobState, JobStatus
from opportunity.contracts.realtime import BacktestMessage


def test_states_are_those_of_the_queue():
    assert get_args(JobState) == get_args(State)
    assert set(RESULTS) <= set(get_args(JobKind))


def test_the_stream_tells_the_line_of_a_status():
    line = set(JobLine.model_fields)
    assert line < set(JobStatus.model_fields)
    assert line | {"v", "epoch", "seq", "type", "ts"} == set(BacktestMessage.model_fields)
