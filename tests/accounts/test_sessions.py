"""Sessions end when they should, for everybody at once, and only their hashes are stored."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from stocklab.accounts import Accounts, Sessions, Standing
from stocklab.db import ActiveDayRow, Database, UserSessionRow
from stocklab.errors import AccountFault

Join = Any  # of conftest.py


def begin(accounts: Accounts, user_id: str, **more: Any) -> str:
    return accounts.sessions.begin(user_id, address="192.0.2.1", agent="Browser", confirmed=False, **more)


def test_only_the_hash_of_a_long_random_token_is_stored(accounts: Accounts, join: Join, database: Database) -> None:
    user = join("kim")
    tokens = {begin(accounts, user.id) for _ in range(3)}
    assert len(tokens) == 3
    assert min(map(len, tokens)) == 43  # 32 bytes
    with database.read() as session:
        stored = set(session.scalars(select(UserSessionRow.token_hash)))
    assert stored == {hashlib.sha256(token.encode()).hexdigest() for token in tokens}


def test_a_session_ends_after_seven_days(accounts: Accounts, join: Join) -> None:
    user = join("kim")
    now = datetime.now(UTC)
    young = begin(accounts, user.id, now=now - timedelta(days=7) + timedelta(minutes=1))
    old = begin(accounts, user.id, now=now - timedelta(days=7) - timedelta(seconds=1))
    assert accounts.sessions.by_token(young) is not None
    assert accounts.sessions.by_token(old) is None
    assert len(accounts.sessions.list(user.id)) == 1
    accounts.sessions.tidy()
    with pytest.raises(AccountFault):
        accounts.sessions.end(user.id, "old")


def test_log_out_holds_at_once_here_and_within_seconds_elsewhere(
    accounts: Accounts, join: Join, database: Database
) -> None:
    user = join("kim")
    token = begin(accounts, user.id)
    clock = [100.0]
    elsewhere = Sessions(database, clock=lambda: clock[0])
    live = accounts.sessions.by_token(token)
    assert live is not None
    assert elsewhere.by_token(token) == live
    assert accounts.sessions.by_id(live.id) == live
    accounts.sessions.end(user.id, live.id)
    assert accounts.sessions.by_token(token) is None
    assert accounts.sessions.by_id(live.id) is None
    clock[0] += 3.0
    assert elsewhere.by_token(token) is None


def test_somebody_elses_session_cannot_be_ended_or_confirmed(accounts: Accounts, join: Join) -> None:
    kim, eve = join("kim"), join("eve")
    live = accounts.sessions.by_token(begin(accounts, kim.id))
    assert live is not None
    with pytest.raises(AccountFault):
        accounts.sessions.end(eve.id, live.id)
    accounts.sessions.confirm(eve.id, live.id)
    assert not accounts.sessions.confirmed(live.id, within=timedelta(hours=1))
    accounts.sessions.end_all(eve.id)
    assert accounts.sessions.by_id(live.id) is not None
    accounts.sessions.confirm(kim.id, live.id, datetime.now(UTC) - timedelta(minutes=30))
    assert accounts.sessions.confirmed(live.id, within=timedelta(hours=1))
    assert not accounts.sessions.confirmed(live.id, within=timedelta(minutes=29))
    assert accounts.sessions.list(eve.id) == ()


def test_a_standing_that_changes_shows_in_a_session_that_goes_on(accounts: Accounts, join: Join) -> None:
    admin, kim = join("admin1"), join("kim")
    token = begin(accounts, kim.id)
    accounts.administration.ban(admin.id, kim.id, until=datetime.now(UTC) + timedelta(days=1))
    banned = accounts.sessions.by_token(token)
    assert banned is not None
    assert banned.standing is Standing.BANNED
    accounts.administration.set_active(admin.id, kim.id, active=False)
    assert accounts.sessions.by_token(token) is None


def test_the_days_on_which_somebody_was_here_are_noted_once(accounts: Accounts, join: Join, database: Database) -> None:
    user = join("kim")
    late = datetime(2026, 11, 20, 14, 59, tzinfo=UTC)  # 23:59 in Seoul
    begin(accounts, user.id, now=late)
    begin(accounts, user.id, now=late)
    begin(accounts, user.id, now=late + timedelta(minutes=1))
    with database.read() as session:
        assert sorted(day.isoformat() for day in session.scalars(select(ActiveDayRow.day))) == [
            "2026-11-20",
            "2026-11-21",
        ]


def test_of_very_many_sessions_the_oldest_end(accounts: Accounts, join: Join) -> None:
    user = join("kim")
    now = datetime.now(UTC)
    tokens = [begin(accounts, user.id, now=now - timedelta(minutes=60 - number)) for number in range(52)]
    assert [accounts.sessions.by_token(token) is not None for token in tokens] == [False] * 2 + [True] * 50
