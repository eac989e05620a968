"""The fields of each kind of channel: what a user enters, how it is judged, and what of it may be shown again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stocklab.alerts.addresses import host_of
from stocklab.errors import FieldFault, InputError

__all__ = ["CHANNEL_FIELDS", "ChannelFault", "ChannelField", "ChannelKind", "filled", "masked"]

_LONGEST: Final = 1000
_MAIL: Final = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[?[0-9A-Fa-f:]+\]?")
_DISCORD: Final = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(\d{15,25})/([\w-]{20,120})/?")
_SLACK: Final = re.compile(
    r"https://hooks\.slack\.com/services/([A-Z0-9]{5,20})/([A-Z0-9]{5,20})/([A-Za-z0-9]{16,40})/?"
)


class ChannelKind(StrEnum):
    """Where alerts may go."""

    TELEGRAM = "telegram"
    EMAIL = "email"
    DISCORD = "discord"
    SLACK = "slack"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelField:
    """One field of a form. ``choices``: one of these; ``default``: what an empty one means."""

    name: str
    is_secret: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()
    default: str = ""


class ChannelFault(InputError):
    """A field of a channel's form cannot be used; ``fault.path`` is the field, ``fault.code`` a stable name."""

    def __init__(self, field: str, code: str, message: str) -> None:
        self.fault = FieldFault(path=field, code=code, message=message)
        super().__init__(message)


CHANNEL_FIELDS: Final[Mapping[ChannelKind, tuple[ChannelField, ...]]] = MappingProxyType(
    {
        ChannelKind.TELEGRAM: (ChannelField(name="bot_token", is_secret=True), ChannelField(name="chat_id")),
        ChannelKind.EMAIL: (
            ChannelField(name="to"),
            ChannelField(name="server"),
            ChannelField(name="security", choices=("starttls", "tls", "none"), default="starttls"),
            ChannelField(name="port", optional=True),
            ChannelField(name="user", optional=True),
            ChannelField(name="password", is_secret=True, optional=True),
            ChannelField(name="sender", optional=True),
        ),
        ChannelKind.DISCORD: (ChannelField(name="webhook_url", is_secret=True),),
        ChannelKind.SLACK: (ChannelField(name="webhook_url", is_secret=True),),
        ChannelKind.WEBHOOK: (
            ChannelField(name="url", is_secret=True),
            ChannelField(name="signing_secret", is_secret=True, optional=True),
        ),
    }
)
"""The form of each kind, in the order of its fields."""


def filled(kind: ChannelKind, values: Mapping[str, str]) -> dict[str, str]:
    """What is kept of a form.

    Raises
    ------
    ChannelFault
        A field is missing, unknown or cannot be right. The message does not repeat it.
    """
    fields = CHANNEL_FIELDS[kind]
    unknown = sorted(set(values) - {field.name for field in fields})
    if unknown:
        raise ChannelFault(unknown[0], "unknown", f"{kind.value} has no field {unknown[0]!r}.")
    found: dict[str, str] = {}
    for field in fields:
        text = values.get(field.name, "").strip() or field.default
        if not text and not field.optional:
            raise ChannelFault(field.name, "missing", f"{field.name} is missing.")
        if len(text) > _LONGEST or not text.isprintable():
            raise ChannelFault(
                field.name, "odd", f"{field.name}: expected one line of at most {_LONGEST:,} characters."
            )
        if field.choices and text not in field.choices:
            raise ChannelFault(field.name, "choice", f"{field.name}: expected one of {', '.join(field.choices)}.")
        found[field.name] = text
    _JUDGES[kind](found)
    return found


def masked(kind: ChannelKind, values: Mapping[str, str]) -> str:
    """What of a channel may be shown: enough to know it again, nothing to use it."""
    if kind is ChannelKind.TELEGRAM:
        return f"bot {values['bot_token'].partition(':')[0]} → {values['chat_id']}"
    if kind is ChannelKind.EMAIL:
        name, _at, host = values["to"].partition("@")
        return f"{name[:2]}…@{host} ({values['server']})"[:160]
    if kind is ChannelKind.WEBHOOK:
        return f"{host_of(values['url'])}/…"[:160]
    return f"…{values['webhook_url'].rstrip('/')[-4:]}"


def _telegram(found: dict[str, str]) -> None:
    if not re.fullmatch(r"\d{5,15}:[\w-]{30,50}", found["bot_token"]):
        raise ChannelFault("bot_token", "bot_token", "bot_token: expected digits, a colon and 35 characters.")
    if not re.fullmatch(r"-?\d{1,20}|@[A-Za-z]\w{3,40}", found["chat_id"]):
        raise ChannelFault("chat_id", "chat_id", "chat_id: expected a number, or @ and the name of a channel.")


def _email(found: dict[str, str]) -> None:
    for name in ("to", "sender"):
        if found[name] and not _MAIL.fullmatch(found[name]):
            raise ChannelFault(name, "mail", f"{name}: expected one mail address.")
    if not _HOST.fullmatch(found["server"]):
        raise ChannelFault("server", "host", "server: expected the name of a mail server.")
    port = found["port"] or {"starttls": "587", "tls": "465", "none": "25"}[found["security"]]
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ChannelFault("port", "port", "port: expected 1 to 65535.")
    found["port"] = port
    if bool(found["user"]) != bool(found["password"]):
        lacking = "password" if found["user"] else "user"
        raise ChannelFault(lacking, "both", "user and password: expected both or none.")
    found["sender"] = found["sender"] or (found["user"] if _MAIL.fullmatch(found["user"]) else found["to"])


def _discord(found: dict[str, str]) -> None:
    if not _DISCORD.fullmatch(found["webhook_url"]):
        raise ChannelFault("webhook_url", "discord", "Expected https://discord.com/api/webhooks/<number>/<token>.")


def _slack(found: dict[str, str]) -> None:
    if not _SLACK.fullmatch(found["webhook_url"]):
        raise ChannelFault("webhook_url", "slack", "Expected https://hooks.slack.com/services/T.../B.../...")


def _webhook(found: dict[str, str]) -> None:
    try:
        host_of(found["url"])
    except InputError as error:
        raise ChannelFault("url", "url", str(error)) from error
    found["signing_secret"] = found["signing_secret"] or f"whsec_{secrets.token_urlsafe(32)}"
    if len(found["signing_secret"]) < 16:
        raise ChannelFault("signing_secret", "short", "signing_secret: expected 16 or more characters.")


_JUDGES: Final[Mapping[ChannelKind, Callable[[dict[str, str]], None]]] = MappingProxyType(
    {
        ChannelKind.TELEGRAM: _telegram,
        ChannelKind.EMAIL: _email,
        ChannelKind.DISCORD: _discord,
        ChannelKind.SLACK: _slack,
        ChannelKind.WEBHOOK: _webhook,
    }
)
