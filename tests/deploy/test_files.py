"""The files of docs/deploy, read by the programs that they are for."""

import re

import pytest

from tests.deploy.tools import DEPLOY, run, tool

ALERTS = re.findall(r"^ +- alert: (\w+)$", (DEPLOY / "alerts.yml").read_text(), re.MULTILINE)


def test_rules_and_config_are_read_by_promtool() -> None:
    promtool = tool("promtool")
    for what, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        done = run(promtool, "check", what, file, cwd=DEPLOY)
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_as_their_unit_tests_say() -> None:
    done = run(tool("promtool"), "test", "rules", "alerts_test.yml", cwd=DEPLOY)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("opportunity_drawdown_ratio > 0.15", "opportunity_drawdown_ratio > 0.35"),
        ("opportunity_bus_up == 0", "opportunity_bus_up >= 0"),
    ],
)
def test_the_unit_tests_notice_a_rule_that_is_wrong(tmp_path, rule, broken) -> None:
    text = (DEPLOY / "alerts.yml").read_text()
    assert rule in text
    (tmp_path / "alerts.yml").write_text(text.replace(rule, broken))
    (tmp_path / "alerts_test.yml").write_text((DEPLOY / "alerts_test.yml").read_text())
    done = run(tool("promtool"), "test", "rules", "alerts_test.yml", cwd=tmp_path)
    assert done.returncode != 0


def test_every_alert_is_told_apart_tested_and_in_the_runbook() -> None:
    assert len(set(ALERTS)) == len(ALERTS) > 20
    tested = (DEPLOY / "alerts_test.yml").read_text()
    runbook = (DEPLOY.parent / "runbook.md").read_text()
    anchors = re.findall(r'runbook: "docs/runbook.md#(\w+)"', (DEPLOY / "alerts.yml").read_text())
    assert anchors == [name.lower() for name in ALERTS]
    for name in ALERTS:
        assert name in tested
        assert re.search(rf"^#+ `?{name}`?$", runbook, re.MULTILINE), f"{name} has no heading"


def test_nginx_reads_its_site(tmp_path) -> None:
    from tests.deploy.front import Front

    done = Front(tmp_path, 8_000).check()
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_systemd_reads_the_unit(tmp_path) -> None:
    text = (DEPLOY / "opportunity.service").read_text()
    program = re.search(r"^ExecStart=(\S+)", text, re.MULTILINE)[1]
    unit = tmp_path / "opportunity.service"
    unit.write_text(text.replace(program, "/bin/true"))
    done = run(tool("systemd-analyze"), "verify", "--man=no", unit)
    assert done.returncode == 0, done.stderr
    assert "opportunity.service" not in done.stderr
    judged = run(
        tool("systemd-analyze"), "security", "--offline=true", "--threshold=30", unit
    )
    assert judged.returncode == 0, judged.stdout[-300:]


def test_settings_in_the_unit_are_ours() -> None:
    from opportunity.config import Settings

    text = (DEPLOY / "opportunity.service").read_text() + (DEPLOY / "nginx.conf").read_text()
    named = set(re.findall(r"OPPORTUNITY_([A-Z_]+)", text))
    assert len(named) > 4
    assert {name.lower() for name in named} <= set(Settings.model_fields)
