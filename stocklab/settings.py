"""Settings: read once from ``STOCKLAB_*`` (environment or ``.env``), frozen, passed as a value."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from stocklab.errors import SettingsError

__all__ = ["LOOPBACK", "PREFIX", "Settings", "load_settings"]

PREFIX = "STOCKLAB_"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_WITHOUT_TLS: Final = frozenset(
    {("kis_ws_url", "ops.koreainvestment.com"), ("kis_mock_ws_url", "ops.koreainvestment.com")}
)
"""Sockets that their broker serves without TLS; what is personal on them is encrypted by the broker."""
_OUTSIDE = frozenset({"STOCKLAB_TEST_DATA"})  # read by the test suite, not by the program


class Settings(BaseSettings):
    """Every setting of the product. docs/settings.md lists them; a test compares the two."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_file=None)

    env: Literal["dev", "staging", "prod"] = Field(default="dev", description="prod refuses debug and default secrets")
    debug: bool = Field(default=False, description="show error details in the browser; refused in prod")
    home: Path = Field(default=Path("data"), description="directory of all state")
    database_url: SecretStr | None = Field(default=None, description="app database; default: SQLite in the home")
    database_pool_size: int = Field(default=5, ge=1, le=200, description="connections a process keeps open")
    database_pool_overflow: int = Field(default=15, ge=0, le=500, description="further connections under load")
    database_pool_timeout: int = Field(default=10, ge=1, le=120, description="seconds to wait for a connection")
    database_pool_recycle: int = Field(default=1800, ge=60, le=86_400, description="age at which one is replaced")
    host: str = Field(default="127.0.0.1", description="address the app listens on")
    port: int = Field(default=8501, ge=1, le=65535, description="port the app listens on")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="host names the app answers to; empty: loopback only"
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="further origins whose pages may post here, such as https://lab.example.org"
    )
    public_url: str = Field(default="", description="address people open, for links in mail: https://lab.example.org")
    single_user: bool | None = Field(
        default=None, description="no accounts and no log-in; default: only when `host` is this machine alone"
    )
    sign_ups_an_hour: int = Field(
        default=10, ge=0, le=100_000, description="accounts opened from one address; 0 closes the sign-up"
    )
    backtests_a_minute: int = Field(default=10, ge=1, le=100_000, description="backtests of one user, with accounts")
    publications_an_hour: int = Field(default=120, ge=1, le=100_000, description="strategies one user publishes")
    clones_an_hour: int = Field(default=120, ge=1, le=100_000, description="strategies one user clones")
    likes_a_minute: int = Field(
        default=120, ge=1, le=100_000, description="likes one user gives or takes back: of strategies; of posts"
    )
    posts_an_hour: int = Field(default=10, ge=1, le=100_000, description="posts one user writes")
    comments_in_ten_minutes: int = Field(default=30, ge=1, le=100_000, description="comments one user writes")
    reports_an_hour: int = Field(default=20, ge=1, le=100_000, description="reports one user sends to the moderators")
    plans: Annotated[dict[str, dict[str, int]], NoDecode] = Field(
        default={"free": {"backtests_a_day": 300, "live_slots": 1}, "pro": {"backtests_a_day": 3000, "live_slots": 5}},
        description="plans of accounts as JSON; the first is a new account's",
    )
    smtp_server: str = Field(default="", description="mail server for reset links; empty: no mail")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="its port")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="none only for a server on this machine"
    )
    smtp_user: SecretStr | None = Field(default=None, description="its user")
    smtp_password: SecretStr | None = Field(default=None, description="its password")
    mail_from: str = Field(default="", description="sender of mail")
    language: Literal["ko", "en"] = Field(default="ko", description="language a new visitor sees")
    log_format: Literal["console", "json"] = Field(default="console", description="json for machines")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level logged")
    log_file: Path | None = Field(
        default=None,
        description="also log as JSON into daily files of each process; relative: in the home",
    )
    log_keep_days: int = Field(default=14, ge=1, le=3650, description="days that log files are kept")
    max_sessions: int = Field(default=400, ge=1, le=100_000, description="sessions before newcomers are turned away")
    max_body_mb: int = Field(default=25, ge=1, le=1024, description="largest body of a request")
    cache_market_seconds: int = Field(default=86_400, ge=10, le=2_592_000, description="lifetime of market facts")
    cache_result_seconds: int = Field(default=14_400, ge=10, le=2_592_000, description="lifetime of opened results")
    cache_figure_seconds: int = Field(default=14_400, ge=10, le=2_592_000, description="lifetime of drawn figures")
    cache_screen_seconds: int = Field(default=3_600, ge=10, le=2_592_000, description="lifetime of screens")
    max_concurrent_jobs: int = Field(default=2, ge=1, le=16, description="backtests at once; the rest queue")
    max_queued_jobs: int = Field(default=20, ge=1, le=1000, description="jobs waiting before new ones are refused")
    engine_threads: int = Field(default=2, ge=1, le=64, description="threads one factor computation may use")
    factor_cache_mb: int = Field(default=2048, ge=0, le=1_000_000, description="disk budget of cached factor values")
    result_cache_mb: int = Field(
        default=4096, ge=64, le=1_000_000, description="disk budget of stored results nobody kept"
    )
    sweep_cache_mb: int = Field(default=1024, ge=16, le=1_000_000, description="disk budget of stored sweeps")
    snapshot_grace_hours: int = Field(default=48, ge=0, le=8760, description="age before an old snapshot is removed")
    cookie_secret: SecretStr | None = Field(default=None, description="signs cookies; default: generated in the home")
    encryption_key: SecretStr | None = Field(
        default=None, description="encrypts stored keys; several with commas to rotate; default: generated in the home"
    )
    scheduler: Literal["on", "off"] = Field(default="on", description="whether `stocklab up` starts the scheduler")
    backup_keep: int = Field(default=7, ge=1, le=365, description="automatic backups kept")
    demo_symbols: int = Field(default=400, ge=50, le=4000, description="symbols in the demo market")
    history_from: date = Field(default=date(2010, 1, 4), description="first session that syncs fill back to")
    krx_openapi_url: str = Field(default="https://data-dbg.krx.co.kr", description="KRX Open API")
    krx_openapi_key: SecretStr | None = Field(default=None, description="key of the KRX Open API")
    datagokr_url: str = Field(default="https://apis.data.go.kr", description="public-data portal")
    datagokr_key: SecretStr | None = Field(default=None, description="decoded key of the public-data portal")
    opendart_url: str = Field(default="https://opendart.fss.or.kr", description="OpenDART")
    opendart_key: SecretStr | None = Field(default=None, description="key of OpenDART, 40 characters")
    sync_coins: bool = Field(default=False, description="syncs also fetch the daily candles of Upbit's coins")
    krx_markets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("KOSPI", "KOSDAQ"), description="markets asked of the KRX Open API; each needs its approval"
    )
    upbit_url: str = Field(default="https://api.upbit.com", description="Upbit; market data need no key")
    naver_url: str = Field(default="https://naverapihub.apigw.ntruss.com", description="Naver API HUB (news search)")
    naver_client_id: SecretStr | None = Field(default=None, description="client id of the Naver API HUB")
    naver_client_secret: SecretStr | None = Field(default=None, description="client secret of the Naver API HUB")
    naver_legacy_url: str = Field(
        default="https://openapi.naver.com", description="Naver Developers Center, to 2027-06"
    )
    naver_legacy_client_id: SecretStr | None = Field(default=None, description="client id of the Developers Center")
    naver_legacy_client_secret: SecretStr | None = Field(default=None, description="its client secret")
    krx_url: str = Field(default="https://data.krx.co.kr", description="KRX Data Marketplace, which pykrx reads")
    krx_id: SecretStr | None = Field(default=None, description="account of the KRX Data Marketplace, for pykrx")
    krx_password: SecretStr | None = Field(default=None, description="its password")
    kiwoom_url: str = Field(default="https://api.kiwoom.com", description="Kiwoom REST API")
    kiwoom_ws_url: str = Field(
        default="wss://api.kiwoom.com:10000/api/dostk/websocket", description="Kiwoom's socket of fills and prices"
    )
    kiwoom_mock_url: str = Field(default="https://mockapi.kiwoom.com", description="Kiwoom REST API, mock trading")
    kiwoom_mock_ws_url: str = Field(
        default="wss://mockapi.kiwoom.com:10000/api/dostk/websocket", description="Kiwoom's socket, mock trading"
    )
    kis_url: str = Field(default="https://openapi.koreainvestment.com:9443", description="KIS Open API")
    kis_ws_url: str = Field(
        default="ws://ops.koreainvestment.com:21000", description="KIS's socket, which has no TLS at the broker"
    )
    kis_mock_url: str = Field(
        default="https://openapivts.koreainvestment.com:29443", description="KIS Open API, mock trading"
    )
    kis_mock_ws_url: str = Field(default="ws://ops.koreainvestment.com:31000", description="KIS's socket, mock trading")
    upbit_ws_url: str = Field(default="wss://api.upbit.com/websocket/v1", description="Upbit's sockets")
    trading: Literal["on", "off"] = Field(
        default="on", description="off: the scheduler opens no broker account and sends no order"
    )
    gate_paper_days: int = Field(
        default=10, ge=0, le=250, description="sessions on paper before a strategy may trade a mock account"
    )
    gate_mock_days: int = Field(
        default=10, ge=1, le=250, description="sessions on a mock account (Upbit: on paper) before real money"
    )
    gate_trades: int = Field(default=5, ge=0, le=1000, description="fills in those sessions, at least")
    gate_gap_bps: int = Field(
        default=50, ge=1, le=10_000, description="mean daily gap to the backtest, in basis points of equity, at most"
    )
    telegram_url: str = Field(default="https://api.telegram.org", description="Telegram's bots, for alerts")
    discord_url: str = Field(default="https://discord.com", description="Discord, for alerts")
    slack_url: str = Field(default="https://hooks.slack.com", description="Slack, for alerts")
    alerts_to_private_hosts: bool = Field(
        default=False, description="alerts may go to webhooks and mail servers of this machine and its network"
    )
    allow_loopback_sources: bool = Field(default=False, description="accept http://127.0.0.1 for sources in prod")

    @property
    def is_single_user(self) -> bool:
        """Whether the home has one owner and no log-in."""
        return self.host in LOOPBACK if self.single_user is None else self.single_user

    @field_validator("krx_markets")
    @classmethod
    def _known_markets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in ("KOSPI", "KOSDAQ", "KONEX")]
        if unknown or not value:
            raise ValueError("expected some of KOSPI, KOSDAQ, KONEX with commas between")
        return value

    @field_validator("plans", mode="before")
    @classmethod
    def _plans_from_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value

    @field_validator("plans")
    @classmethod
    def _whole_plans(cls, value: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        for name, plan in value.items():
            if not 1 <= len(name) <= 32 or plan.keys() != {"backtests_a_day", "live_slots"} or min(plan.values()) < 0:
                raise ValueError('expected {"name": {"backtests_a_day": 300, "live_slots": 1}, ...}')
        if not value:
            raise ValueError("expected at least one plan")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _whole_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.hostname
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError("expected origins such as https://lab.example.org with commas between")
        return tuple(origin.lower() for origin in value)

    @model_validator(mode="after")
    def _mail_is_encrypted(self) -> Self:
        if self.smtp_server and self.smtp_tls == "none" and self.smtp_server not in LOOPBACK:
            raise ValueError("STOCKLAB_SMTP_TLS=none is only for a mail server on this machine")
        if bool(self.smtp_server) != bool(self.mail_from) or (self.smtp_server and not self.public_url):
            raise ValueError("mail needs STOCKLAB_SMTP_SERVER, STOCKLAB_MAIL_FROM and STOCKLAB_PUBLIC_URL together")
        return self

    @field_validator("allowed_hosts", "allowed_origins", "krx_markets", mode="before")
    @classmethod
    def _names_with_commas(cls, value: object) -> object:
        """``lab.example.org,nas.local`` as a tuple; a JSON list is read too."""
        if not isinstance(value, str):
            return value
        names = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        return tuple(name.strip() for name in names if name.strip())

    @model_validator(mode="after")
    def _hosts_are_safe(self) -> Self:
        """In prod a source is asked over TLS, or on this machine when that was allowed."""
        for name in (field for field in type(self).model_fields if field.endswith("_url") and field != "database_url"):
            if name == "public_url" and not self.public_url:
                continue
            parts = urlsplit(getattr(self, name))
            plain, safe = ("ws", "wss") if name.endswith("_ws_url") else ("http", "https")
            if parts.scheme not in (plain, safe) or not parts.hostname:
                raise ValueError(f"{PREFIX}{name.upper()} must be an {plain}(s) address such as {safe}://host")
            loopback = parts.hostname in LOOPBACK
            bare = (name, parts.hostname) in _WITHOUT_TLS
            if (
                self.env == "prod"
                and parts.scheme != safe
                and not bare
                and not (loopback and self.allow_loopback_sources)
            ):
                raise ValueError(
                    f"{PREFIX}{name.upper()} must begin with {safe}:// with STOCKLAB_ENV=prod "
                    "(loopback addresses: STOCKLAB_ALLOW_LOOPBACK_SOURCES=true)"
                )
        return self

    @model_validator(mode="after")
    def _prod_is_strict(self) -> Self:
        if self.env == "prod" and self.debug:
            raise ValueError("STOCKLAB_DEBUG=true is refused with STOCKLAB_ENV=prod")
        if self.env == "prod" and self.cookie_secret is not None:
            secret = self.cookie_secret.get_secret_value()
            if len(secret) < 32 or secret.lower().startswith(("change", "secret", "default")):
                raise ValueError("STOCKLAB_COOKIE_SECRET must be 32 or more characters and not a default in prod")
        return self


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, refusing any ``STOCKLAB_*`` name that is not one.

    Raises
    ------
    SettingsError
        A name is unknown (the nearest known one is named) or a value is not valid.
    """
    names = os.environ if environ is None else environ
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in known | _OUTSIDE:
            tails = sorted(field.upper() for field in Settings.model_fields)
            near = difflib.get_close_matches(name.upper()[len(PREFIX) :], tails, n=1, cutoff=0.5)
            hint = f" Did you mean {PREFIX}{near[0]}?" if near else " docs/settings.md lists the settings."
            raise SettingsError(f"Unknown setting {name}.{hint}")
    given = {key[len(PREFIX) :].lower(): value for key, value in names.items() if key.upper().startswith(PREFIX)}
    try:
        if environ is None:
            return Settings()
        return Settings.model_validate({key: value for key, value in given.items() if key in Settings.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else "The settings"
        raise SettingsError(f"{name}: {first['msg']}.") from error
