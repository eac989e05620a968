"""What keeps the program running: scheduled runs, intents, limits, sources and their keys, uptime, backups, news."""

from stocklab.operations.audit import AuditLog
from stocklab.operations.audit_chain import AuditEntry, ChainBreak, ChainReport
from stocklab.operations.components import (
    Component,
    ComponentKind,
    ComponentState,
    components,
    run_counts,
    uptime_days,
    uptime_share,
)
from stocklab.operations.home_use import HomeUse, home_use
from stocklab.operations.intents import INTENT_KINDS, Intent, IntentKind, Intents
from stocklab.operations.rate_limits import RateLimits, Spent
from stocklab.operations.run_ledger import LedgerRun, RunLedger
from stocklab.operations.schedule import SCHEDULES, CatchUp, Every, Schedule
from stocklab.operations.sealing import Sealer, open_sealer
from stocklab.operations.source_board import KeyState, SourceLine, source_board
from stocklab.operations.source_calls import DatabaseCalls, SourceHealth, source_health
from stocklab.operations.source_keys import SOURCE_KEYS, SourceKeys, with_source_keys
from stocklab.operations.status import SchedulerStatus, scheduler_status
from stocklab.operations.sync_state import DataWord, LastAnswer, SyncEvent, data_word, last_answer, sync_events
from stocklab.operations.uptime import ComponentDay, Uptime, Worker

__all__ = [
    "INTENT_KINDS",
    "SCHEDULES",
    "SOURCE_KEYS",
    "AuditEntry",
    "AuditLog",
    "CatchUp",
    "ChainBreak",
    "ChainReport",
    "Component",
    "ComponentDay",
    "ComponentKind",
    "ComponentState",
    "DataWord",
    "DatabaseCalls",
    "Every",
    "HomeUse",
    "Intent",
    "IntentKind",
    "Intents",
    "KeyState",
    "LastAnswer",
    "LedgerRun",
    "RateLimits",
    "RunLedger",
    "Schedule",
    "SchedulerStatus",
    "Sealer",
    "SourceHealth",
    "SourceKeys",
    "SourceLine",
    "Spent",
    "SyncEvent",
    "Uptime",
    "Worker",
    "components",
    "data_word",
    "home_use",
    "last_answer",
    "open_sealer",
    "run_counts",
    "scheduler_status",
    "source_board",
    "source_health",
    "sync_events",
    "uptime_days",
    "uptime_share",
    "with_source_keys",
]
