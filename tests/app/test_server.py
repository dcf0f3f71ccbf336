"""The real process: what it prints, what it serves, how it ends, what a restart keeps."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import random_bars

from app import server
from app.names import state_name, universe_key
from opportunity.config import Settings
from opportunity.market.store import BarStore
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory
from opportunity.storage.trading_tables import position
from opportunity.storage.turned import Why

START = "2026-01-05T12:00"
START_MS = 1_767_614_400_000
FLAGS = ("--symbols", "BTC/USDT,ETH/USDT", "--timeframes", "5m,1h", "--log-level", "WARNING")
ADDRESS = re.compile(r"opportunity [\w.]+: 2 symbols, simulated market, at (http://\S+:(\d+))\n")


class Process:
    """`opportunity serve` in a process of its own."""

    def __init__(self, home: Path, *flags: object, port: int = 0) -> None:
        given = ["--port", port, "--home", home, *FLAGS, *flags]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", *map(str, given)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def address(self) -> str:
        """Wait until it is ready and return where it is."""
        line = self.process.stdout.readline()
        found = ADDRESS.fullmatch(line)
        assert found, line + self.process.stderr.read()
        self.port = int(found[2])
        return found[1]

    def call(self, path: str, method: str = "GET", body: object = None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers["Content-Type"] else text

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return exit code and standard error."""
        self.process.send_signal(number)
        return self.wait(30)  # of a machine with other work

    def wait(self, timeout_s: float) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, errors

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.process.stdout.close()
        self.process.stderr.close()


def test_life_of_a_server(tmp_path) -> None:
    with Process(tmp_path, "--start", START, "--speed", 600) as first:
        assert first.address() == f"http://127.0.0.1:{first.port}"
        assert first.call("/health")["status"] in ("ok", "healthy")
        page = first.call("/")
        assert "<html" in page
        assert "SIMULATED" in page
        first.call("/api/config/weights", "PUT", PRESETS["aggressive"])
        first.call("/api/agent/toggle?enabled=false", "PUT")
        first.call("/api/agent/config", "PUT", {"scan_interval_ms": 700})
        code, errors = first.end()
        assert code == 0, errors
        assert "Traceback" not in errors
    with Process(tmp_path, "--speed", 0.1) as second:  # no --start: where it stood
        second.address()
        weights = second.call("/api/config/weights")
        assert weights["smc"] == PRESETS["aggressive"]["smc"]
        status = second.call("/api/agent/status")
        assert (status["enabled"], status["scan_interval_ms"]) == (False, 700)
        report = second.call("/api/scanner/run", "POST", {
            "symbols": ["BTCUSDT"], "timeframes": ["5m"],
        })
        assert report["scan_time"] > "2026-01-05T12:00"
        assert report["scan_time"] < "2026-01-06"
        code, errors = second.end(signal.SIGINT)
        assert (code, errors) == (0, "")


@pytest.mark.slow
def test_recorded_market_takes_the_same_path(tmp_path) -> None:
    store = BarStore(tmp_path / "data", "somewhere")
    for seed, symbol in enumerate(("BTC/USDT", "ETH/USDT")):
        store.write(random_bars(1_400, seed).label(symbol=symbol))
    flags = ("--feed", "replay", "--data", tmp_path / "data", "--speed", 3_600,
             "--timeframes", "15m,1h,4h")  # fmt: skip
    with Process(tmp_path / "home", *flags) as server:
        line = server.process.stdout.readline()
        found = re.search(r"2 symbols, replay:somewhere market, at http://\S+:(\d+)\n", line)
        assert found, line + server.process.stderr.read()
        server.port = int(found[1])
        config = server.call("/api/agent/config")
        assert config["timeframes"] == ["1h", "4h"]  # nothing is finer than what was recorded
        loose = {"type": "any", "threshold": 0, "min_confidence": 0, "max_risk": "HIGH",
                 "min_volume_usd": 0, "exclude_neutral": False}  # fmt: skip
        report = server.call("/api/scanner/run", "POST", {
            "timeframes": ["1h", "4h"], "rules": loose,
        })
        assert {row["symbol"] for row in report["results"]} == {"BTC/USDT", "ETH/USDT"}
        assert {row["source"] for row in report["results"]} == {"replay:somewhere"}
        assert server.end()[0] == 0


