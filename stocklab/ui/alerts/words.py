"""Words of the page of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.alerts import AlertKind, ChannelFault, ChannelKind, Rule, Sense, Severity
from stocklab.data.sources.dart_disclosures import DisclosureKind
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.company.news import KINDS as FILING_KINDS
from stocklab.ui.text import N_, _, language

__all__ = [
    "CHANNELS",
    "COLOURS",
    "FIELDS",
    "ICONS",
    "KINDS",
    "SENSES",
    "fault_words",
    "how_to",
    "rule_words",
    "symbol_words",
]

KINDS: Final[Mapping[AlertKind, str]] = {
    AlertKind.FILL: N_("Fills"),
    AlertKind.REJECTED: N_("Orders rejected by the broker"),
    AlertKind.REFUSED: N_("Orders held back by the risk gate"),
    AlertKind.IN_DOUBT: N_("Orders in doubt"),
    AlertKind.AMBIGUOUS: N_("Orders somebody must look at"),
    AlertKind.DIFFERENCE: N_("Differences from the broker"),
    AlertKind.KILL_SWITCH: N_("Emergency stops"),
    AlertKind.STOP_FIRED: N_("Stops"),
    AlertKind.TARGET_REACHED: N_("Targets"),
    AlertKind.PRICE: N_("Price"),
    AlertKind.INDICATOR: N_("Condition on a symbol"),
    AlertKind.DISCLOSURE: N_("Filings"),
    AlertKind.HALT: N_("Halts and warnings of the exchange"),
    AlertKind.DATA_STALE: N_("Late market data"),
    AlertKind.SCHEDULER_DOWN: N_("Scheduler down"),
    AlertKind.BROKER: N_("Broker connection"),
    AlertKind.DAILY_NOTE: N_("Daily notes"),
    AlertKind.TEST: N_("Tests"),
}
ICONS: Final[Mapping[Severity, str]] = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "error",
}
COLOURS: Final[Mapping[Severity, str]] = {Severity.INFO: "blue", Severity.WARNING: "orange", Severity.CRITICAL: "red"}
SENSES: Final[Mapping[Sense, str]] = {
    Sense.ABOVE: N_("At or above (target)"),
    Sense.BELOW: N_("At or below (stop)"),
    Sense.RISES: N_("Up on the day by"),
    Sense.FALLS: N_("Down on the day by"),
}
_LIMITS: Final[Mapping[Sense, str]] = {
    Sense.ABOVE: N_("{limit} or more (target)"),
    Sense.BELOW: N_("{limit} or less (stop)"),
    Sense.RISES: N_("up {limit} or more on the day"),
    Sense.FALLS: N_("down {limit} or more on the day"),
}
CHANNELS: Final[Mapping[ChannelKind, str]] = {
    ChannelKind.TELEGRAM: N_("Telegram"),
    ChannelKind.EMAIL: N_("E-mail"),
    ChannelKind.DISCORD: N_("Discord"),
    ChannelKind.SLACK: N_("Slack"),
    ChannelKind.WEBHOOK: N_("Webhook (n8n and others)"),
}
FIELDS: Final[Mapping[str, str]] = {
    "bot_token": N_("Token of the bot"),
    "chat_id": N_("Number of the chat"),
    "to": N_("Receiver"),
    "server": N_("Mail server"),
    "security": N_("Encryption"),
    "port": N_("Port (empty: the usual one)"),
    "user": N_("User of the mail server (empty: none)"),
    "password": N_("Password of the mail server"),
    "sender": N_("Sender (empty: the user, or the receiver)"),
    "webhook_url": N_("Address of the webhook"),
    "url": N_("Address (https://...)"),
    "signing_secret": N_("Secret to sign with (empty: made for you)"),
}
_HOW_TO: Final[Mapping[ChannelKind, str]] = {
    ChannelKind.TELEGRAM: N_(
        "Write to @BotFather in Telegram, make a bot with /newbot and copy its token. Write to your bot once; "
        "@userinfobot tells you the number of your chat."
    ),
    ChannelKind.EMAIL: N_(
        "Your mail provider names the server and the port. Many ask for a password of its own for programs."
    ),
    ChannelKind.DISCORD: N_("In the channel: Settings, Integrations, Webhooks, New webhook, Copy webhook URL."),
    ChannelKind.SLACK: N_(
        "In Slack: make an app, switch Incoming webhooks on, add one to a channel, copy its address."
    ),
    ChannelKind.WEBHOOK: N_(
        "We POST JSON and sign it. In n8n: a Webhook node with the method POST; copy its production URL."
    ),
}
_FAULTS: Final[Mapping[str, str]] = {
    "missing": N_("This field is missing."),
    "odd": N_("Enter one line without special characters."),
    "choice": N_("Choose one of the list."),
    "bot_token": N_("A token of a bot looks like 123456789:AbC... with 35 characters after the colon."),
    "chat_id": N_("Enter a number, or @ and the name of a channel."),
    "mail": N_("Enter one mail address."),
    "host": N_("Enter the name of a mail server, such as smtp.example.com."),
    "port": N_("Enter a number from 1 to 65535."),
    "both": N_("User and password go together."),
    "discord": N_("Copy the whole address from Discord; it begins with https://discord.com/api/webhooks/."),
    "slack": N_("Copy the whole address from Slack; it begins with https://hooks.slack.com/services/."),
    "url": N_("Enter an address such as https://n8n.example.com/webhook/abc, without a user name in it."),
    "short": N_("Use 16 or more characters."),
}


def how_to(kind: ChannelKind) -> str:
    """Where to get what the form asks for."""
    return _(_HOW_TO[kind])


def fault_words(fault: ChannelFault) -> str:
    """What is wrong with a field."""
    field = FIELDS.get(fault.fault.path)
    words = _(_FAULTS[fault.fault.code]) if fault.fault.code in _FAULTS else str(fault)
    return f"{_(field)}: {words}" if field else words


def symbol_words(symbol: str) -> str:
    """A name with its code."""
    name = cached.names().get(symbol)
    return f"{name} ({symbol})" if name else symbol


def rule_words(rule: Rule) -> str:
    """What a rule waits for, in one line."""
    condition = rule.condition
    if rule.kind is AlertKind.PRICE:
        sense = Sense(condition["sense"])
        limit = (
            fmt.decimal(condition["limit"]) + "%" if sense.is_move else fmt.krw_exact(condition["limit"], language())
        )
        return _(_LIMITS[sense]).format(limit=limit)
    if rule.kind is AlertKind.INDICATOR:
        return str(condition["formula"])
    if rule.kind is AlertKind.DISCLOSURE:
        words = ", ".join(condition["words"])
        kinds = ", ".join(_(FILING_KINDS[DisclosureKind(kind)]) for kind in condition["kinds"])
        return " · ".join(part for part in (words, kinds) if part) or _("Every filing")
    if rule.kind is AlertKind.DATA_STALE:
        return _("{count} sessions late or more").format(count=condition["sessions"])
    return _("Any flag of the exchange on it")
