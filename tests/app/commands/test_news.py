"""`opportunity news`: folders, addresses, recorded headlines, and what it must never print."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from app.cli import main

HACK = "Binance halts withdrawals after hack"
ETF = "SEC approves spot Solana ETF"
PARK = "A day in the park"
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    monkeypatch.delenv("OPPORTUNITY_NEWS_SOURCES", raising=False)
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "drops"
    made.mkdir()
    (made / "a.json").write_text(json.dumps([{"title": HACK}, {"title": ETF}, {"title": PARK}]))
    return made


@pytest.fixture
def site():
    """Give a server with a page of two headlines, a page that is gone and one that never ends."""
    ended = threading.Event()
    hour_ago = time.time_ns() // 1_000_000 - HOUR - 30_000

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            if path == "/gone":
                self.send_error(404)
                return
            if path == "/slow":
                ended.wait(30)
                return
            body = json.dumps([
                {"title": HACK, "timestamp": hour_ago, "publisher": "Reuters"},
                {"title": "Old story", "timestamp": hour_ago - 30 * HOUR},
            ]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def data(tmp_path):
    known = pd.to_datetime(
        ["2024-01-01T00:00", "2024-01-02T10:00", "2024-01-02T12:30", "2024-01-03T09:00"]
    )
    (tmp_path / "data/news").mkdir(parents=True)
    pd.DataFrame({
        "timestamp": known - pd.Timedelta("1h"), "available_at": known,
        "title": [PARK, ETF, HACK, "Ethereum outage: network down \x1b[2J\x9b31m"],
        "publisher": ["A", "B", "C", "D\x07"],
    }).to_parquet(tmp_path / "data/news/archive.parquet")
    return tmp_path / "data"


def told(capsys, *args):
    code = main(["news", *map(str, args), "--json"])
    return code, json.loads(capsys.readouterr().out)


def lines(capsys, *args, code=0):
    assert main(["news", *map(str, args)]) == code
    return capsys.readouterr().out.splitlines()


def test_table_shows_tone_by_sign_impact_and_link(folder, capsys):
    table = "\n".join(lines(capsys, "--sources", folder))
    (hack,) = [line for line in table.splitlines() if HACK in line]
    (etf,) = [line for line in table.splitlines() if ETF in line]
    (park,) = [line for line in table.splitlines() if PARK in line]
    assert ("-0.96 -----" in hack, "1.0" in hack, "market" in hack) == (True, True, True)
    assert ("+0.83 ++++" in etf, "SOL" in etf, "0m" in etf) == (True, True, True)
    assert ("0.00" in park, "+" in park) == (True, False)
    assert "drops: 3 headlines of the last day" in table


def test_symbol_keeps_its_coin_and_the_market(folder, capsys):
    code, body = told(capsys, "--sources", folder, "--symbol", "solusdt")
    assert code == 0
    assert {(h["title"], *h["coins"]) for h in body["headlines"]} == {(HACK,), (ETF, "SOL")}
    _, body = told(capsys, "--sources", folder, "--symbol", "ETH/USDT")
    assert [h["title"] for h in body["headlines"]] == [HACK]


def test_folder_may_be_relative_and_named(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder.parent)
    code, body = told(capsys, "--sources", "my.desk=drops, drops")
    assert (code, [s["name"] for s in body["sources"]]) == (0, ["my.desk", "drops"])
    assert {h["source"] for h in body["headlines"]} == {"my.desk", "drops"}


def test_setting_is_the_default(folder, capsys, monkeypatch):
    monkeypatch.setenv("OPPORTUNITY_NEWS_SOURCES", f"desk={folder}")
    code, body = told(capsys)
    assert (code, body["sources"]) == (0, [{"name": "desk", "headlines": 3, "error": ""}])
    assert body["recorded"] is False


def test_address_is_asked_and_what_is_old_is_left_out(site, capsys):
    code, body = told(capsys, "--sources", f"wire={site}/page?token=secret")
    (headline,) = body["headlines"]
    assert (code, headline["title"], headline["publisher"]) == (0, HACK, "Reuters")
    assert headline["event_time"] < headline["available_at"] <= body["time"]
    (row,) = [line for line in lines(capsys, "--sources", f"wire={site}/page") if HACK in line]
    assert ("1h" in row, "Reuters" in row) == (True, True)


def test_one_that_fails_hides_none_and_no_secret_is_shown(site, capsys):
    sources = f"wire={site}/page,gone={site}/gone?token=secret,slow={site}/slow?token=secret"
    assert main(["news", "--sources", sources, "--timeout", "1"]) == 0
    done = capsys.readouterr()
    assert HACK in done.out
    assert "wire: 1 headline of the last day" in done.out
    assert "gone: failed, status 404" in done.out
    assert "slow: failed, no answer within 1 s" in done.out
    assert "secret" not in done.out + done.err


def test_nobody_answering_is_a_failure(site, tmp_path, capsys):
    assert main(["news", "--sources", f"{site}/gone,x={tmp_path / 'nothing'}"]) == 1
    done = capsys.readouterr()
    assert "no source answered" in done.err
    assert "x: failed, folder cannot be read (FileNotFoundError)" in done.out


def test_recorded_headlines_count_from_when_they_were_known(data, capsys):
    _, body = told(capsys, "--data", data)
    assert [h["title"][:8] for h in body["headlines"]] == ["Ethereum", HACK[:8], ETF[:8]]
    assert body["recorded"] is True
    span = ("--since", "2024-01-01", "--until", "2024-01-02T12:00")
    _, body = told(capsys, "--data", data, *span)
    assert [h["title"] for h in body["headlines"]] == [ETF, PARK]
    assert body["sources"] == [{"name": "archive", "headlines": 2, "error": ""}]
    shown = lines(capsys, "--data", data, *span)
    assert any("2024-01-02 10:00" in line and ETF in line for line in shown)
    assert "archive: 2 headlines in this span" in shown


def test_limit_keeps_the_newest(data, capsys):
    _, body = told(capsys, "--data", data, "--limit", "1")
    assert [h["title"][:8] for h in body["headlines"]] == ["Ethereum"]


def test_nothing_in_the_span_is_no_failure(data, capsys):
    shown = lines(capsys, "--data", data, "--until", "2023-01-01")
    assert shown[0] == "0 headlines as of 2023-01-01 00:00 UTC"


def test_nothing_stored_is_a_failure(tmp_path, capsys):
    assert main(["news", "--data", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert f"no headlines are stored: {str(tmp_path / 'news')!r} holds none" in err


def test_folder_of_an_exchange_stands_for_its_parent(data, capsys):
    (data / "binance").mkdir()
    code, body = told(capsys, "--data", data / "binance")
    assert (code, body) == told(capsys, "--data", data)
    assert body["headlines"]


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_terminal_is_sent_nothing_to_obey(data, capsys, extra):
    assert main(["news", "--data", str(data), *extra]) == 0
    out = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\x07"} & set(out)
    assert "\\x1b[2J\\x9b31m" in out or "\\u001b[2J\\u009b31m" in out


def test_titles_are_no_markup(folder, capsys):
    (folder / "b.json").write_text(json.dumps([{"title": "[bold]Coins[/bold] :smile: [/]"}]))
    assert any("[bold]Coins[/bold] :smile: [/]" in line for line in lines(
        capsys, "--sources", folder))


def test_name_of_a_dropped_file_is_escaped(folder, capsys):
    (folder / "x\x1b[2J.json").write_text("no feed")
    assert main(["news", "--sources", str(folder)]) == 0
    err = capsys.readouterr().err
    assert "\\x1b[2J.json" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((), "give --sources or --data"),
        (("--sources", " , "), "give --sources or --data"),
        (("--sources", "ftp://host/secret"), "must hold http or https addresses"),
        (("--sources", "a=./x,a=./y"), "has 'a' twice"),
        (("--sources", "./x", "--since", "2024-01-01"), "--since and --until need --data"),
        (("--data", ".", "--since", "2024-01-02", "--until", "2024-01-01"), "must not be after"),
    ],
)
def test_bad_usage(args, text, capsys):
    assert main(["news", *args]) == 2
    err = capsys.readouterr().err
    assert text in err
    assert "secret" not in err


@pytest.mark.parametrize("args", [
    ("--sources", "x", "--data", "."), ("--timeout", "0"), ("--data", "/nothing/there"),
])
def test_bad_arguments(args):
    with pytest.raises(SystemExit) as caught:
        main(["news", *args])
    assert caught.value.code == 2
