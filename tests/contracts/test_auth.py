from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from app.auth.users import MOST_DAYS, ROLES
from opportunity.contracts import auth
from opportunity.contracts.auth import (
    KeyBody,
    LoginBody,
    PasswordBody,
    RoleName,
    TokensAnswer,
    UserBody,
    UserChange,
)

BODIES = {
    LoginBody: {"username": "tom", "password": "SECRET"},
    PasswordBody: {"current_password": "SECRET", "new_password": "SECRET"},
    UserBody: {"name": "tom", "role": "viewer", "password": "SECRET"},
    UserChange: {"password": "SECRET"},
}


def test_roles_are_those_of_the_gate():
    assert get_args(RoleName) == ROLES


@pytest.mark.parametrize("model", BODIES, ids=lambda m: m.__name__)
def test_secrets_are_in_no_repr(model):
    assert "SECRET" not in repr(model.model_validate(BODIES[model]))


def test_tokens_are_in_no_repr():
    answer = TokensAnswer(
        access_token="SECRET", expires_in=1, refresh_token="SECRET", role="viewer"
    )
    assert "SECRET" not in repr(answer)


@pytest.mark.parametrize("model", BODIES, ids=lambda m: m.__name__)
@pytest.mark.parametrize("value", [7, None, "", "x" * 3_000, ["SECRET"]], ids=str)
def test_a_secret_of_another_kind_is_refused_without_a_word_of_pydantic(model, value):
    wrong = {n: value if v == "SECRET" else v for n, v in BODIES[model].items()}
    if value is None and model is UserChange:
        wrong = {}
    with pytest.raises(ValidationError) as refused:
        model.model_validate(wrong)
    assert all(", was n" in one["msg"] for one in refused.value.errors())


def test_a_change_must_say_something():
    with pytest.raises(ValidationError, match="role or password must be given"):
        UserChange.model_validate({})
    assert UserChange.model_validate({"role": "viewer"}).password is None


def test_keys_live_90_days_unless_said_otherwise():
    assert KeyBody.model_validate({"name": "n", "role": "viewer"}).days == 90
    assert KeyBody.model_validate({"name": "n", "role": "viewer", "days": None}).days is None
    assert KeyBody.model_validate({"name": "n", "role": "viewer", "days": MOST_DAYS})
    with pytest.raises(ValidationError):
        KeyBody.model_validate({"name": "n", "role": "viewer", "days": MOST_DAYS + 1})


def test_schemas_can_be_written():
    models = [
        value for value in vars(auth).values()
        if isinstance(value, type) and issubclass(value, BaseModel)
    ]  # fmt: skip
    assert len(models) > 20
    for model in models:
        assert model.model_json_schema()
    password = LoginBody.model_json_schema()["properties"]["password"]
    assert password["format"] == "password"
    assert password["type"] == "string"
