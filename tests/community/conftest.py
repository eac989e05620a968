"""A home with people, on each kind of database."""

from __future__ import annotations

import pytest
from community_home import settle

from stocklab.db import Database


@pytest.fixture
def people(database: Database) -> Database:
    """Ada, Ben and Eve have accounts; Root is an admin."""
    settle(database)
    return database
