import pytest

from app.doctor.check import Check, plain, worst


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see postgresql://me:secret@db.local/x now", "see postgresql://***@db.local/x now"),
        ("https://host/feed?token=abc&x=1 failed", "https://host/feed?... failed"),
        ("http://user@host:80/#key", "http://***@host:80/?..."),
        ("redis://:pass@h:1", "redis://***@h:1"),
        ("two\nlines", "two lines"),
        ("a@b.c is no address", "a@b.c is no address"),
    ],
)
def test_no_login_and_no_query_is_shown(text, expected):
    assert plain(text) == expected


def test_line_and_document():
    check = Check("database", "FAIL", "sqlite://u:p@x is away", "start it")
    assert check.line() == "✗ FAIL database: sqlite://***@x is away -> start it"
    assert check.as_dict() == {
        "name": "database", "verdict": "FAIL", "text": "sqlite://***@x is away",
        "advice": "start it",
    }
    assert Check("disk", "OK", "fine").line() == "✓ OK   disk: fine"
    assert Check("disk", "OK", "fine").as_dict()["advice"] is None


def test_worst_counts():
    ok, warn, fail = (Check("x", v, "") for v in ("OK", "WARN", "FAIL"))
    assert worst([]) == "OK"
    assert worst([ok, warn]) == "WARN"
    assert worst([warn, fail, ok]) == "FAIL"
