"""`opportunity doctor`: lines, JSON, exit codes."""

import asyncio
import json
import sys

import pytest

from app.cli import main
from app.exchange.server import LocalExchange


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path_factory):
    """Bans that are earned here must not reach other tests."""
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path_factory.mktemp("home")))


CANARY = "hunter2canary"


async def doctor(*args):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "doctor", *map(str, args),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def test_every_check_has_a_line(tmp_path):
    async with LocalExchange(2) as exchange:
        code, out, err = await doctor("--exchange-url", exchange.url, "--home", tmp_path)
    assert (code, err) == (0, ""), out
    names = [line.partition(":")[0].split()[2:] for line in out.splitlines()]
    assert [" ".join(n) for n in names] == [
        "python", "packages", "settings", "data folder", "disk", "database", "backups", "kernels",
        "port", "bans", "connect", "markets", "bars", "clock", "websocket",
    ]
    assert {line.split()[1] for line in out.splitlines()} <= {"OK", "WARN"}
    assert list(tmp_path.iterdir()) == []  # nothing is made


async def test_document_and_failure(tmp_path):
    async with LocalExchange(1) as exchange:
        url = exchange.url
    code, out, _ = await doctor("--exchange-url", url, "--home", tmp_path, "--json")
    body = json.loads(out)
    assert (code, body["verdict"]) == (1, "FAIL")
    assert {c["name"]: c["verdict"] for c in body["checks"]}["connect"] == "FAIL"


def test_unknown_exchange_gets_a_near_name(capsys):
    assert main(["doctor", "--exchange", "krakn"]) == 2
    assert "Did you mean 'kraken'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [("OPPORTUNITY_PORT", "99999999"), ("OPPORTUNITY_PROT", "1"), ("LOG_LEVEL", "LOUD")],
)
def test_settings_that_cannot_be_read(capsys, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL settings" in out


def test_no_secret_is_printed(capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{CANARY}@127.0.0.1:1/db")
    monkeypatch.setenv("REDIS_URL", f"redis://:{CANARY}@127.0.0.1:1")
    monkeypatch.setenv("OPPORTUNITY_NEWS_SOURCES", f"https://news.example/rss?key={CANARY}")
    monkeypatch.setenv("OPPORTUNITY_EXCHANGE_URL", f"http://me:{CANARY}@127.0.0.1:1")
    assert main(["doctor"]) == 1
    monkeypatch.setenv("OPPORTUNITY_EXCHANGE_URL", "http://127.0.0.1:1")
    assert main(["doctor"]) == 1
    out, err = capsys.readouterr()
    assert "FAIL database" in out
    assert CANARY not in out + err
