"""Publications to rank, as rows: what they were made of does not matter here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from stocklab.db import Database, OwnerRow, PublicationRow


def publication(identity: str, owner: str = "ada", **values: object) -> PublicationRow:
    """A public publication with good figures over two years."""
    figures = {
        "total_return": 0.5,
        "cagr": 0.2,
        "sharpe": 1.2,
        "sessions_per_year": 246.0,
        "sessions": 500.0,
        "skewness": 0.0,
        "kurtosis": 3.0,
        "after_costs": 1.0,
        "max_drawdown": -0.2,
        "cost_per_year": 0.01,
        "capacity_krw": 1e9,
    }
    metrics = figures | dict(values.pop("metrics", {}))  # type: ignore[call-overload]
    base: dict[str, object] = {
        "id": identity,
        "owner_id": owner,
        "version": 1,
        "name": identity.upper(),
        "visibility": "public",
        "is_anonymous": False,
        "hides_rules": False,
        "synthetic": False,
        "trials": 1,
        "curve": {},
        "published_at": datetime(2026, 11, 2, tzinfo=UTC),
    }
    return PublicationRow(**{**base, **values, "metrics": metrics})


def add(database: Database, rows: Sequence[PublicationRow]) -> None:
    """Store publications without telling the boards."""
    with database.write() as session:
        session.add_all(rows)


@pytest.fixture
def people(database: Database) -> Database:
    """A database with Ada and Ben."""
    with database.write() as session:
        session.add_all([OwnerRow(id="ada", name="Ada Lovelace"), OwnerRow(id="ben", name="Ben Nevis")])
    return database
