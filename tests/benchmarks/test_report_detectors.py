"""The report is whole, needs nothing else, and tells a market that can be known from one not."""

import html.parser
import re
from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars

from opportunity.market.store import BarStore
from tests.benchmarks import report_detectors
from tests.benchmarks.report_page import markdown, page

VOID = {"meta", "line", "circle", "polyline"}


@pytest.fixture(scope="module")
def report():
    markets = [
        report_detectors.Market(random_bars(2_500, seed=s).label(symbol=f"<S{s}>/USDT"))
        for s in (1, 2)
    ]
    heard = []
    made = report_detectors.measure(markets, lambda *told: heard.append(told), n_draws=40)
    assert ("scores", 2, 2) in heard
    assert ("null scores", 2, 2) in heard
    return made


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_well_formed_and_loads_nothing(report):
    text = page(report)
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe"} & set(reader.seen)
    assert reader.seen.count("svg") >= 3
    assert "://" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert len(text.encode()) < 1_500_000
    assert "nan" not in re.sub(r"<[^>]*>", " ", text)


def test_names_from_data_are_escaped(report):
    assert "<S1>" not in page(report)
    assert "&lt;S1&gt;/USDT" in page(report)


def test_numbers_of_the_study_are_on_the_page(report):
    text = page(report)
    known = report.study.knowledge
    for j, name in enumerate(report.study.names):
        assert f"{100 * known.hit_rate.value[1, j]:.2f} [" in text, name
        assert f"{known.move.value[2, j]:+.3f}" in text, name
    for r in report.study.correlation[np.isfinite(report.study.correlation)]:
        assert f"{r:+.2f}" in text


def test_summary_has_a_row_for_each_detector_and_a_whole_table(report):
    lines = markdown(report).splitlines()
    for name in report.study.names:
        assert any(line.startswith(f"| {name} |") for line in lines)
    table = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in table[: 2 + len(report.study.names)]}) == 1


def test_summary_names_who_is_missing_and_has_no_column_of_zeros(report):
    text = markdown(report)
    assert "Not measured, for want of records of these years: " in text
    assert "Whales (it reads prints, the book and transfers)" in text
    assert "confidence > 0.7" not in text
    assert "Above 0.7 itself was none of them" in text
    sure = report.study.habits.sure.copy()
    sure[0] = 0.25
    study = replace(report.study, habits=replace(report.study.habits, sure=sure))
    text = markdown(replace(report, study=study))
    assert "| confidence > 0.7 |" in text
    assert "| 25.00% |" in text
    assert "Above 0.7 itself" not in text


def test_every_table_of_the_page_lies_in_a_box_that_scrolls(report):
    text = page(report)
    assert ".wide { overflow-x: auto;" in text
    assert text.count("<table>") == text.count("<div class='wide' tabindex='0'><table>") > 5


def test_command_writes_both_files_and_refuses_an_empty_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report_detectors, "LONG", 1_000)
    BarStore(tmp_path / "data", "binance").write(random_bars(1_500, seed=3))
    out = tmp_path / "out"
    assert report_detectors.main([str(tmp_path / "data"), "--out", str(out)]) == 0
    assert {p.name for p in out.iterdir()} == {"detectors.html", "detectors.md"}
    assert "detectors.html: " in capsys.readouterr().out
    with pytest.raises(SystemExit):
        report_detectors.main([str(tmp_path / "nothing")])
