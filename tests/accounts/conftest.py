"""The services of accounts over a database of each kind, and people who have accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from people import PASSWORD

from stocklab.accounts import Accounts, NewAccount, User
from stocklab.db import Database
from stocklab.operations import RateLimits
from stocklab.settings import Settings

Join = Callable[..., User]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", encryption_key="k" * 40)


@pytest.fixture
def accounts(database: Database, settings: Settings) -> Accounts:
    return Accounts(database, settings, RateLimits(database))


@pytest.fixture
def join(accounts: Accounts) -> Join:
    """``join("kim")`` opens the account kim@example.com with the password of these tests."""

    def open_account(name: str, **more: str) -> User:
        return accounts.users.sign_up(
            NewAccount(email=f"{name}@example.com", nickname=more.pop("nickname", name), password=PASSWORD, **more)
        )

    return open_account
