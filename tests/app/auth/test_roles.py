"""Roles: each may do all that the one before may."""

from app.auth.roles import LOCAL, Role


def test_roles_rise():
    assert Role.ANYBODY < Role.VIEWER < Role.TRADER < Role.ADMIN
    assert [role.label for role in Role] == ["anybody", "viewer", "trader", "admin"]


def test_a_program_of_this_machine_is_a_trader_and_no_admin():
    assert LOCAL.role == Role.TRADER
    assert LOCAL.how == "loopback"
