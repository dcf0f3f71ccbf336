import logging

import structlog

from app.logs import configure_logs
from app.observing import problems
from app.observing.problems import MOST, Keeper, Problems, keep


def test_the_newest_are_kept_and_repetition_is_counted() -> None:
    now = [1]
    kept = Problems(lambda: now[0])
    for i in range(MOST + 5):
        kept.add("warning", f"trouble {i}")
    now[0] = 9
    kept.add("warning", f"trouble {MOST + 4}", "again")
    found = kept.all()
    assert len(found) == MOST
    assert (found[0].text, found[0].n, found[0].at, found[0].detail) == (
        f"trouble {MOST + 4}", 2, 9, "again")
    assert found[-1].text == "trouble 5"
    assert kept.n_seen == MOST + 6


def test_long_texts_are_cut_and_other_levels_are_errors() -> None:
    kept = Problems(lambda: 1)
    kept.add("critical", "x" * 9_000, "y" * 9_000)
    (one,) = kept.all()
    assert one.level == "error"
    assert len(one.text) == len(one.detail) == problems.MOST_CHARS


def test_only_problems_pass(monkeypatch) -> None:
    kept = Problems(lambda: 1)
    monkeypatch.setattr(problems, "PROBLEMS", kept)
    for level in ("debug", "info", "warning", "error"):
        event = {"level": level, "event": "bar late", "timestamp": "t", "late_s": 3}
        assert keep(None, level, event) is event
    assert [(one.level, one.detail) for one in kept.all()] == [
        ("error", "late_s=3"), ("warning", "late_s=3")]


def test_a_line_whose_values_do_not_fit_ends_nobody_who_logs_it(monkeypatch) -> None:
    kept = Problems(lambda: 1)
    monkeypatch.setattr(problems, "PROBLEMS", kept)
    log = logging.Logger("lib")
    log.addHandler(Keeper())
    log.warning("%d bars late", "three")
    log.error("%(name)s is gone", {"other": 1})
    assert [one.text for one in kept.all()] == ["%(name)s is gone", "%d bars late"]


def test_the_log_fills_it_without_secrets(monkeypatch, capsys) -> None:
    kept = Problems(lambda: 1)
    monkeypatch.setattr(problems, "PROBLEMS", kept)
    configure_logs("INFO")
    structlog.get_logger().info("fine")
    structlog.get_logger().warning("not sent", url="https://somebody:word@host/x?token=abc")
    record = logging.makeLogRecord(
        {"name": "lib", "levelno": 40, "levelname": "ERROR", "msg": "no %s", "args": ("token=abc",)}
    )
    Keeper().handle(record)
    library, ours = kept.all()
    assert (library.level, library.detail) == ("error", "of lib")
    assert "abc" not in library.text
    assert ours.text == "not sent"
    assert "word" not in ours.detail
    assert "abc" not in ours.detail
