"""The app database: typed tables, sessions and migrations, on SQLite or PostgreSQL."""

from stocklab.db.database import Database, DatabaseUnreachable, open_database
from stocklab.db.migrate import head_revision, revision, upgrade
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

__all__ = [
    "LOCAL_OWNER_ID",
    "Base",
    "Database",
    "DatabaseUnreachable",
    "IdeaVariantRow",
    "JobRow",
    "JobState",
    "OwnerRow",
    "RunRow",
    "StrategyRow",
    "StrategyVersionRow",
    "UniverseRow",
    "head_revision",
    "open_database",
    "revision",
    "upgrade",
]
