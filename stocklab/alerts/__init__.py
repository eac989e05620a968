"""Alerts: what an owner is told, in the feed and through channels; rules, the outbox, daily notes."""

from stocklab.alerts.channel_forms import CHANNEL_FIELDS, ChannelFault, ChannelField, ChannelKind
from stocklab.alerts.channels import Channel, Channels, Trial
from stocklab.alerts.emitting import Alerts
from stocklab.alerts.kinds import SEVERITIES, AlertKind, Severity
from stocklab.alerts.outbox import Due, Outbox
from stocklab.alerts.words import Language, Said, say

__all__ = [
    "CHANNEL_FIELDS",
    "SEVERITIES",
    "AlertKind",
    "Alerts",
    "Channel",
    "ChannelFault",
    "ChannelField",
    "ChannelKind",
    "Channels",
    "Due",
    "Language",
    "Outbox",
    "Said",
    "Severity",
    "Trial",
    "say",
]
