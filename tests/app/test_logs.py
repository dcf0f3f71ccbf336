import json
import logging

import pytest
import structlog

from app.logs import configure_logs, discreet


@pytest.fixture
def log(capsys):
    """What is written to standard error, as lines."""
    return lambda: capsys.readouterr().err.splitlines()


def test_an_event_is_one_line_of_pairs(log) -> None:
    configure_logs("INFO")
    structlog.get_logger("app.x").warning("bar late", symbol="BTC/USDT", late_s=1.5, ok=True)
    (line,) = log()
    assert 'level=warning event="bar late" symbol=BTC/USDT late_s=1.5 ok=true' in line
    assert line.startswith("timestamp=20")
    assert line.split()[0].endswith("Z")


@pytest.mark.parametrize(
    ("level", "seen"),
    [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)],
)
def test_level_is_the_least_that_is_shown(log, level, seen) -> None:
    configure_logs(level)
    logger = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)("event")
    assert len(log()) == seen


def test_traceback_stays_on_its_line(log) -> None:
    configure_logs("INFO")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        structlog.get_logger().error("failed", exc_info=True, path="/x y")
    (line,) = log()
    assert "ValueError: two\\nlines" in line
    assert 'path="/x y"' in line


@pytest.mark.parametrize("value", ["a=b", 'say "hi"', "", None, "a\nb", {"a": 1}, [1], "ü"])
def test_any_value_can_be_logged_on_one_line(log, value) -> None:
    configure_logs("INFO")
    structlog.get_logger().info("event", value=value)
    assert len(log()) == 1


def test_what_a_terminal_would_obey_is_escaped(log) -> None:
    configure_logs("INFO")
    structlog.get_logger().warning("file not read", file="a\x1b[2J\x9b.json")
    (line,) = log()
    assert line.endswith("file=a\\x1b[2J\\x9b.json")


@pytest.mark.parametrize("name", ["bokeh", "panel"])
def test_libraries_are_heard_from_warnings_on(log, monkeypatch, name) -> None:
    import panel  # noqa: F401 - which prints by itself from then on, as Bokeh does

    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])  # those of the test runner
    before = root.level
    configure_logs("DEBUG")
    logging.getLogger(f"{name}.x").info("chatter")
    logging.getLogger(f"{name}.x").warning("something")
    root.setLevel(before)
    (line,) = log()
    assert "something" in line


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("wss://x.example/ws?token=SECRET timed out", "wss://x.example/ws timed out"),
        ("postgresql://user:SECRET@db.example/one", "postgresql://db.example/one"),
        ("see 'https://x.example/a#SECRET', then go", "see 'https://x.example/a', then go"),
        ("http://127.0.0.1:8791 and https://y.example/b", None),
        ("12:30:00 // a/b? c#d", None),
    ],
)
def test_addresses_keep_no_secret(log, monkeypatch, said, shown) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    shown = shown or said
    assert discreet(said) == shown
    configure_logs("INFO")
    structlog.get_logger().info("line down", why=said)
    logging.getLogger("asyncio").warning("not %s", said)
    ours, theirs = log()
    assert shown in ours
    assert theirs.endswith(f"not {shown}")
    assert "SECRET" not in ours + theirs


def test_unknown_level_is_an_error() -> None:
    with pytest.raises(KeyError):
        configure_logs("LOUD")


def test_json_lines_are_json_in_order(log) -> None:
    configure_logs("INFO", "json")
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger().warning("bar late", symbol="BTC/USDT", late_s=1.5, agent="x\r\ny\x1b[2J")
    structlog.contextvars.clear_contextvars()
    (line,) = log()
    told = json.loads(line)
    assert list(told)[:3] == ["timestamp", "level", "event"]
    assert told["request_id"] == "r1"
    assert told["late_s"] == 1.5
    assert told["agent"] == "x\r\ny\x1b[2J"
    assert line.isprintable()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_has_a_secret_and_none_is_two(log, form, monkeypatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    configure_logs("INFO", form)
    secret = "CANARY-1f"
    try:
        raise ValueError(f"login of Bearer {secret} failed\r\nfaked line")
    except ValueError:
        structlog.get_logger().error(
            "failed", exc_info=True, password=secret, headers={"Cookie": f"a={secret}"},
            url=f"redis://:{secret}@127.0.0.1/0", said=f"token={secret}",
        )  # fmt: skip
        logging.getLogger("tornado").exception("not %s\r\nfaked", f"Bearer {secret}")
    text = "\n".join(log())
    assert secret not in text
    if form == "json":
        ours, theirs = map(json.loads, text.splitlines())
        assert ours["password"] == "[redacted]"
        assert ours["url"] == "redis://127.0.0.1/0"
        assert "ValueError" in ours["exception"]
        assert theirs["logger"] == "tornado"
        assert "ValueError" in theirs["exception"]


def test_json_takes_any_value(log) -> None:
    configure_logs("INFO", "json")
    structlog.get_logger().info("x", a=b"\xff", b={1: object()}, c=float("nan"), d={1, 2}, e=None)
    assert len(log()) == 1
