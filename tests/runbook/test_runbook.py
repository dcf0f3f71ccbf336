"""The runbook does what it says: its commands, one after the other, against a fresh server."""

import json
import re
import shutil
import socket
from pathlib import Path

import pytest
from node_tools import node_tool
from runbook.transcript import Command, agrees, commands_of, run

from opportunity.contracts.scanner import ScanItem

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "runbook.md").read_text()
PORT = "8000"
LONGEST_S = 280.0
"""Of a machine with other work; alone it takes a quarter of it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def transcript(tmp_path_factory) -> list[Command]:
    """Every command of the runbook, run."""
    wscat, folder = Path(node_tool("wscat")), tmp_path_factory.mktemp("runbook")
    assert shutil.which("curl"), "curl is not installed"
    port = str(free_port())
    commands = commands_of(TEXT.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}"))
    more = {"OPPORTUNITY_PORT": port, "TERM": "dumb"}
    errors = run(commands, folder, [wscat.parent], more, LONGEST_S)
    log = folder / "opportunity.log"
    told = log.read_text()[-3_000:] if log.exists() else ""
    failed = next((one for one in commands if one.code != 0), None)
    assert failed is None, f"{failed}\n{errors[-3_000:]}\n{told}"
    return commands


def of(transcript: list[Command], words: str) -> list[Command]:
    """Return the commands that have these words in them, in their order."""
    found = [one for one in transcript if words in one.text]
    assert found, words
    return found


def test_every_command_does_what_is_shown_below_it(transcript) -> None:
    for one in transcript:
        for line in one.shown.splitlines():
            if line.startswith("{"):
                assert agrees(json.loads(one.output.splitlines()[-1]), json.loads(line)) == "", one
            else:
                assert one.output == line, one


def test_switch_is_turned_and_written_down(transcript) -> None:
    assert len(of(transcript, "grep 'agent switched'")[0].output.splitlines()) >= 2
    states = [one.json()["enabled"] for one in of(transcript, "api/agent/toggle")[:3]]
    assert states == [True, False, True]
    entries = of(transcript, "/api/audit")[0].json()["entries"]
    assert {"weights", "agent"} <= {entry["kind"] for entry in entries}


def test_scan_gives_items_of_the_contract(transcript) -> None:
    body = of(transcript, "/api/scanner/run")[0].json()
    assert (body["symbols_scanned"], body["errors"]) == (2, [])
    for row in body["results"]:
        ScanItem.model_validate(row)


def test_presets_are_the_three_that_ship(transcript) -> None:
    listed = of(transcript, "/api/config/weight-presets")[0].json()["presets"]
    assert [one["name"] for one in listed] == ["balanced", "aggressive", "conservative"]


def test_stream_says_what_it_shall(transcript) -> None:
    lines = of(transcript, "wscat")[0].output.splitlines()
    messages = [json.loads(line[line.index("{") :]) for line in lines if "{" in line]
    kinds = [one["type"] for one in messages]
    assert kinds[:2] == ["status", "subscription_confirmed"]
    assert messages[1]["symbols"] == ["BTCUSDT", "ETHUSDT"]
    signals = {one["symbol"] for one in messages if one["type"] == "signal"}
    assert signals == {"BTC/USDT", "ETH/USDT"}
    assert "pong" in kinds
    assert int(of(transcript, "grep -c '\"type\":\"signal\"'")[0].output) >= 2


def test_numbers_have_grown(transcript) -> None:
    told = [one for one in of(transcript, "/api/metrics") if ">" not in one.text]
    body = told[0].json()
    assert body["websocket"]["messages_sent"] >= 5
    assert body["websocket"]["connections"] == 0
    assert body["uptime_seconds"] >= 3


def test_every_alert_has_its_heading() -> None:
    rules = (DOCS / "deploy" / "alerts.yml").read_text()
    names = re.findall(r"^ +- alert: (\w+)$", rules, re.MULTILINE)
    part = TEXT.partition("\n## Alerts\n")[2]
    headings = re.findall(r"^### (\w+)$", part, re.MULTILINE)
    assert sorted(headings) == sorted(names)
    for name in names:
        assert f'runbook: "docs/runbook.md#{name.lower()}"' in rules
        rule = rules.partition(f"- alert: {name}\n")[2]
        level = re.search(r"severity: (\w+)", rule)[1]
        assert f"### {name}\n\n*{level}.*" in part


def test_every_block_is_run_and_every_link_leads_somewhere() -> None:
    assert set(re.findall(r"^```(\w*)$", TEXT, re.MULTILINE)) == {"console", ""}
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-")
        for one in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        file, _, anchor = link.partition("#")
        assert (DOCS / file).exists() if file else anchor in anchors, link
