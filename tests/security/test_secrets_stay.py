"""Secrets are planted through the real entrances, everything is used and broken, and then looked for everywhere."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyotp
import pytest
from app_process import serving

from stocklab.accounts import Scope
from stocklab.alerts import AlertKind, Alerts, ChannelKind, Channels, SignsOfLife
from stocklab.alerts.outbox import Outbox
from stocklab.alerts.signs_of_life import call_due
from stocklab.cli import main
from stocklab.db import database_url, open_database
from stocklab.operations import RateLimits, open_sealer
from stocklab.operations.archive import extract
from stocklab.portfolios import Lab
from stocklab.settings import Settings, load_settings

# what nobody but its owner may ever read; each is found by its own marker
FROM_OUTSIDE = {
    "ENCRYPTION_KEY": "MARK-encryption-" + "e" * 24,
    "COOKIE_SECRET": "MARK-cookie-" + "c" * 28,
    "SMTP_PASSWORD": "MARK-mail-password",
    "SMTP_USER": "MARK-mail-user",
    "KRX_OPENAPI_KEY": "MARK-krx-open-key",
    "DATAGOKR_KEY": "MARK-datagokr-key",
    "NAVER_CLIENT_SECRET": "MARK-naver-secret",
    "NAVER_CLIENT_ID": "MARK-naver-id",
    "KRX_PASSWORD": "MARK-krx-password",
    "KRX_ID": "MARK-krx-account",
}
ENTERED = {"opendart_key": "MARKopendartkey" + "d" * 25, "naver_legacy_client_secret": "MARK-legacy-secret"}
CHANNELS = {  # what is entered for alerts, and where in the form
    "telegram token": ("telegram", "bot_token", "123456789:MARK-telegram-" + "t" * 20),
    "discord webhook": (
        "discord",
        "webhook_url",
        "https://discord.com/api/webhooks/123456789012345678/MARK" + "d" * 60,
    ),
    "slack webhook": (
        "slack",
        "webhook_url",
        "https://hooks.slack.com/services/T0AAAA11/B0BBBB22/MARKslack" + "s" * 15,
    ),
    "mail password": ("email", "password", "MARK-password-of-the-mail-server"),
    "webhook": ("webhook", "url", "http://127.0.0.1:1/hook/MARK-path-of-the-webhook"),
    "signing secret": ("webhook", "signing_secret", "MARK-secret-that-signs"),
}
SIGN_OF_LIFE = "http://127.0.0.1:1/MARK-ping-uuid"
WORD = "MARK-log-in-password-9"
NEW_WORD = "MARK-new-password-7"
WRONG_WORD = "MARK-mistyped-password"


class _Echo(BaseHTTPRequestHandler):
    """A service in trouble that repeats what it was asked, keys included: the worst a source can do."""

    def do_GET(self) -> None:
        body = f"trouble with {self.path} {dict(self.headers)}".encode()
        self.send_response(int(self.server.status))  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def echoing(status: int) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.status = status  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def stocklab(capsys: pytest.CaptureFixture[str], *arguments: str) -> bytes:
    """All that a command says."""
    capsys.readouterr()
    assert main(list(arguments)) in range(5)
    return "".join(capsys.readouterr()).encode()


def use(server: Any, browser: Callable[[], Any], said: dict[str, bytes]) -> dict[str, str]:
    """Two people come, mistype, enter, and leave; an admin looks at the pages. What else is secret of them."""
    secrets: dict[str, str] = {}
    boss, kim = browser(), browser()
    for person, name in ((boss, "boss"), (kim, "kim")):
        assert person.sign_up(name, password=WORD, password_repeat=WORD).status == 303
    kim.post("/auth/logout", {})
    for name in ("kim", "nobody"):
        said[f"a wrong password of {name}"] = browser().log_in(name, WRONG_WORD).body
    kim.log_in("kim", WORD)
    secrets |= {"session": kim.cookies["stocklab_session"], "device": kim.cookies["stocklab_device"]}
    lab = Lab.open(Settings(home=server.home, encryption_key=FROM_OUTSIDE["ENCRYPTION_KEY"], single_user=False))
    try:
        accounts = lab.accounts
        boss_id, kim_id = (accounts.users.by_email(f"{one}@example.com").id for one in ("boss", "kim"))  # type: ignore[union-attr]
        lab.save_source_keys(ENTERED, actor_id=boss_id)
        secrets["totp"] = accounts.second_factor.begin(kim_id).secret
        codes = accounts.second_factor.enable(kim_id, pyotp.TOTP(secrets["totp"]).now())
        secrets["recovery code"], secrets["used recovery code"] = codes[:2]
        _line, secrets["token"] = accounts.tokens.create(kim_id, "t", [Scope.ACCOUNT_READ, Scope.RUNS_READ], days=1)
        secrets["reset link"] = accounts.resets.begin(kim_id, by=boss_id)
        enter_channels(lab, boss_id)
    finally:
        lab.close()
    half = browser()
    half.log_in("kim", WORD)
    secrets["note of the second step"] = half.cookies["stocklab_step"]
    said["a wrong code"] = half.post("/auth/second-step", {"code": "000000"}).body
    assert half.post("/auth/second-step", {"code": codes[1]}).status == 303
    browser().get(f"/auth/reset?token={secrets['reset link']}")
    form = {"token": secrets["reset link"], "password": NEW_WORD, "password_repeat": NEW_WORD}
    browser().post("/auth/reset", {**form, "password_repeat": WRONG_WORD})
    assert browser().post("/auth/reset", form).status == 303
    assert b"mail" in browser().post("/auth/forgot", {"email": "boss@example.com"}).body  # whose server is not there
    for path in ("/api/v1/me", "/api/v1/runs", f"/api/v1/me?token={secrets['token']}", "/api/v1/no-such"):
        for token in (secrets["token"], secrets["token"][:-1] + "_"):
            said[f"{path} {token[-1]}"] = server.ask(path, Authorization=f"Bearer {token}").body
    for path in ("/metrics", "/readyz", "/healthz"):
        said[path] = boss.get(path).body
    for path in (f"/results?key={WORD}", f"/auth/login?password={WORD}", "/data?section=store"):
        boss.get(path)  # for the log
    look(boss, said)
    return secrets


def enter_channels(lab: Lab, owner_id: str) -> None:
    """A channel of each kind, and an alert that waits for all of them."""
    channels = Channels(lab.database, open_sealer(lab.settings), RateLimits(lab.database))
    for kind, rest in {
        ChannelKind.TELEGRAM: {"chat_id": "1"},
        ChannelKind.DISCORD: {},
        ChannelKind.SLACK: {},
        ChannelKind.EMAIL: {"to": "a@example.com", "server": "127.0.0.1", "port": "1", "security": "none", "user": "u"},
        ChannelKind.WEBHOOK: {},
    }.items():
        form = {field: text for of, field, text in CHANNELS.values() if of == kind}
        channels.add(owner_id, kind, kind.value, {**rest, **form})
    SignsOfLife(lab.database, open_sealer(lab.settings)).set(owner_id, SIGN_OF_LIFE, 5)
    Alerts(lab.database).emit(owner_id, AlertKind.HALT, dedupe_key="halt", params={"name": "a stock"})


def send_alerts(capsys: pytest.CaptureFixture[str]) -> bytes:
    """All that is logged while alerts are sent to services in trouble, which repeat what they were asked."""
    settings = load_settings()
    database = open_database(database_url(settings))
    sealer = open_sealer(settings)
    capsys.readouterr()
    try:
        assert Outbox(database, sealer, settings).deliver(lambda: datetime.now(UTC)) == 0
        assert call_due(database, sealer, settings, lambda: datetime.now(UTC)) == 0
    finally:
        database.close()
    return "".join(capsys.readouterr()).encode()


def look(boss: Any, said: dict[str, bytes]) -> None:
    """What the pages draw for an admin."""
    for page, section in (
        *(("data", ""), ("data", "store"), ("system", ""), ("help", ""), ("admin", "people"), ("admin", "feedback")),
        *(("account", name) for name in ("profile", "security", "sessions", "tokens")),
        *(("alerts", name) for name in ("feed", "channels")),
    ):
        said[f"page {page} {section}"] = boss.page(page, f"section={section}").encode()


def command(
    server: Any,
    settings: dict[str, str],
    said: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Path:
    """What the commands say, of a sound home and of one whose database is away; a backup."""
    for name in [name for name in os.environ if name.startswith("STOCKLAB_")]:
        monkeypatch.delenv(name)
    for name, value in {"HOME": str(server.home), **settings}.items():
        monkeypatch.setenv(f"STOCKLAB_{name}", value)
    backup = server.home.parent / "backup.tar.zst"
    for arguments in (("doctor", "--json"), ("data", "sync"), ("audit", "export")):
        said[" ".join(arguments)] = stocklab(capsys, *arguments)
    said["sending alerts"] = send_alerts(capsys)
    said["backup after that"] = stocklab(capsys, "backup", "--out", str(backup))
    monkeypatch.setenv("STOCKLAB_DATABASE_URL", "postgresql://MARK-db-user:MARK-db-password@127.0.0.1:1/lab")
    said["without the database"] = stocklab(capsys, "doctor", "--json")
    monkeypatch.setenv("STOCKLAB_DATABASE_URL", "postgresql://MARK-db-user:MARK-db-password@[broken/lab")
    said["with a broken address"] = stocklab(capsys, "users", "list")
    return backup


def breakdown(server: Any, browser: Callable[[], Any], said: dict[str, bytes]) -> None:
    """Tables are gone while people come: each answer and each line of the log is one of a fault."""
    boss = browser()
    assert boss.log_in("boss", WORD).status == 303
    with sqlite3.connect(server.home / "stocklab.db", timeout=20) as database:
        for table in ("watch_list", "api_tokens", "runs", "rate_windows"):
            database.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
    database.close()
    for page in ("watch", "results", "account", "system"):
        said[f"broken {page}"] = boss.page(page, "section=tokens").encode()
    said["broken log-in"] = browser().log_in("boss", WORD).body
    said["broken sign-up"] = browser().sign_up("lee", password=NEW_WORD, password_repeat=NEW_WORD).body
    said["broken API"] = server.ask("/api/v1/me", Authorization="Bearer slk_MARK-broken").body


def test_no_secret_leaves(
    tmp_path: Path, browser_of: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    channels = {name: text for name, (_kind, _field, text) in CHANNELS.items()}
    secrets = {
        **FROM_OUTSIDE,
        **ENTERED,
        **channels,
        "password": WORD,
        "new password": NEW_WORD,
        "wrong password": WRONG_WORD,
    }
    said: dict[str, bytes] = {}
    with echoing(403) as source:
        url = f"http://MARK-url-user:MARK-url-password@{source}"
        settings = {
            **FROM_OUTSIDE,
            "ALERTS_TO_PRIVATE_HOSTS": "true",
            **{f"{name}_URL": f"http://{source}" for name in ("TELEGRAM", "DISCORD", "SLACK")},
            **{f"{name}_URL": url for name in ("KRX_OPENAPI", "DATAGOKR", "OPENDART", "NAVER", "NAVER_LEGACY", "KRX")},
            "SINGLE_USER": "false",
            "SIGN_UPS_AN_HOUR": "100",
            "LANGUAGE": "en",
            "LOG_LEVEL": "debug",
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_PORT": "1",
            "SMTP_TLS": "none",
            "MAIL_FROM": "lab@example.com",
            "PUBLIC_URL": "http://127.0.0.1",
            "LOG_FILE": "logs",
            "HISTORY_FROM": "2026-11-27",
        }
        with serving(tmp_path, **settings) as server:
            secrets |= use(server, lambda: browser_of(server), said)
            backup = command(server, settings, said, monkeypatch, capsys)
            server.wait_for("reset_mail_not_sent")
            breakdown(server, lambda: browser_of(server), said)
    said["log"] = server.log.read_bytes()
    extract(backup, tmp_path / "unpacked")
    for folder in (server.home, tmp_path / "unpacked"):
        said |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert b"DatabaseUnreachable" in said["log"]  # it did break
    assert said["sending alerts"].count(b"alert_not_sent") == 5
    assert b"trouble with" in said["data sync"]  # the source did repeat what it was asked
    assert b"STOCKLAB_DATABASE_URL" in said["with a broken address"]
    names = {Path(where).name for where in said}
    assert {"stocklab.db", "logs-ui.log", "log"} <= names
    whole = {Path(where).name for where, text in said.items() if b"kim@example.com" in text}
    assert "stocklab.db" in whole  # what is there in the clear, the search below would find
    marks = {name: value.encode() for name, value in secrets.items()} | {"any planted": b"MARK"}
    found = {(name, where) for where, text in said.items() for name, value in marks.items() if value in text}
    assert found == set()
