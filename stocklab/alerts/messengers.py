"""Telegram, e-mail, Discord and Slack, by Apprise: from the fields of a form to a message on its way."""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from apprise import AppriseAsset, NotifyFormat
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.email import NotifyEmail
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram

from stocklab.alerts.addresses import check_host
from stocklab.alerts.channel_forms import ChannelKind
from stocklab.alerts.kinds import Severity
from stocklab.alerts.outcome import Outcome, scrub
from stocklab.alerts.words import Said
from stocklab.errors import InputError
from stocklab.settings import Settings

__all__ = ["parts_of", "send_message"]

_TYPES: Final = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}
_CODE: Final = re.compile(r"error=(\d{3})")
_NOT_THIS_MESSAGE: Final = frozenset({400, 413, 422})
_apprise_log: Final = logging.getLogger("apprise")


class _Reasons(logging.Handler):
    """What Apprise says of a failure, by the thread in which it says it; nothing of it reaches our logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line for whoever listens in this thread."""
        lines = getattr(self._said, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())

    @contextmanager
    def heard(self) -> Iterator[list[str]]:
        """The lines of this thread within the block."""
        self._said.lines = []
        try:
            yield self._said.lines
        finally:
            self._said.lines = None


_SERVICES: Final[Mapping[ChannelKind, Callable[..., Any]]] = {  # by name: looking them up would load all its services
    ChannelKind.TELEGRAM: NotifyTelegram,
    ChannelKind.EMAIL: NotifyEmail,
    ChannelKind.DISCORD: NotifyDiscord,
    ChannelKind.SLACK: NotifySlack,
}
_reasons: Final = _Reasons()
_apprise_log.addHandler(_reasons)
_apprise_log.setLevel(logging.WARNING)  # below it writes addresses with their tokens
_apprise_log.propagate = False
logging.getLogger("urllib3").setLevel(logging.WARNING)  # the same


def parts_of(kind: ChannelKind, values: Mapping[str, str]) -> dict[str, Any]:
    """The parts of an Apprise address, by the names of its services. They are never joined to a text, so that nothing
    a user enters can change what they mean.
    """
    common = {"redirect": "no", "format": NotifyFormat.TEXT.value}
    if kind is ChannelKind.TELEGRAM:
        chat = values["chat_id"]
        return {**common, "bot_token": values["bot_token"], "targets": [chat], "detect_owner": False}
    if kind is ChannelKind.DISCORD:
        number, token = values["webhook_url"].rstrip("/").split("/")[-2:]
        return {**common, "webhook_id": number, "webhook_token": token}
    if kind is ChannelKind.SLACK:
        team, bot, token = values["webhook_url"].rstrip("/").split("/")[-3:]
        return {**common, "token_a": team, "token_b": bot, "token_c": token, "include_image": False}
    secure = values["security"] != "none"
    return {
        **common,
        "secure": secure,
        "secure_mode": {"starttls": "starttls", "tls": "ssl", "none": "insecure"}[values["security"]],
        "host": values["server"],
        "smtp_host": values["server"],
        "port": int(values["port"]),
        "user": values["user"] or None,
        "password": values["password"] or None,
        "from_addr": values["sender"],
        "targets": [values["to"]],
    }


def send_message(
    kind: ChannelKind,
    values: Mapping[str, str],
    said: Said,
    *,
    severity: Severity,
    delivery_id: str,
    settings: Settings,
) -> Outcome:
    """Send one message, once. What went wrong is said without the secrets of the channel."""
    hidden = tuple(values[name] for name in ("bot_token", "webhook_url", "password") if values.get(name))
    if kind is ChannelKind.EMAIL:
        try:
            address = check_host(values["server"], int(values["port"]), allow_private=settings.alerts_to_private_hosts)
            if values["security"] == "none" and ipaddress.ip_address(address).is_global:
                return Outcome(error="Mail to a server of the internet is sent encrypted only.")
        except InputError as error:
            return Outcome(error=str(error))
        except OSError:
            return Outcome(error="The name of the mail server is not known.")
    with _reasons.heard() as lines:
        service = _service(kind, values, delivery_id, settings)
        if service is None:
            return Outcome(error=scrub(lines[-1] if lines else "The fields of the channel do not fit.", hidden))
        taken = service.notify(body=said.text or said.title, title=said.title, notify_type=_TYPES[severity])
    if taken:
        return Outcome()
    reason = scrub(lines[-1] if lines else "It was not taken.", hidden)
    code = _CODE.search(reason)
    return Outcome(error=reason, for_good=code is not None and int(code[1]) in _NOT_THIS_MESSAGE)


def _service(kind: ChannelKind, values: Mapping[str, str], delivery_id: str, settings: Settings) -> Any | None:
    """The service of Apprise, pointed at the hosts of the settings."""
    asset = AppriseAsset(app_id="StockLab", app_desc="Stock Lab", app_url="", async_mode=False, plugin_paths=[])
    parts = parts_of(kind, values)
    if kind is ChannelKind.EMAIL:
        parts["headers"] = {"X-StockLab-Delivery": delivery_id}
    try:
        service = _SERVICES[kind](asset=asset, **parts)
    except AppriseImproperlyConfigured:
        return None
    if kind is ChannelKind.TELEGRAM:
        service.notify_url = f"{settings.telegram_url.rstrip('/')}/bot"
    elif kind is ChannelKind.DISCORD:
        service.notify_url = f"{settings.discord_url.rstrip('/')}/api/webhooks"
    elif kind is ChannelKind.SLACK:
        service.webhook_url = f"{settings.slack_url.rstrip('/')}/services"
    return service
