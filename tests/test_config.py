from pathlib import Path

import pytest

from opportunity.config import Settings, SettingsError, load_settings
from opportunity.config_lists import RETENTION_DAYS


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("OPPORTUNITY_", "REALTIME_")) or name in {
            "DATABASE_URL", "REDIS_URL", "LOG_LEVEL",
        }:
            monkeypatch.delenv(name)


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert settings.feed == "simulated"
    assert settings.host == "127.0.0.1"
    assert settings.loopback
    assert settings.scan_interval_ms == 30_000
    assert settings.agent_enabled
    assert settings.database.startswith("sqlite:///")


def test_runbook_names_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REALTIME_AGENT_ENABLED", "false")
    monkeypatch.setenv("REALTIME_SCAN_INTERVAL_MS", "5000")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/x.sqlite")
    monkeypatch.setenv("REDIS_URL", "redis://localhost/0")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    settings = load_settings()
    assert not settings.agent_enabled
    assert settings.scan_interval_ms == 5000
    assert settings.database == f"sqlite:///{tmp_path}/x.sqlite"
    assert settings.redis_url == "redis://localhost/0"
    assert settings.log_level == "DEBUG"


def test_flags_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPPORTUNITY_PORT", "9000")
    monkeypatch.setenv("REALTIME_SCAN_INTERVAL_MS", "5000")
    settings = load_settings({"port": 9001, "scan_interval_ms": 700, "host": None})
    assert (settings.port, settings.scan_interval_ms, settings.host) == (9001, 700, "127.0.0.1")


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPPORTUNITY_SYMBOLS", " BTC/USDT, ETH/USDT ,")
    settings = load_settings({"timeframes": "1h,4h"})
    assert settings.symbols == ("BTC/USDT", "ETH/USDT")
    assert settings.timeframes == ("1h", "4h")


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("OPPORTUNITY_PORT", "seventy", "port"),
        ("OPPORTUNITY_PORT", "70000", "port"),
        ("OPPORTUNITY_SPEED", "0", "speed"),
        ("REALTIME_SCAN_INTERVAL_MS", "99", "scan_interval_ms"),
        ("OPPORTUNITY_FEED", "exchanges", "feed"),
        ("OPPORTUNITY_TOP", "0", "top"),
        ("OPPORTUNITY_EXCHANGE_URL", "http://example.org:9000", "exchange_url"),
        ("OPPORTUNITY_EXCHANGE_URL", "https://127.0.0.1:9000", "exchange_url"),
        ("OPPORTUNITY_EXCHANGE_URL", "http://127.0.0.1:port", "exchange_url"),
        ("LOG_LEVEL", "loud", "log_level"),
    ],
)
def test_bad_value_names_field_rule_and_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value).lower()
    assert value in text
    assert field in text or name.lower() in text
    assert "must" in text or "should" in text


def test_misspelt_name_is_refused_with_the_near_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPPORTUNITY_PROT", "9000")
    with pytest.raises(SettingsError, match="Did you mean 'OPPORTUNITY_PORT'"):
        load_settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_news_sources_are_addresses_or_folders_with_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load_settings().news_sources == ()
    monkeypatch.setenv(
        "OPPORTUNITY_NEWS_SOURCES",
        f"https://www.a.example/rss?k=v&x=1, My desk=http://b.example:8080/feed,{tmp_path},"
        f"drop=file://{tmp_path}/x , ",
    )
    found = load_settings().news_sources
    assert [(s.name, s.address) for s in found] == [
        ("a.example", "https://www.a.example/rss?k=v&x=1"),
        ("My desk", "http://b.example:8080/feed"),
        (tmp_path.name, str(tmp_path)),
        ("drop", f"{tmp_path}/x"),
    ]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("ftp://secret.example/x", "must hold http or https addresses or folders, has 'ftp'"),
        ("https:///secret", "must hold addresses with a host"),
        ("https://[secret", "must hold valid addresses"),
        ("https://a.example:secret/x", "must hold valid addresses"),
        ("a=secret/folder", "must hold folders as absolute paths"),
        ("file://secret/folder", "must hold http or https addresses or folders"),
        ("a=https://b.example/secret,a=/tmp", "must have a name of its own for each source"),
    ],
)
def test_bad_news_sources_are_refused_without_showing_a_secret(
    monkeypatch: pytest.MonkeyPatch, value: str, rule: str
) -> None:
    monkeypatch.setenv("OPPORTUNITY_NEWS_SOURCES", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert rule in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.__cause__)


def test_settings_show_no_address_of_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPPORTUNITY_NEWS_SOURCES", "a=https://u:secret@b.example/?token=secret")
    settings = load_settings()
    assert "secret" in settings.news_sources[0].address
    assert "secret" not in repr(settings)
    assert "secret" not in str(settings)


def test_retention_changes_single_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().retention == dict(RETENTION_DAYS)
    monkeypatch.setenv("OPPORTUNITY_RETENTION", " event = 90, candidate=0,")
    assert load_settings().retention == {**RETENTION_DAYS, "event": 90, "candidate": 0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("evnt=3", "Did you mean 'event'"),
        ("fill=3", "table must be a known name"),
        ("event", "must be table=days"),
        ("event=x", "must be table=days"),
        ("event=-1", "must be table=days"),
        ("event=1.5", "must be table=days"),
        ("event=1,event=2", "names 'event' twice"),
        ("event=36501", "days of event must be 0 to 36500"),
    ],
)
def test_bad_retention_is_refused(monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    monkeypatch.setenv("OPPORTUNITY_RETENTION", text)
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings()
    assert str(caught.value).count(", was ") <= 1


@pytest.mark.parametrize("kind", ["postgres", "postgresql", "postgresql+psycopg"])
def test_addresses_of_databases_show_no_password(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{kind}://me:geheim@h/x")
    settings = load_settings()
    assert settings.database.endswith("geheim@h/x")
    assert "geheim" not in f"{settings!r} {settings!s}"
    monkeypatch.setenv("DATABASE_URL", "mysql://me:geheim@h/x")
    with pytest.raises(SettingsError, match="must be sqlite:///FILE or postgresql") as caught:
        load_settings()
    assert "geheim" not in str(caught.value)


def test_alert_channels_have_names_and_hide_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().alerts == ()
    monkeypatch.setenv(
        "OPPORTUNITY_ALERTS",
        "phone=tgram://secret/chat, my mail=mailto://u:secret@x.org?to=a@x.org,b@x.org,ops=json://h",
    )
    settings = load_settings()
    assert [channel.name for channel in settings.alerts] == ["phone", "my mail", "ops"]
    assert settings.alerts[1].address == "mailto://u:secret@x.org?to=a@x.org,b@x.org"
    assert "secret" not in repr(settings)
    assert not settings.alerts_private


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("tgram://secret/chat", "name=scheme://"), ("phone=secret", "name=scheme://"),
        ("a=json://secret,a=json://secret", "has 'a' twice"),
        (",".join(f"c{i}=json://secret" for i in range(21)), "at most 20"),
    ],
)  # fmt: skip
def test_bad_alert_channels_are_refused_without_showing_a_secret(
    monkeypatch: pytest.MonkeyPatch, value: str, text: str
) -> None:
    monkeypatch.setenv("OPPORTUNITY_ALERTS", value)
    with pytest.raises(SettingsError, match=text) as caught:
        load_settings()
    assert "secret" not in str(caught.value)
