import argparse

import pytest

import app.server
from app.commands.serve import add
from opportunity.config import Settings, SettingsError


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="opportunity")
    add(made.add_subparsers(dest="verb"))
    return made


@pytest.fixture
def served(monkeypatch) -> list[Settings]:
    """Settings with which the server would run."""
    seen: list[Settings] = []

    async def serve(settings: Settings) -> int:
        seen.append(settings)
        return 0

    monkeypatch.setattr(app.server, "serve", serve)
    return seen


def run(parser: argparse.ArgumentParser, *flags: str) -> int:
    args = parser.parse_args(["serve", *flags])
    return int(args.run(args))


def test_without_flags_everything_is_as_the_settings_say(parser, served) -> None:
    assert run(parser) == 0
    assert served == [Settings()]
    assert served[0].host == "127.0.0.1"
    assert served[0].feed == "simulated"


def test_every_flag_reaches_its_setting(parser, served, tmp_path) -> None:
    values = {
        "host": "::1", "port": 0, "feed": "replay", "data": tmp_path, "exchange": "binance",
        "exchange_url": "http://127.0.0.1:8791", "top": 12, "quote": "EUR",
        "symbols": ("BTC/USDT", "ETH/USDT"), "timeframes": ("5m", "1h"), "speed": 3600.0,
        "start": "2026-01-05", "seed": 3, "home": tmp_path / "h", "log_level": "DEBUG",
        "origins": ("https://a.example", "https://b.example"), "tls_cert": tmp_path / "cert",
        "tls_key": tmp_path / "key",
    }  # fmt: skip
    flags = []
    for name, value in values.items():
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        flags += [f"--{name.replace('_', '-')}", text]
    assert run(parser, *flags) == 0
    assert {name: getattr(served[0], name) for name in values} == values
    options = {a.dest for a in parser._subparsers._group_actions[0].choices["serve"]._actions}
    assert options - {"help", "record", "auth", "workers", "agent_url"} == set(values)
    assert not served[0].record


def test_record_is_a_switch(parser, served) -> None:
    assert run(parser, "--record") == 0
    assert served[0].record


def test_flags_win_over_the_environment(parser, served, monkeypatch) -> None:
    monkeypatch.setenv("OPPORTUNITY_PORT", "9000")
    monkeypatch.setenv("OPPORTUNITY_SEED", "4")
    assert run(parser, "--port", "9001") == 0
    assert (served[0].port, served[0].seed) == (9001, 4)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--port", "70000"), "port must be less than or equal to 65535, was 70000"),
        (("--speed", "0"), "speed must be greater than or equal to 0.1, was 0.0"),
        (("--seed", "-1"), "seed must be greater than or equal to 0, was -1"),
    ],
)
def test_value_out_of_bounds_is_bad_usage(parser, served, capsys, flags, words) -> None:
    assert run(parser, *flags) == 2
    assert capsys.readouterr().err == f"opportunity: {words}\n"
    assert served == []


def test_settings_that_the_feed_refuses_are_bad_usage(parser, monkeypatch, capsys) -> None:
    async def serve(settings: Settings) -> int:
        raise SettingsError("start must be empty")

    monkeypatch.setattr(app.server, "serve", serve)
    assert run(parser) == 2
    assert capsys.readouterr().err == "opportunity: start must be empty\n"


def test_misspelt_environment_is_bad_usage(parser, served, capsys, monkeypatch) -> None:
    monkeypatch.setenv("OPPORTUNITY_PROT", "9000")
    assert run(parser) == 2
    assert "Did you mean 'OPPORTUNITY_PORT'" in capsys.readouterr().err


def test_several_workers_and_further_hosts_are_supervised(parser, served, monkeypatch) -> None:
    seen = []

    async def supervise(settings: Settings, flags: dict) -> int:
        seen.append((settings, flags))
        return 0

    monkeypatch.setattr("app.edge.supervisor.supervise", supervise)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("OPPORTUNITY_EDGE_SECRET", "canary")
    assert run(parser, "--workers", "3", "--port", "0") == 0
    assert run(parser, "--agent-url", "http://10.0.0.1:8000") == 0
    assert served == []
    assert [settings.workers for settings, _ in seen] == [3, 1]
    assert seen[0][1] == {"workers": 3, "port": 0}
    assert seen[1][0].agent_url == "http://10.0.0.1:8000"
    assert "canary" not in repr(seen)


def test_several_workers_without_a_bus_are_bad_usage(parser, capsys) -> None:
    assert run(parser, "--workers", "2", "--port", "0") == 2
    assert "redis_url must be set for workers > 1" in capsys.readouterr().err


def test_help_names_the_address_of_redis_as_the_docs_do(parser, capsys) -> None:
    with pytest.raises(SystemExit):
        run(parser, "--help")
    assert "more than one need REDIS_URL" in " ".join(capsys.readouterr().out.split())
