from app.auth.refusals import BusyError, LoginRefusedError


def test_waiting_helps_only_who_came_at_a_busy_moment():
    assert BusyError("x").passing
    assert not LoginRefusedError("x").passing
