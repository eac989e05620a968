"""How many variants of an idea an owner has tried: the more, the less the best of them proves."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from stocklab.db import Database, IdeaVariantRow
from stocklab.db.columns import utc_now
from stocklab.strategy import Strategy, fingerprint
from stocklab.strategy.sweep import idea_of

__all__ = ["Ideas"]


class Ideas:
    """Counts distinct variants. An idea is a strategy without its numbers, so it is the same however it was found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, owner_id: str, strategies: Collection[Strategy]) -> None:
        """Note that these strategies were tried; those noted before count once."""
        now = utc_now()
        rows = [
            {"owner_id": owner_id, "idea": idea_of(strategy), "variant": fingerprint(strategy), "tried_at": now}
            for strategy in strategies
        ]
        if not rows:
            return
        insert = postgresql.insert if self._database.backend == "postgresql" else sqlite.insert
        with self._database.write(owner_id) as session:
            session.execute(insert(IdeaVariantRow).on_conflict_do_nothing(), rows)

    def count(self, owner_id: str, strategy: Strategy) -> int:
        """Variants of the strategy's idea that were tried, by this owner."""
        counted = select(func.count()).where(
            IdeaVariantRow.owner_id == owner_id, IdeaVariantRow.idea == idea_of(strategy)
        )
        with self._database.read(owner_id) as session:
            return int(session.scalar(counted) or 0)
