import pytest
from logins import START, Watch, engine_at
from served import settings_of

from app.auth import keys
from app.auth.roles import Role
from app.auth.users import (
    DAY_MS,
    RESERVED,
    ROLES,
    NewKey,
    Users,
    check_name,
    check_role,
    opened,
    role_of,
)
from opportunity.errors import ConflictError
from opportunity.storage.accounts import AccountRepository, Change
from opportunity.storage.events import EventRepository


@pytest.fixture
def engine(tmp_path):
    engine = engine_at(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def users(engine):
    return Users(AccountRepository(engine, Watch()), Watch())


def test_roles_are_those_of_the_gate_without_nobody():
    assert ROLES == ("viewer", "trader", "admin")
    assert [role_of(label) for label in ROLES] == [Role.VIEWER, Role.TRADER, Role.ADMIN]
    assert role_of("emperor") is role_of("anybody") is Role.ANYBODY
    assert check_role("admin") == "admin"
    with pytest.raises(ValueError, match="Did you mean 'trader'"):
        check_role("tradr")


def test_names_are_kept_in_lower_case():
    assert check_name(" Anna.K@example.org ") == "anna.k@example.org"
    assert check_name("x" * 48) == "x" * 48


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "x" * 49, "key:a", "-a", "a b", "an\u0430", "a\n", "../a", "\u0661",
        *sorted(RESERVED),
    ],
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="name must"):
        check_name(name.replace("\n", "\nb"))


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        (("", "viewer"), "name must have"), (("x" * 49, "viewer"), "name must have"),
        (("a:b", "viewer"), "name must have"), (("a", "emperor"), "role must be"),
        (("a", "viewer", 0), "days must be"), (("a", "viewer", 3_651), "days must be"),
        (("a", "viewer", float("nan")), "days must be"),
    ],
)  # fmt: skip
def test_keys_have_rules(wanted, rule):
    with pytest.raises(ValueError, match=rule):
        NewKey(*wanted)


def test_what_is_done_stands_in_the_audit_without_secrets(users, engine):
    users.add("Anna", "admin", "$argon2id$hash", "command")
    users.change("anna", Change("viewer", "$argon2id$other"), "ben")
    text, key = users.create_key(NewKey("notebook", "trader", 2), "anna")
    users.revoke_key(key.id, "anna")
    users.remove("anna", "ben")
    found = EventRepository(engine, Watch()).read(["audit"])
    told = [(one.body["what"], one.body["by"], one.body["before"], one.body["after"])
            for one in found]
    expires = START + 2 * DAY_MS
    assert key.expires == expires
    assert told == [
        ("user", "command", None, {"name": "anna", "role": "admin"}),
        ("user", "ben", {"name": "anna"},
         {"name": "anna", "role": "viewer", "password": "changed"}),
        ("token", "anna", None,
         {"id": key.id, "name": "notebook", "role": "trader", "expires": expires}),
        ("token", "anna", {"id": key.id}, None),
        ("user", "ben", {"name": "anna"}, None),
    ]
    secret = keys.read(text, "opp")
    assert secret is not None
    for event in found:
        assert "argon2" not in str(event)
        assert secret.secret not in str(event)
        assert secret.digest not in str(event)


def test_what_breaks_a_rule_changes_nothing(users):
    with pytest.raises(ValueError, match="role must be"):
        users.add("anna", "emperor", "h", "x")
    users.add("anna", "admin", "h", "x")
    with pytest.raises(ConflictError):
        users.add("ANNA", "viewer", "h", "x")
    with pytest.raises(ValueError, match="role must be"):
        users.change("anna", Change("emperor"), "x")
    with pytest.raises(KeyError):
        users.revoke_key("0" * 16, "x")


def test_a_command_opens_the_database_of_the_settings(tmp_path):
    settings = settings_of(tmp_path)
    with opened(settings) as (store, users):
        users.add("anna", "admin", "h", "command")
        assert [one.name for one in store.read().accounts] == ["anna"]
    with opened(settings) as (store, _):
        assert [one.name for one in store.read().accounts] == ["anna"]
