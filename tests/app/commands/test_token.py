import json

import pytest
from logins import accounts_at

from app.auth.roles import Role
from app.auth.tokens import Keyring
from app.auth.users import DAY_MS, opened
from app.cli import main
from opportunity.config import Settings
from opportunity.market.wall import wall_ms


@pytest.fixture
def opportunity(tmp_path, capsys):
    """Run a verb over one data folder."""

    def run(*args):
        code = main(["token", *args, "--home", str(tmp_path)])
        return code, *capsys.readouterr()

    return run


def listed(opportunity):
    code, out, _ = opportunity("list", "--json")
    assert code == 0
    return json.loads(out)


def test_a_key_is_printed_once_alone_and_listed_without_its_secret(opportunity):
    code, out, err = opportunity("create", "my notebook", "--role", "trader", "--days", "30")
    assert (code, err) == (0, "")
    token = out.removesuffix("\n")
    assert token.startswith("opp_")
    assert "\n" not in token
    (row,) = listed(opportunity)
    assert (row["name"], row["role"], row["made_by"]) == ("my notebook", "trader", "command")
    assert row["expires"] - row["created_at"] == 30 * DAY_MS
    assert row["id"] == token.split("_")[1]
    code, table, _ = opportunity("list")
    assert code == 0
    assert row["id"] in table
    assert token[-43:] not in json.dumps(row) + table


def test_a_server_of_the_same_folder_knows_the_key_and_then_not(opportunity, tmp_path):
    made = json.loads(opportunity("create", "n", "--days", "0", "--json")[1])
    assert made["expires"] is None
    with opened(Settings(home=tmp_path)) as (store, _):
        server = accounts_at(tmp_path, wall_ms)
        server._book.store = store
        server._book.known.replace(store.read())
        assert server.verify_bearer(made["token"]).role is Role.VIEWER
        assert opportunity("revoke", made["id"])[:2] == (0, f"token {made['id']} revoked\n")
        server._book.known.replace(store.read())
        assert server.verify_bearer(made["token"]) is None
    assert listed(opportunity) == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("create", "a:b"), 2, "name must have 1 to 48"),
        (("create", "n", "--days", "-1"), 2, "days must be above 0"),
        (("create", "n", "--days", "nan"), 2, "days must be above 0"),
        (("revoke", "0" * 16), 1, "token must be a known name"),
    ],
)
def test_rules_are_said(opportunity, args, code, said):
    got, out, err = opportunity(*args)
    assert (got, out) == (code, "")
    assert said in err
    assert listed(opportunity) == []


def test_signing_keys_are_rotated_without_being_shown(opportunity, tmp_path):
    before = Keyring(tmp_path)._keys.newest
    code, out, err = opportunity("rotate")
    kept = Keyring(tmp_path)._keys.keys
    assert code == 0
    assert len(kept) == 2
    assert kept[before[0]] == before[1]
    assert all(key not in out + err for key in kept.values())
    assert next(iter(kept)) in out
