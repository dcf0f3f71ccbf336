import io

import pytest
from rich.console import Console

from app.research.shown import Shown


@pytest.fixture
def terminal(monkeypatch):
    """Make stderr of the bar a terminal that is kept."""
    out = io.StringIO()
    made = Console(file=out, force_terminal=True, width=160)
    monkeypatch.setattr("rich.console.Console", lambda **_: made)
    return out


def test_a_terminal_shows_work_rate_and_time_left(terminal):
    with Shown("judging", "vectors") as shown:
        shown.tell(50, 100)
        shown._bar.refresh()
        assert shown._bar.tasks[0].percentage == 50
        assert shown._bar.tasks[0].fields["rate"].endswith(" vectors/s")
        shown.now("something else", "runs")
        assert shown._bar.tasks[0].completed == 0
    text = terminal.getvalue()
    assert "judging" in text
    assert "50%" in text
    assert "left" in text


def test_a_pipe_shows_nothing(capsys):
    with Shown("judging", "vectors") as shown:
        shown.tell(1, 2)
    assert capsys.readouterr() == ("", "")


def test_the_bar_ends_with_an_error(terminal):
    with pytest.raises(ValueError, match="no"), Shown("judging") as shown:
        raise ValueError("no")
    assert shown._bar.finished or not shown._bar.live.is_started