def test_answers_at_any_loopback_address(tmp_path) -> None:
    hosts = ["localhost"]
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
            hosts.append("::1")
        except OSError:
            pass
    for host in hosts:
        with Process(tmp_path, "--host", host) as server:
            shown = "[::1]" if host == "::1" else host
            address = server.address()
            assert address == f"http://{shown}:{server.port}"
            with urllib.request.urlopen(f"{address}/health", timeout=20) as answer:
                assert answer.status == 200
            assert server.end()[0] == 0


@pytest.mark.parametrize("flags", [("--host", "0.0.0.0"), ("--auth",)])
def test_where_others_can_call_everybody_logs_in(tmp_path, flags) -> None:
    with Process(tmp_path, *flags) as served:
        said = []
        while "simulated market" not in (line := served.process.stdout.readline()):
            assert line, served.process.stderr.read()
            said.append(line)
        served.port = int(ADDRESS.fullmatch(line)[2])
        told = "".join(said)
        assert told.startswith("everybody must log in\n")
        assert ("WARNING: others can reach 0.0.0.0" in told) is ("--host" in flags)
        link = re.search(r"http://127\.0\.0\.1:\d+/login\?token=(\S+)\n", told)
        for path in ("/api/agent/status", "/static/js/bokeh.min.js"):
            with pytest.raises(urllib.error.HTTPError, match="401"):
                served.call(path)
        assert served.call("/health/live")
        assert "Choose the password" in served.call(link[0].partition(str(served.port))[2].strip())
        _, errors = served.end()
        assert link[1] not in errors


def test_a_certificate_that_cannot_be_read_is_said_at_once(tmp_path) -> None:
    none = tmp_path / "none"
    with Process(tmp_path, "--tls-cert", none, "--tls-key", none) as served:
        code, errors = served.wait(30)
    assert code == 2
    assert "tls_cert and tls_key must be a certificate and its key" in errors


@pytest.mark.slow
def test_a_recorded_session_names_its_folder_and_what_to_do_with_it(tmp_path) -> None:
    with Process(tmp_path, "--record") as server:
        server.address()
        where = server.process.stdout.readline()
        assert where.startswith(f"recording to {tmp_path / 'sessions'}")
        server.process.send_signal(signal.SIGTERM)
        out, errors = server.process.communicate(timeout=60)
    assert (server.process.returncode, errors) == (0, "")
    assert out == "verify with: opportunity verify\n"
    assert Path(where.removeprefix("recording to ").strip()).is_dir()


