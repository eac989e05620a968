"""The app database: typed tables, sessions and migrations, on SQLite or PostgreSQL."""

from stocklab.db.database import Database, DatabaseUnreachable, open_database
from stocklab.db.migrate import head_revision, knows_revision, revision, upgrade
from stocklab.db.models import (
    LOCAL_OWNER_ID,
    Base,
    IdeaVariantRow,
    JobRow,
    JobState,
    OwnerRow,
    RunRow,
    StrategyRow,
    StrategyVersionRow,
    UniverseRow,
)
from stocklab.db.news_models import DisclosureRow, NewsItemRow
from stocklab.db.opening import database_of, database_url
from stocklab.db.operation_models import (
    ComponentDayRow,
    IntentRow,
    IntentState,
    RunState,
    ScheduledRunRow,
    SourceDayRow,
    SourceKeyRow,
    SourceStateRow,
    WorkerRow,
)

__all__ = [
    "LOCAL_OWNER_ID",
    "Base",
    "ComponentDayRow",
    "Database",
    "DatabaseUnreachable",
    "DisclosureRow",
    "IdeaVariantRow",
    "IntentRow",
    "IntentState",
    "JobRow",
    "JobState",
    "NewsItemRow",
    "OwnerRow",
    "RunRow",
    "RunState",
    "ScheduledRunRow",
    "SourceDayRow",
    "SourceKeyRow",
    "SourceStateRow",
    "StrategyRow",
    "StrategyVersionRow",
    "UniverseRow",
    "WorkerRow",
    "database_of",
    "database_url",
    "head_revision",
    "knows_revision",
    "open_database",
    "revision",
    "upgrade",
]
