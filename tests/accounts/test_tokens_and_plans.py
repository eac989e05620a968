"""Tokens of programs and quotas of plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from people import PASSWORD
from sqlalchemy import select

from stocklab.accounts import Accounts, NewAccount, Scope
from stocklab.db import ApiTokenRow, Database
from stocklab.errors import AccountFault, LimitReached, SettingsError
from stocklab.operations import RateLimits
from stocklab.settings import Settings, load_settings

Join = Any  # of conftest.py


def test_a_token_stands_for_its_owner_within_its_scopes_until_it_ends(
    accounts: Accounts, join: Join, database: Database
) -> None:
    kim, eve = join("kim"), join("eve")
    line, token = accounts.tokens.create(kim.id, "  my  script ", [Scope.RUNS_READ], days=30)
    assert (line.name, line.scopes, token[:4], len(token)) == ("my script", (Scope.RUNS_READ,), "slk_", 47)
    with database.read() as session:
        assert token not in session.scalars(select(ApiTokenRow.token_hash)).all()
    holder = accounts.tokens.holder(token)
    assert holder is not None
    assert (holder.user.id, holder.scopes) == (kim.id, {Scope.RUNS_READ})
    assert accounts.tokens.list(kim.id)[0].last_used_at is not None
    assert accounts.tokens.holder(token, datetime.now(UTC) + timedelta(days=30)) is None
    assert accounts.tokens.list(eve.id) == ()
    with pytest.raises(AccountFault):
        accounts.tokens.revoke(eve.id, line.id)
    assert accounts.tokens.holder(token) is not None
    accounts.tokens.revoke(kim.id, line.id)
    assert (accounts.tokens.holder(token), accounts.tokens.list(kim.id)) == (None, ())
    for strange in ("", "slk_", token + "x", "\ud800"):
        assert accounts.tokens.holder(strange) is None


def test_a_token_of_somebody_who_is_not_let_in_opens_nothing(accounts: Accounts, join: Join) -> None:
    admin, kim = join("admin1"), join("kim")
    _line, token = accounts.tokens.create(kim.id, "x", [Scope.ACCOUNT_READ], days=1)
    accounts.administration.ban(admin.id, kim.id, until=datetime.now(UTC) + timedelta(days=1))
    assert accounts.tokens.holder(token) is None
    accounts.administration.ban(admin.id, kim.id, until=None)
    assert accounts.tokens.holder(token) is not None
    accounts.administration.set_active(admin.id, kim.id, active=False)
    assert accounts.tokens.holder(token) is None


def test_what_a_token_needs(accounts: Accounts, join: Join) -> None:
    kim = join("kim")
    for name, scopes, days, code in (
        ("", [Scope.RUNS_READ], 1, "token_name"),
        ("x" * 81, [Scope.RUNS_READ], 1, "token_name"),
        ("x", [], 1, "token_scope"),
        ("x", [Scope.RUNS_READ], 0, "token_days"),
        ("x", [Scope.RUNS_READ], 367, "token_days"),
    ):
        with pytest.raises(AccountFault) as caught:
            accounts.tokens.create(kim.id, name, scopes, days=days)
        assert caught.value.code == code
    for number in range(20):
        accounts.tokens.create(kim.id, str(number), [Scope.RUNS_READ], days=1)
    with pytest.raises(AccountFault):
        accounts.tokens.create(kim.id, "21", [Scope.RUNS_READ], days=1)


def test_plans_limit_backtests_by_minute_and_day(database: Database, tmp_path: Path) -> None:
    settings = load_settings(
        {
            "STOCKLAB_HOME": str(tmp_path),
            "STOCKLAB_PLANS": '{"small": {"backtests_a_day": 3, "live_slots": 0}, "large": {"backtests_a_day": 9, "live_slots": 2}}',
            "STOCKLAB_BACKTESTS_A_MINUTE": "2",
        }
    )
    accounts = Accounts(database, settings, RateLimits(database))
    kim, lee = (
        accounts.users.sign_up(NewAccount(email=f"{name}@example.com", nickname=name, password=PASSWORD))
        for name in ("kim", "lee")
    )
    accounts.plans.spend_backtest(kim.id)
    accounts.plans.spend_backtest(kim.id)
    with pytest.raises(LimitReached) as caught:
        accounts.plans.spend_backtest(kim.id)
    assert timedelta(0) < caught.value.wait <= timedelta(minutes=1)
    accounts.limits.forget(f"backtests:{kim.id}")
    accounts.plans.spend_backtest(kim.id)
    accounts.limits.forget(f"backtests:{kim.id}")
    with pytest.raises(LimitReached):
        accounts.plans.spend_backtest(kim.id)
    allowance = accounts.plans.allowance(kim.id)
    assert (allowance.plan.name, allowance.backtests_today, allowance.plan.backtests_a_day) == ("small", 3, 3)
    accounts.administration.set_plan(kim.id, kim.id, "large")
    accounts.plans.spend_backtest(kim.id)
    assert accounts.plans.allowance(lee.id).backtests_today == 0


@pytest.mark.parametrize("text", ["{}", "[]", '{"a": {}}', '{"a": {"backtests_a_day": -1, "live_slots": 1}}', "x"])
def test_plans_that_are_not_whole_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        load_settings({"STOCKLAB_PLANS": text})


def test_origins_are_whole() -> None:
    assert load_settings({"STOCKLAB_ALLOWED_ORIGINS": "https://Lab.example.org, http://nas:8501"}).allowed_origins == (
        "https://lab.example.org",
        "http://nas:8501",
    )
    for text in ("lab.example.org", "https://lab.example.org/", "ftp://x", "*"):
        with pytest.raises(SettingsError):
            load_settings({"STOCKLAB_ALLOWED_ORIGINS": text})
    assert isinstance(Settings().plans, dict)
