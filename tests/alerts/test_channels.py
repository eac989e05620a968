"""Channels: forms, what is kept of them, where messages may go, and each kind over a real socket."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from fakes.http_service import Fault
from fakes.mail_server import MailServer
from sqlalchemy import select

from stocklab.alerts import AlertKind, ChannelFault, ChannelKind, Severity
from stocklab.alerts.addresses import check_host, target_of
from stocklab.alerts.channel_forms import filled
from stocklab.alerts.messengers import send_message
from stocklab.alerts.webhook import post_webhook
from stocklab.alerts.words import Said
from stocklab.db import AlertChannelRow
from stocklab.errors import InputError, LimitReached
from stocklab.settings import Settings

from .conftest import ADA, BEN, START, Desk, Receiver

TOKEN = "123456789:" + "MARK-telegram_token-".ljust(35, "t")
FORMS = {
    ChannelKind.TELEGRAM: {"bot_token": TOKEN, "chat_id": "-1001234"},
    ChannelKind.DISCORD: {"webhook_url": "https://discord.com/api/webhooks/123456789012345678/" + "MARKd" * 14},
    ChannelKind.SLACK: {
        "webhook_url": "https://hooks.slack.com/services/T0AAAA11/B0BBBB22/" + "MARKslack" * 2 + "123456"
    },
}


@pytest.mark.parametrize(
    ("kind", "field", "text"),
    [
        (ChannelKind.TELEGRAM, "bot_token", "123:short"),
        (ChannelKind.TELEGRAM, "chat_id", "55&disable=1"),
        (ChannelKind.DISCORD, "webhook_url", "https://evil.example/api/webhooks/123456789012345678/" + "a" * 60),
        (ChannelKind.SLACK, "webhook_url", "http://169.254.169.254/services/T0AAAA11/B0BBBB22/" + "a" * 24),
        (ChannelKind.WEBHOOK, "url", "ftp://host/"),
        (ChannelKind.WEBHOOK, "url", "https://user:word@host/"),
        (ChannelKind.WEBHOOK, "url", "https://host/a\r\nHost: other"),
        (ChannelKind.WEBHOOK, "signing_secret", "short"),
        (ChannelKind.EMAIL, "to", "a@b.c, other@b.c"),
        (ChannelKind.EMAIL, "server", "host/path?x"),
        (ChannelKind.EMAIL, "port", "70000"),
        (ChannelKind.EMAIL, "user", "only a user"),
    ],
)
def test_a_form_that_cannot_be_right_names_its_field_and_not_its_text(kind: ChannelKind, field: str, text: str) -> None:
    good = {
        **FORMS,
        ChannelKind.WEBHOOK: {"url": "https://n8n.example/hook"},
        ChannelKind.EMAIL: {"to": "ada@example.com", "server": "smtp.example.com"},
    }
    filled(kind, good[kind])
    with pytest.raises(ChannelFault) as found:
        filled(kind, {**good[kind], field: text})
    assert found.value.fault.path in (field, "password")
    assert text not in str(found.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "100.64.0.1", "::1", "fd00::1", "::ffff:a00:1"]
)
def test_a_private_network_needs_a_setting(host: str) -> None:
    with pytest.raises(InputError, match="STOCKLAB_ALERTS_TO_PRIVATE_HOSTS"):
        check_host(host, 443, allow_private=False)
    assert check_host(host, 443, allow_private=True) == host


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "64:ff9b::a9fe:a9fe", "240.0.0.1"]
)
def test_what_is_nobodys_or_a_clouds_own_is_refused_always(host: str) -> None:
    for allowed in (True, False):
        with pytest.raises(InputError, match="may not be called"):
            check_host(host, 443, allow_private=allowed)


def test_the_internet_is_reached_over_tls_at_the_address_that_was_judged() -> None:
    target = target_of("https://8.8.8.8/hook?a=b", allow_private=False)
    assert (target.connect_url, target.host_header) == ("https://8.8.8.8:443/hook?a=b", "8.8.8.8")
    with pytest.raises(InputError, match="https://"):
        target_of("http://8.8.8.8/hook", allow_private=True)


def test_a_receiver_that_does_not_answer_costs_a_moment(receiver: Receiver) -> None:
    receiver.fail(Fault.SLOW, seconds=5)
    outcome = post_webhook(receiver.url, "s" * 16, "id", {}, now=START, allow_private=True, answer_seconds=0.2)
    assert (outcome.error, outcome.for_good) == ("No answer in time.", False)
    refused = post_webhook(receiver.url, "s" * 16, "id", {}, now=START, allow_private=False)
    assert "STOCKLAB_ALERTS_TO_PRIVATE_HOSTS" in refused.error
    assert len(receiver.seen) == 1


def test_what_is_secret_is_sealed_masked_and_never_logged(
    desk: Desk, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    base = {"telegram_url": receiver.url, "discord_url": receiver.url, "slack_url": receiver.url}
    for number, (kind, form) in enumerate(FORMS.items()):
        _id, secret = desk.channels.add(ADA, kind, f"channel {number}", form, language="en", now=desk.now)
        assert secret == ""
        values = filled(kind, form)
        settings = Settings(home=desk.settings.home, **base)
        receiver.status = 403
        said = Said("A title & <b>", "a text with *signs* _here_")
        outcome = send_message(kind, values, said, severity=Severity.INFO, delivery_id="id", settings=settings)
        assert "403" in outcome.error
        assert "MARK" not in outcome.error
        receiver.status = 200
        ok = send_message(kind, values, said, severity=Severity.INFO, delivery_id="id", settings=settings)
        assert ok.ok, ok.error
        assert b"a text with" in receiver.seen[-1].body
    paths = [seen.path for seen in receiver.seen]
    assert paths[0] == paths[1] == f"/bot{TOKEN}/sendMessage"
    assert json.loads(receiver.seen[0].body)["chat_id"] == -1001234
    assert paths[2].startswith("/api/webhooks/123456789012345678/MARKd")
    assert paths[4].startswith("/services/T0AAAA11/B0BBBB22/MARKslack")
    assert "MARK" not in caplog.text
    with desk.database.read() as session:
        rows = session.scalars(select(AlertChannelRow)).all()
        assert "MARK" not in "".join(f"{row.sealed} {row.masked} {row.last_error}" for row in rows)
    assert "MARK" not in repr(desk.channels.list(ADA))


def test_mail_goes_through_a_server_of_the_user(desk: Desk) -> None:
    with MailServer() as server:
        form = {
            "to": "ada@example.com",
            "server": "127.0.0.1",
            "port": str(server.port),
            "security": "none",
            "sender": "lab@example.com",
        }
        desk.channels.add(ADA, ChannelKind.EMAIL, "mail", form, language="ko", now=desk.now)
        desk.emit("one", AlertKind.HALT, name="삼성전자", symbol="005930", flag="halted", session="2026-11-27")
        assert desk.deliver() == 1
        (mail,) = server.mails
        assert ("<lab@example.com>" in mail.sender, [one.upper() for one in mail.to]) == (
            True,
            ["RCPT TO:<ADA@EXAMPLE.COM>"],
        )
        assert f"X-StockLab-Delivery: {desk.deliveries()[0].delivery_id}" in mail.data
        server.refuse = "550 nobody here"
        desk.emit("two")
        assert desk.deliver() == 0
    assert desk.deliveries()[1].state == "failed"
    assert desk.deliveries()[1].last_error


def test_a_webhook_is_signed_with_a_secret_that_is_shown_once(desk: Desk) -> None:
    channel, secret = desk.channels.add(ADA, ChannelKind.WEBHOOK, "n8n", {"url": "https://n8n.example/hook"})
    assert secret.startswith("whsec_")
    (kept,) = desk.channels.list(ADA)
    assert (kept.id, kept.masked) == (channel, "n8n.example/…")
    assert secret not in repr(kept)


def test_owners_have_ten_channels_and_twenty_tests_an_hour(desk: Desk) -> None:
    ids = [desk.webhook("http://127.0.0.1:9/", name=f"c{number}") for number in range(10)]
    with pytest.raises(InputError, match="10 channels"):
        desk.webhook("http://127.0.0.1:9/")
    for _ in range(20):
        desk.channels.ask_for_test(ADA, ids[0], now=desk.now)
    with pytest.raises(LimitReached):
        desk.channels.ask_for_test(ADA, ids[0], now=desk.now)
    for act in (desk.channels.ask_for_test, desk.channels.remove):
        with pytest.raises(InputError, match="no such channel"):
            act(BEN, ids[0])
    desk.channels.remove(ADA, ids[0])
    assert desk.deliveries() == []


def test_a_home_of_files_has_no_secret_in_the_clear(desk: Desk, tmp_path: Path) -> None:
    desk.channels.add(ADA, ChannelKind.TELEGRAM, "bot", FORMS[ChannelKind.TELEGRAM])
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"MARK" not in path.read_bytes()
