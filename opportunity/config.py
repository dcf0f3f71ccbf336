"""Settings: read once from the environment, typed, frozen.

`REALTIME_AGENT_ENABLED`, `REALTIME_SCAN_INTERVAL_MS`, `DATABASE_URL`, `REDIS_URL` and
`LOG_LEVEL` keep the names of the operations runbook; everything else is `OPPORTUNITY_<NAME>`.
Command-line flags win over the environment.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from opportunity.config_lists import (
    RETENTION_DAYS,
    AlertChannel,
    NewsSource,
    check_retention,
    read_channels,
    read_retention,
    read_sources,
)
from opportunity.errors import OpportunityError, unknown

PREFIX: Final = "OPPORTUNITY_"
OUTSIDE: Final = frozenset({"OPPORTUNITY_TEST_DATA", "OPPORTUNITY_TOKEN"})
"""Read by the tests and by the client, not by the server."""

DATABASES: Final = frozenset(
    {"sqlite", "sqlite+pysqlite", "postgres", "postgresql", "postgresql+psycopg"}
)
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

Names = Annotated[tuple[str, ...], NoDecode]
NewsSources = Annotated[tuple[NewsSource, ...], NoDecode]
AlertChannels = Annotated[tuple[AlertChannel, ...], NoDecode]
Retention = Annotated[Mapping[str, int], NoDecode]


class SettingsError(OpportunityError, ValueError):
    """Raised when the environment or a flag breaks a rule; the text names each offender."""


def _runbook(name: str, *others: str) -> AliasChoices:
    return AliasChoices(name, *others, PREFIX + name.upper())


class Settings(BaseSettings):
    """Everything that can be set from outside, with its unit and default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    home: Path = Field(Path.home() / ".opportunity", description="data folder")
    database_url: str = Field(
        "", validation_alias=_runbook("database_url", "DATABASE_URL"), repr=False,
        description="SQLAlchemy URL; empty means SQLite in the data folder",
    )
    redis_url: str = Field(
        "", validation_alias=_runbook("redis_url", "REDIS_URL"), repr=False,
        description="Redis for several web processes; empty means in-process",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias=_runbook("log_level", "LOG_LEVEL"), description="least level"
    )
    agent_enabled: bool = Field(
        True, validation_alias=_runbook("agent_enabled", "REALTIME_AGENT_ENABLED"),
        description="agent state on the very first start; later the stored state counts",
    )
    scan_interval_ms: int = Field(
        30_000, ge=100, le=60_000,
        validation_alias=_runbook("scan_interval_ms", "REALTIME_SCAN_INTERVAL_MS"),
        description="heartbeat that re-publishes every signal, ms",
    )
    host: str = Field(
        "127.0.0.1", description="address to listen on; beyond loopback everybody must log in"
    )
    port: int = Field(8000, ge=0, le=65_535, description="port to listen on; 0 picks a free one")
    feed: Literal["simulated", "replay", "exchange"] = Field(
        "simulated", description="where bars come from"
    )
    data: Path | None = Field(None, description="folder of recorded bars, for the replay feed")
    exchange: str = Field(
        "",
        description="name of the exchange in ccxt for the exchange feed, empty means binance; for "
        "the replay feed the folder inside `data`, empty finds the only one",
    )
    exchange_url: str = Field(
        "", description="address of a local exchange on loopback, instead of the real one"
    )
    top: int = Field(
        40, ge=1, le=2_000, description="symbols of an exchange to watch, by turnover of 24 hours"
    )
    quote: str = Field("", description="their quote currency; empty takes the usual one")
    symbols: Names = Field(
        (), description="comma-separated; empty means all that the feed has, of an exchange `top`"
    )
    timeframes: Names = Field(
        ("5m", "15m", "30m", "1h", "4h", "1d"), description="comma-separated timeframes to score"
    )
    speed: float = Field(
        60.0,
        ge=0.1,
        le=1e7,
        description="feed seconds per second of wall time; an exchange has its own",
    )
    start: str = Field("", description="feed time to start from, ISO 8601 UTC; empty: go on")
    seed: int = Field(7, ge=0, description="seed of the simulated market")
    record: bool = Field(
        False, description="log all that comes in and is done, for `opportunity verify`"
    )
    max_symbols: int = Field(50, ge=1, le=2_000, description="symbols per scan or connection")
    max_connections: int = Field(6_000, ge=1, description="WebSocket connections at once")
    max_connections_of_user: int = Field(
        10, ge=0, description="of them of one user; 0: any number. None counts on loopback"
    )
    max_connections_of_address: int = Field(
        50, ge=0, description="of them of one address; 0: any number. None counts on loopback"
    )

    auth: bool = Field(False, description="ask everybody for a login, also on this machine")
    tls_cert: Path | None = Field(None, description="certificate chain (PEM), to serve over TLS")
    tls_key: Path | None = Field(None, description="its private key (PEM)")
    oauth_provider: str = Field(
        "", description="who else may log people in, as Panel knows it: github, google, generic..."
    )
    oauth_key: str = Field("", description="client id at that provider")
    oauth_secret: SecretStr = Field(
        SecretStr(""), repr=False, description="client secret at that provider"
    )
    oauth_redirect: str = Field("", description="address of our login page, as registered there")
    oauth_users: Names = Field(
        (), description="comma-separated name=role of those who may log in so; nobody else may"
    )
    origins: Names = Field(
        (), description="comma-separated origins under which people reach the server, e.g. "
        "https://desk.example.org; with loopback's own they are all that is answered to"
    )
    trusted_proxies: Names = Field(
        (), description="comma-separated addresses of proxies whose X-Forwarded-For is believed"
    )
    access_minutes: int = Field(15, ge=1, le=1_440, description="life of an access token, minutes")
    refresh_days: int = Field(30, ge=1, le=365, description="life of a refresh token, days")
    session_hours: float = Field(
        12.0, gt=0, le=720, description="life of a login of the page, hours"
    )
    requests_per_minute: int = Field(
        1_200, ge=0, description="of one caller, more get 429; 0: any number. Loopback counts not"
    )
    workers: int = Field(
        1, ge=1, le=64,
        description="processes that serve clients; more than 1 need redis_url, one agent decides",
    )
    agent_url: str = Field(
        "", description="address of the process that holds the agent, for further hosts"
    )
    edge_secret: SecretStr = Field(
        SecretStr(""), repr=False,
        description="shared by the processes of one server, made at the start; set it, the same "
        "everywhere, where further hosts serve clients",
    )
    log_format: Literal["text", "json"] = Field("text", description="how log lines are written")
    otlp_url: str = Field(
        "", repr=False,
        description="address of an OpenTelemetry collector (OTLP over HTTP); empty: no traces",
    )

    news_sources: NewsSources = Field(
        (),
        description="comma-separated addresses (RSS, Atom, JSON) or folders of headlines, each "
        "alone or as name=address",
    )
    news_every_s: float = Field(
        120.0, ge=10, le=3_600, description="between two polls of a source of headlines, s"
    )
    fear_greed: bool = Field(False, description="ask alternative.me for Fear & Greed every hour")

    alerts: AlertChannels = Field(
        (), description="comma-separated channels for alerts, each name=address as apprise reads it"
    )
    alerts_private: bool = Field(
        False, description="let alerts go to loopback, private and link-local addresses"
    )

    retention: Retention = Field(
        default_factory=lambda: dict(RETENTION_DAYS),
        description="days that rows are kept, as table=days,...; 0 is for ever",
    )

    @field_validator("retention", mode="before")
    @classmethod
    def _read_retention(cls, value: Any) -> Any:
        return read_retention(value) if isinstance(value, str) else value

    @field_validator("retention")
    @classmethod
    def _fill_retention(cls, value: Mapping[str, int]) -> Mapping[str, int]:
        check_retention(value)
        return {**RETENTION_DAYS, **value}

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        kind = value.partition(":")[0]
        if value and kind not in DATABASES:
            raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        return value

    @field_validator("alerts", mode="before")
    @classmethod
    def _read_channels(cls, value: Any) -> Any:
        return read_channels(value) if isinstance(value, str) else value

    @field_validator("news_sources", mode="before")
    @classmethod
    def _read_sources(cls, value: Any) -> Any:
        return read_sources(value) if isinstance(value, str) else value

    @field_validator(
        "symbols", "timeframes", "origins", "trusted_proxies", "oauth_users", mode="before"
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("exchange_url")
    @classmethod
    def _local(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("must be an address such as http://127.0.0.1:9000") from None
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        if parts.scheme != "http" or host not in LOOPBACK or not plain or parts.path.strip("/"):
            raise ValueError("must be http://HOST:PORT on loopback")
        return value.rstrip("/")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("home", "data", "tls_cert", "tls_key", mode="after")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.home / 'opportunity.sqlite'}"

    @property
    def loopback(self) -> bool:
        """True when nothing outside this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def login_required(self) -> bool:
        """True when everybody must log in: asked for, or others than this machine can call."""
        return bool(
            self.auth or not self.loopback or self.workers > 1 or self.trusted_proxies
            or self.oauth_provider
        )


def load_settings(
    flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Read the settings from the environment and let `flags` win.

    Parameters
    ----------
    flags : mapping, optional
        Values by setting name; None values are ignored.
    environ : mapping, optional
        The environment to look for misspelt names in; defaults to `os.environ`.

    Raises
    ------
    SettingsError
        If a value breaks its rule or an `OPPORTUNITY_` name is unknown.
    """
    environ = os.environ if environ is None else environ
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OUTSIDE
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            raise SettingsError(unknown("setting", name, sorted(known)))
    given = {k: v for k, v in (flags or {}).items() if v is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [_explain(e["loc"], e["msg"], e.get("input")) for e in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def _explain(where: tuple[int | str, ...], rule: str, value: object) -> str:
    name = ".".join(str(part) for part in where)
    rule = rule.replace("Input should be ", "must be ").replace("Value error, ", "")
    if name.lower().endswith(("news_sources", "alerts", "database_url", "redis_url", "secret")):
        return f"{name} {rule}"  # addresses may hold secrets
    return f"{name} {rule}" if ", was " in rule else f"{name} {rule}, was {value!r}"
