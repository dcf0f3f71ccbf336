"""Settings that hold several things; through `Settings` they are tried in test_config.py."""

import pytest

from opportunity.config_lists import (
    RETENTION_DAYS,
    check_retention,
    read_channels,
    read_retention,
    read_sources,
)


def test_retention_is_read_in_days() -> None:
    assert read_retention(" event = 90, candidate=0,") == {"event": 90, "candidate": 0}
    check_retention(RETENTION_DAYS)


@pytest.mark.parametrize("text", ["event", "event=", "event=-1", "event=1.5", "event=1,event=2"])
def test_retention_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_retention(text)


@pytest.mark.parametrize(("days", "words"), [({"fill": 3}, "fill"), ({"event": 40_000}, "40000")])
def test_what_is_kept_for_ever_is_not_pruned(days: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_retention(days)


def test_a_comma_may_stand_inside_the_address_of_a_channel() -> None:
    first, second = read_channels("a=json://host/x,y, b = mailto://me@host?to=p,q")
    assert (first.name, first.address) == ("a", "json://host/x,y")
    assert (second.name, second.address) == ("b", "mailto://me@host?to=p,q")


def test_secrets_are_in_no_error_and_no_repr() -> None:
    (channel,) = read_channels("ops=json://host/canary")
    assert "canary" not in repr(channel)
    for text in ("json://host/canary", "ops=canary", "a=json://h/canary,a=json://h/canary"):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is looked at below
            read_channels(text)
        assert "canary" not in str(caught.value)


def test_sources_have_names_of_their_own() -> None:
    assert [s.name for s in read_sources("https://www.a.example/x, b=https://b.example")] == [
        "a.example", "b"
    ]
    with pytest.raises(ValueError, match="twice"):
        read_sources("b=https://a.example,b=https://b.example")
