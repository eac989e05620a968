"""A new user's answers, and how many people have run each preset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from stocklab.db import Database, IdeaVariantRow, QuestionnaireRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.strategy import PRESETS, fingerprint
from stocklab.strategy.matching import Answers, Match

__all__ = ["Onboarding"]


class Onboarding:
    """Keeps questionnaires and counts presets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, owner_id: str, answers: Answers, suggested: tuple[Match, ...]) -> None:
        """Keep the owner's answers with what was suggested, in place of earlier ones."""
        values: dict[str, Any] = {
            "answers": answers.to_dict(),
            "suggested": [match.preset_id for match in suggested],
            "answered_at": utc_now(),
        }
        insert: Any = postgresql.insert if self._database.backend == "postgresql" else sqlite.insert
        statement = insert(QuestionnaireRow).values(owner_id=owner_id, **values)
        with self._database.write(owner_id) as session:
            session.execute(statement.on_conflict_do_update(index_elements=["owner_id"], set_=values))

    def answers(self, owner_id: str) -> Answers | None:
        """The owner's answers; None while there are none that this version understands."""
        with self._database.read(owner_id) as session:
            found = session.scalar(select(QuestionnaireRow.answers).where(QuestionnaireRow.owner_id == owner_id))
        try:
            return None if found is None else Answers.from_dict(found)
        except InputError:  # of a version with other questions: ask again
            return None

    def popularity(self) -> Mapping[str, int]:
        """How many people have run each preset, as it is, by id; over all owners, so only numbers leave here."""
        by_print = _fingerprints()
        counted = (
            select(IdeaVariantRow.variant, func.count(func.distinct(IdeaVariantRow.owner_id)))
            .where(IdeaVariantRow.variant.in_(sorted(by_print)))
            .group_by(IdeaVariantRow.variant)
        )
        with self._database.read() as session:
            return {by_print[variant]: count for variant, count in session.execute(counted)}


@cache
def _fingerprints() -> Mapping[str, str]:
    return {fingerprint(preset.strategy): key for key, preset in PRESETS.items()}
