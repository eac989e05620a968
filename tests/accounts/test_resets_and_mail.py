"""Links to set a new password, and the mail that brings them over a real socket with TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from people import PASSWORD
from sqlalchemy import select

from stocklab.accounts import Accounts
from stocklab.accounts.mail import send_mail
from stocklab.db import Database, PasswordResetRow
from stocklab.errors import AccountFault, SettingsError, SourceTemporary
from stocklab.settings import Settings, load_settings

Join = Any  # of conftest.py
NEW = "a wholly new password"


def test_a_link_works_once_ends_all_sessions_and_is_stored_as_a_hash(
    accounts: Accounts, join: Join, database: Database
) -> None:
    user = join("kim")
    session = accounts.sessions.begin(user.id, address="192.0.2.1", agent="", confirmed=False)
    token = accounts.resets.begin(user.id, by=None)
    with database.read() as reading:
        assert token not in reading.scalars(select(PasswordResetRow.token_hash)).all()
    assert accounts.resets.whose(token).id == user.id
    with pytest.raises(AccountFault) as caught:
        accounts.resets.take(token, "short")
    assert caught.value.code == "password_short"  # and the link stays good
    accounts.resets.take(token, NEW)
    accounts.sessions.forget()
    assert accounts.sessions.by_token(session) is None
    assert accounts.log_in.password("kim@example.com", NEW, address="192.0.2.1").id == user.id
    for work in (lambda: accounts.resets.take(token, PASSWORD), lambda: accounts.resets.whose(token)):
        with pytest.raises(AccountFault) as caught:
            work()
        assert caught.value.code == "reset_over"


def test_a_link_is_over_after_its_time_and_when_a_newer_one_is_made(accounts: Accounts, join: Join) -> None:
    user = join("kim")
    now = datetime.now(UTC)
    by_mail = accounts.resets.begin(user.id, by=user.id, now=now)
    assert accounts.resets.whose(by_mail, now + timedelta(minutes=59)).id == user.id
    with pytest.raises(AccountFault):
        accounts.resets.whose(by_mail, now + timedelta(hours=1))
    by_admin = accounts.resets.begin(user.id, by="admin", now=now)
    assert accounts.resets.whose(by_admin, now + timedelta(hours=23)).id == user.id
    for over in (by_mail, "", "x" * 43):
        with pytest.raises(AccountFault):
            accounts.resets.whose(over, now)


@dataclass
class MailServer:
    """Takes mail over STARTTLS as RFC 5321 and 3207 say, and keeps what it was told."""

    port: int
    certificate: Path
    told: list[str] = field(default_factory=list)
    encrypted: bool = False


@pytest.fixture
def mail_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    certificate, key = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = MailServer(port=listening.getsockname()[1], certificate=certificate)
        thread = threading.Thread(target=_serve, args=(listening, context, server), daemon=True)
        thread.start()
        yield server
    thread.join(timeout=5)


def _serve(listening: socket.socket, context: ssl.SSLContext, server: MailServer) -> None:
    try:
        client, _address = listening.accept()
    except OSError:
        return
    client.settimeout(5)
    client.sendall(b"220 mail.test\r\n")
    lines = client.makefile("rb")
    body = False
    while line := lines.readline():
        text = line.decode().rstrip("\r\n")
        server.told.append(text)
        if body:
            body = text != "."
            answer = b"" if body else b"250 kept\r\n"
        elif text.upper().startswith("EHLO"):
            answer = (
                b"250-mail.test\r\n250 AUTH PLAIN\r\n" if server.encrypted else b"250-mail.test\r\n250 STARTTLS\r\n"
            )
        elif text.upper() == "STARTTLS":
            client.sendall(b"220 go\r\n")
            try:
                client = context.wrap_socket(client, server_side=True)
            except (OSError, ssl.SSLError):
                return
            lines, server.encrypted, answer = client.makefile("rb"), True, b""
        elif text.upper() == "DATA":
            body, answer = True, b"354 go on\r\n"
        else:
            answer = {"AUTH": b"235 ok\r\n", "QUIT": b"221 bye\r\n"}.get(text.upper()[:4], b"250 ok\r\n")
        if answer:
            client.sendall(answer)
        if text.upper() == "QUIT":
            client.close()
            return


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "mail.crt", folder / "mail.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _settings(server: MailServer, host: str = "localhost") -> Settings:
    return load_settings(
        {
            "STOCKLAB_SMTP_SERVER": host,
            "STOCKLAB_SMTP_PORT": str(server.port),
            "STOCKLAB_SMTP_USER": "lab",
            "STOCKLAB_SMTP_PASSWORD": "secret of the mail server",
            "STOCKLAB_MAIL_FROM": "lab@example.com",
            "STOCKLAB_PUBLIC_URL": "https://lab.example.com",
        }
    )


def test_mail_goes_over_tls_and_the_password_not_before(mail_server: MailServer) -> None:
    send_mail(
        _settings(mail_server),
        to="kim@example.com",
        subject="새 비밀번호",
        text="https://lab.example.com/auth/reset?token=abc\n",
    )
    begun = mail_server.told.index("STARTTLS")
    assert all(line.upper().startswith("EHLO") for line in mail_server.told[:begun])
    after = mail_server.told[begun + 1 :]
    assert any(line.startswith("AUTH PLAIN") for line in after)
    assert "rcpt to:<kim@example.com>" in [line.lower() for line in after]
    assert "https://lab.example.com/auth/reset?token=abc" in after


def test_a_server_with_another_name_gets_nothing(mail_server: MailServer) -> None:
    with pytest.raises(SourceTemporary):
        send_mail(_settings(mail_server, host="127.0.0.1"), to="kim@example.com", subject="x", text="secret link")
    assert "secret link" not in mail_server.told
    assert not any(line.startswith("AUTH") for line in mail_server.told)


def test_mail_is_off_until_it_is_set_up_whole_and_never_open_beyond_this_machine() -> None:
    assert load_settings({}).smtp_server == ""
    with pytest.raises(SettingsError):
        load_settings({"STOCKLAB_SMTP_SERVER": "mail.example.com"})
    whole = {"STOCKLAB_MAIL_FROM": "a@example.com", "STOCKLAB_PUBLIC_URL": "https://lab.example.com"}
    with pytest.raises(SettingsError):
        load_settings({**whole, "STOCKLAB_SMTP_SERVER": "mail.example.com", "STOCKLAB_SMTP_TLS": "none"})
    assert load_settings({**whole, "STOCKLAB_SMTP_SERVER": "localhost", "STOCKLAB_SMTP_TLS": "none"}).smtp_tls == "none"


def test_a_header_cannot_be_smuggled_into_a_mail(mail_server: MailServer) -> None:
    with pytest.raises(ValueError, match=r"newline|linefeed|Header"):
        send_mail(_settings(mail_server), to="kim@example.com\r\nBcc: eve@example.com", subject="x", text="y")
