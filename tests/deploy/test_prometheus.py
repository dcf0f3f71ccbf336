"""A real Prometheus scrapes a real server with the configuration, rules and key of the docs."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress

import pytest

from tests.deploy.tools import DEPLOY, Started, free_port, run, tool, until

KEY = "/etc/prometheus/opportunity.token"


@pytest.fixture(scope="module")
def prometheus(server, tmp_path_factory):
    """Ask it: `ask(path, **query)` returns the data of its answer."""
    program, folder = tool("prometheus"), tmp_path_factory.mktemp("prometheus")
    config = (DEPLOY / "prometheus.yml").read_text()
    config = config.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    commented = re.compile(r"^    # (authorization:|  type: Bearer|  credentials_file:)", re.M)
    config = commented.sub(r"    \1", config)
    assert KEY in config
    assert "\n    authorization:\n      type: Bearer\n" in config
    config = config.replace(KEY, str(folder / "key")).replace("15s", "1s")
    (folder / "prometheus.yml").write_text(config)
    (folder / "alerts.yml").write_text((DEPLOY / "alerts.yml").read_text())
    (folder / "key").write_text(server.keys["viewer"] + "\n")
    checked = run(tool("promtool"), "check", "config", "prometheus.yml", cwd=folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    port = free_port()
    started = Started(
        folder, program, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    )  # fmt: skip

    def ask(path: str, **query: str):
        url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def scraped() -> bool:
        started.check()
        with suppress(OSError):
            targets = ask("targets")["activeTargets"]
            assert [t["lastError"] for t in targets if t["lastError"]] == []
            return [t["health"] for t in targets] == ["up"]
        return False

    try:
        until(scraped, 40, "no scrape")
        yield ask
    finally:
        started.stop()


def value(ask, expression: str) -> float | None:
    found = ask("query", query=expression)["result"]
    return float(found[0]["value"][1]) if found else None


def test_it_scrapes_with_a_viewers_key(prometheus, server) -> None:
    assert value(prometheus, 'up{job="opportunity"}') == 1
    assert value(prometheus, "opportunity_symbols") == 2
    assert value(prometheus, "opportunity_agent_running") == 1
    assert value(prometheus, "scrape_duration_seconds") < 1
    request = urllib.request.Request(f"{server.url}/metrics")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=5)


def test_series_are_bounded(prometheus) -> None:
    assert 200 < value(prometheus, "scrape_samples_scraped") < 2_000


def test_what_moves_moves(prometheus, server) -> None:
    request = urllib.request.Request(f"{server.url}/api/agent/status", headers=server.bearer())
    for _ in range(5):
        urllib.request.urlopen(request, timeout=5).read()
    for expression in (
        'opportunity_http_requests_total{route="/api/agent/status",status="2xx"} >= 5',
        "opportunity_bars_total > 10",
        "opportunity_scan_duration_seconds_count > 1",
        'opportunity_detector_duration_seconds_count{detector="smc"} > 1',
        "opportunity_commit_duration_seconds_count > 0",
        'opportunity_loop_lag_seconds_count{loop="agent"} > 5',
        'opportunity_loop_lag_seconds_count{loop="server"} > 5',
        "opportunity_feed_age_seconds < 5",
        "opportunity_equity > 0",
        "process_resident_memory_bytes > 1e7",
        'sum(opportunity_breaker_open) == 0',
    ):  # fmt: skip
        until(lambda e=expression: value(prometheus, e) is not None, 30, expression)


def test_its_rules_are_in_force_and_quiet(prometheus) -> None:
    def evaluated() -> bool:
        rules = [r for g in prometheus("rules")["groups"] for r in g["rules"]]
        return len(rules) > 20 and all(rule["health"] == "ok" for rule in rules)

    until(evaluated, 30, "rules not evaluated")
    rules = [r for g in prometheus("rules")["groups"] for r in g["rules"]]
    assert [r["name"] for r in rules if r["state"] == "firing"] == []


def test_every_panel_of_the_dashboard_can_be_drawn(prometheus) -> None:
    board = json.loads((DEPLOY / "dashboard.json").read_text())
    asked, drawn = 0, 0
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$instance", ".*")
            expression = expression.replace("$__rate_interval", "15s")
            asked += 1
            drawn += bool(prometheus("query", query=expression)["result"])
    assert asked > 40
    assert drawn > 0.7 * asked  # the rest needs an exchange, a bus, or something that failed


def test_text_is_as_promtool_wants_it(server) -> None:
    request = urllib.request.Request(f"{server.url}/metrics", headers=server.bearer("viewer"))
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = answer.read().decode()
    done = run(tool("promtool"), "check", "metrics", input=text)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "opportunity_" in line]
    assert done.returncode in (0, 3), done.stderr
    assert said == []
