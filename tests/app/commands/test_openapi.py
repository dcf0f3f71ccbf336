"""`opportunity openapi`: each of its documents, on the terminal and in a file."""

import argparse
import json

import pytest

from app.commands.openapi import add
from app.openapi.table import BEGIN, END


def run(*flags: str) -> int:
    parser = argparse.ArgumentParser(prog="opportunity")
    add(parser.add_subparsers(dest="verb"))
    args = parser.parse_args(["openapi", *flags])
    return int(args.run(args))


@pytest.mark.parametrize(
    ("flags", "name"), [((), "openapi"), (("--json",), "openapi"), (("--asyncapi",), "asyncapi")]
)
def test_documents_are_json(capsys, flags, name):
    assert run(*flags) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[name].startswith("3.")
    assert found["components"]["schemas"]


def test_types_go_to_a_file(capsys, tmp_path):
    out = tmp_path / "api.ts"
    assert run("--typescript", "--out", str(out)) == 0
    assert capsys.readouterr().out == ""
    assert "export interface AgentStatus {" in out.read_text()


def test_the_table_goes_between_its_markers(tmp_path):
    page = tmp_path / "api.md"
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    assert run("--docs", str(page)) == 0
    assert "| `GET /api/agent/status` |" in page.read_text()


def test_two_documents_at_once_are_bad_usage(capsys):
    with pytest.raises(SystemExit) as left:
        run("--json", "--typescript")
    assert left.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_a_page_without_markers_is_refused(tmp_path):
    page = tmp_path / "api.md"
    page.write_text("nothing here")
    with pytest.raises(ValueError, match="the text must have"):
        run("--docs", str(page))
    assert page.read_text() == "nothing here"
