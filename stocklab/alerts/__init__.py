"""Alerts: what an owner is told, in the feed and through channels; rules, daily notes, signs of life.

The outbox is `stocklab.alerts.outbox`: it loads what sends, which only the scheduler needs.
"""

from stocklab.alerts.channel_forms import CHANNEL_FIELDS, ChannelFault, ChannelField, ChannelKind
from stocklab.alerts.channels import Channel, Channels, Trial
from stocklab.alerts.checks import check_after_sync, check_filings, check_rules
from stocklab.alerts.conditions import RULE_KINDS, Sense
from stocklab.alerts.daily_notes import DailyNotes, StoredNote
from stocklab.alerts.day_facts import (
    BlockedBy,
    ConditionDay,
    DayFacts,
    GapDay,
    OrderLine,
    PositionLine,
    Step,
    TraderDay,
    TraderState,
)
from stocklab.alerts.emitting import Alerts
from stocklab.alerts.feed import MOST_COUNTED, Event, Feed
from stocklab.alerts.judging import Checked
from stocklab.alerts.kinds import SEVERITIES, AlertKind, Severity
from stocklab.alerts.note_document import NoteDocument, NoteLine, NoteSection, compose
from stocklab.alerts.note_words import NOTE_TITLES
from stocklab.alerts.rules import COOLDOWN, Rule, Rules
from stocklab.alerts.scheduler_watch import GONE_AFTER, gone_since, tell_if_gone
from stocklab.alerts.sentences import Said
from stocklab.alerts.signs_of_life import SignOfLife, SignsOfLife
from stocklab.alerts.tidying import forget_old_alerts
from stocklab.alerts.words import Language, say

__all__ = [
    "CHANNEL_FIELDS",
    "COOLDOWN",
    "GONE_AFTER",
    "MOST_COUNTED",
    "NOTE_TITLES",
    "RULE_KINDS",
    "SEVERITIES",
    "AlertKind",
    "Alerts",
    "BlockedBy",
    "Channel",
    "ChannelFault",
    "ChannelField",
    "ChannelKind",
    "Channels",
    "Checked",
    "ConditionDay",
    "DailyNotes",
    "DayFacts",
    "Event",
    "Feed",
    "GapDay",
    "Language",
    "NoteDocument",
    "NoteLine",
    "NoteSection",
    "OrderLine",
    "PositionLine",
    "Rule",
    "Rules",
    "Said",
    "Sense",
    "Severity",
    "SignOfLife",
    "SignsOfLife",
    "Step",
    "StoredNote",
    "TraderDay",
    "TraderState",
    "Trial",
    "check_after_sync",
    "check_filings",
    "check_rules",
    "compose",
    "forget_old_alerts",
    "gone_since",
    "say",
    "tell_if_gone",
]
