import io
import json

import pytest
from logins import PASSWORD

from app.auth.users import ROLES
from app.cli import main
from app.commands import user

OTHER = "another quiet harbour"


@pytest.fixture
def opportunity(tmp_path, capsys, monkeypatch):
    """Run a verb over one data folder, with a line on standard input."""

    def run(*args, line=None):
        monkeypatch.setattr("sys.stdin", io.StringIO("" if line is None else line + "\n"))
        code = main([*args, "--home", str(tmp_path)])
        out, err = capsys.readouterr()
        assert PASSWORD not in out + err
        return code, out, err

    return run


def add(opportunity, name="anna", role="admin", line=PASSWORD):
    return opportunity("user", "add", name, "--role", role, "--password-stdin", line=line)


def listed(opportunity):
    code, out, _ = opportunity("user", "list", "--json")
    assert code == 0
    return {row["name"]: row for row in json.loads(out)}


def test_roles_are_those_of_the_gate():
    assert user.ROLES == ROLES


def test_a_user_comes_changes_and_goes(opportunity):
    assert add(opportunity, "Anna") == (0, "user anna added, admin\n", "")
    assert listed(opportunity)["anna"]["role"] == "admin"
    assert listed(opportunity)["anna"]["has_password"] is True
    assert opportunity("user", "role", "anna", "viewer")[0] == 0
    assert listed(opportunity)["anna"]["role"] == "viewer"
    code, out, _ = opportunity("user", "password", "anna", "--password-stdin", line=OTHER)
    assert (code, out) == (0, "password of anna changed, its logins have ended\n")
    assert OTHER not in out
    code, out, _ = opportunity("user", "list")
    assert code == 0
    assert "anna" in out
    assert opportunity("user", "remove", "anna")[0] == 0
    assert listed(opportunity) == {}


@pytest.mark.parametrize(
    ("name", "line", "code", "said"),
    [
        ("anna", "short", 2, "password must have 12 to 256 characters, was of 5"),
        ("anna", "", 2, "password must have 12 to 256 characters, was of 0"),
        ("an na", PASSWORD, 2, "name must have 1 to 48 letters"),
        ("api", PASSWORD, 2, "name must not be one of"),
        ("known", PASSWORD, 1, "user must be new, was known: known"),
    ],
)
def test_rules_are_said(opportunity, name, line, code, said):
    add(opportunity, "known")
    got, out, err = add(opportunity, name, line=line)
    assert got == code
    assert out == ""
    assert said in err
    assert set(listed(opportunity)) == {"known"}


@pytest.mark.parametrize("verb", [("role", "ana", "viewer"), ("remove", "ana")])
def test_unknown_users_are_said_with_the_nearest(opportunity, verb):
    add(opportunity)
    code, _, err = opportunity("user", *verb)
    assert code == 1
    assert "Did you mean 'anna'?" in err


def test_without_a_terminal_the_password_must_come_by_standard_input(opportunity):
    code, _, err = opportunity("user", "add", "anna", line=PASSWORD)
    assert code == 2
    assert "--password-stdin" in err
    assert listed(opportunity) == {}


@pytest.mark.parametrize(("again", "code"), [(PASSWORD, 0), (OTHER, 2)])
def test_on_a_terminal_it_is_asked_for_twice(opportunity, monkeypatch, again, code):
    answers = iter([PASSWORD, again])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("io.StringIO", Terminal)
    got, _, err = opportunity("user", "add", "anna")
    assert got == code
    assert ("must be the same twice" in err) == (code == 2)


@pytest.mark.parametrize("args", [(), ("add",), ("add", "a", "--role", "king"), ("list", "x")])
def test_bad_usage(opportunity, args):
    with pytest.raises(SystemExit) as ended:
        opportunity("user", *args)
    assert ended.value.code == 2