def test_port_in_use_is_said_in_one_line(tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Process(tmp_path, port=port) as server:
            code, errors = server.wait(60)
    assert code == 1
    assert errors.startswith(
        f"opportunity serve: port must be free on 127.0.0.1, was {port} (Address already in use"
    )
    assert "or --port 0 for a free one" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--speed", "fast"), "invalid float value: 'fast'"),
        (("--speed", "-1"), "speed must be greater than or equal to 0.1, was -1.0"),
        (("--port", "70000"), "port must be less than or equal to 65535, was 70000"),
        (("--colour", "red"), "unrecognized arguments: --colour red"),
        (("--feed", "binance"), "invalid choice: 'binance'"),
    ],
)
def test_bad_flag_is_bad_usage(tmp_path, flags, words) -> None:
    with Process(tmp_path, *flags) as server:
        code, errors = server.wait(60)
    assert code == 2
    assert words in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--feed", "replay"), 2, "opportunity: data must name a folder"),
        (("--feed", "replay", "--data", "nowhere"), 1, "nowhere"),
        (("--timeframes", "7m"), 2, "'7m'"),
        (("--symbols", "???"), 2, "symbol must be"),
        (("--start", "someday"), 2, "start must be an ISO 8601 time, was 'someday'"),
        (("--feed", "exchange", "--exchange", "binnance"), 2, "Did you mean 'binance'"),
        (("--feed", "exchange", "--exchange", "kraken", "--exchange-url", "http://[::1]:9"), 2,
         "exchange must be binance with exchange_url"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_said_in_a_few_lines(tmp_path, flags, code, words) -> None:
    with Process(tmp_path, *flags) as server:
        found, errors = server.wait(60)
    assert found == code
    assert words in errors
    assert errors.startswith("opportunity")
    assert errors.count("\n") == 1
    assert "Traceback" not in errors


@pytest.mark.slow
def test_an_exchange_that_is_not_there_is_asked_again_until_somebody_stops(tmp_path) -> None:
    flags = ("--feed", "exchange", "--exchange-url", "http://127.0.0.1:9", "--log-level", "WARNING")
    with Process(tmp_path, *flags) as server:
        said = server.process.stderr.readline()
        assert 'event="market does not answer" error="binance cannot be reached' in said
        assert "again_in_s=1.0" in said
        assert server.process.poll() is None
        code, errors = server.end()
    assert code == 0, errors
    assert "Traceback" not in errors


def test_home_that_cannot_be_written_is_said(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with Process(tmp_path / "file" / "home") as server:
        code, errors = server.wait(60)
    assert code == 1
    assert "Traceback" not in errors


def test_stop_while_it_warms_up_ends_it_in_order(tmp_path) -> None:
    with Process(tmp_path, "--log-level", "INFO") as server:
        for line in server.process.stderr:  # the database is open, the agent begins to warm up
            if "database migrated" in line:
                break
        code, errors = server.end()
        assert code == 0, errors
        assert "Traceback" not in errors
        assert server.process.returncode == 0


def test_killed_server_starts_again(tmp_path) -> None:
    with Process(tmp_path, "--start", START) as server:
        server.address()
        server.call("/api/config/weights", "PUT", PRESETS["conservative"])
        server.process.kill()
        server.process.wait(10)
    with Process(tmp_path) as server:
        server.address()
        weights = server.call("/api/config/weights")
        assert weights["smc"] == PRESETS["conservative"]["smc"]
        assert server.end()[0] == 0


@pytest.mark.slow
def test_second_signal_does_not_hurt(tmp_path) -> None:
    with Process(tmp_path) as server:
        server.address()
        server.process.send_signal(signal.SIGTERM)
        code, errors = server.end(signal.SIGTERM)
    assert code == 0, errors


def test_nothing_is_left_outside_the_home(tmp_path, monkeypatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("OPPORTUNITY_HOME", str(other))  # the folder of nobody else
    with Process(tmp_path / "home") as server:
        server.address()
        assert server.end()[0] == 0
    kept = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    inside = ("opportunity.sqlite", "signing-keys.json", "state/simulated-7.npz")
    assert kept == {f"home/{name}" for name in inside}
    assert not list(other.iterdir())


def test_an_allocator_that_cannot_be_told_anything_is_left_alone(monkeypatch) -> None:
    told = []

    class Glibc:
        def mallopt(self, what: int, value: int) -> int:
            told.append(what)
            return 1

    monkeypatch.setattr(server.ctypes, "CDLL", lambda _: Glibc())
    server.steady_allocator()
    assert told == [server.M_ARENA_MAX, server.M_MMAP_THRESHOLD]
    monkeypatch.setattr(server.ctypes, "CDLL", lambda _: object())
    server.steady_allocator()


def test_next_start_watches_what_was_chosen_and_what_is_held(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    memory = Memory(open_database(settings.database), lambda: 7)
    chosen = {"quote": "", "top": None, "symbols": ["SOL/USDT"]}
    memory.turned.write(universe_key(settings), chosen, {}, Why("agent", "api", "", 0))
    book = memory.ledger(state_name(settings)).open_book("paper", 10_000.0, START_MS)
    with memory._engine.begin() as connection:
        connection.execute(sa.insert(position).values(
            book="paper", epoch=book.epoch, symbol="DOGE/USDT", side=1, quantity=1.0, body={}
        ))
    assert server._feed(settings, memory).symbols == ("SOL/USDT", "DOGE/USDT")
    named = Settings(home=tmp_path, symbols="BTCUSDT")
    assert server._feed(named, memory).symbols == ("BTC/USDT", "DOGE/USDT")
    memory.close()
