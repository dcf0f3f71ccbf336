import json
import re
from pathlib import Path

import pytest
from receiver import SECRET, receiving

from app.cli import main

DOCS = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text()


@pytest.fixture
def hook(monkeypatch):
    with receiving() as hook:
        monkeypatch.setenv("OPPORTUNITY_ALERTS", f"ops={hook.address}, b={hook.address}?x=1,y=2")
        monkeypatch.setenv("OPPORTUNITY_ALERTS_PRIVATE", "true")
        yield hook


def test_channels_are_listed_without_addresses(hook, capsys):
    assert main(["alerts", "list"]) == 0
    out, err = capsys.readouterr()
    assert "ops" in out
    assert "JSON" in out
    assert SECRET not in out + err
    assert "127.0.0.1" not in out + err
    assert hook.n_asked == 0


def test_a_test_is_sent_and_told(hook, capsys):
    assert main(["alerts", "test", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["result"] for row in rows] == ["sent", "sent"]
    hook.answers.append(500)
    assert main(["alerts", "test", "--channel", "ops"]) == 1
    assert "not sent: status 500" in capsys.readouterr().out
    assert len(hook.got) == 2
    assert json.loads(re.findall(r"```json\n(.+?)\n```", DOCS)[0]) == hook.got[0]


def test_unknown_channels_and_none_at_all(hook, capsys, monkeypatch):
    assert main(["alerts", "test", "--channel", "opz"]) == 2
    assert "Did you mean 'ops'" in capsys.readouterr().err
    monkeypatch.delenv("OPPORTUNITY_ALERTS")
    assert main(["alerts", "list"]) == 1
    assert "set OPPORTUNITY_ALERTS" in capsys.readouterr().err


def test_near_addresses_need_to_be_allowed(hook, capsys, monkeypatch):
    monkeypatch.delenv("OPPORTUNITY_ALERTS_PRIVATE")
    assert main(["alerts", "list"]) == 2
    err = capsys.readouterr().err
    assert "'ops' must have a public address" in err
    assert SECRET not in err
