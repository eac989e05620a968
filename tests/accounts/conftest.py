"""The services of accounts over a database of each kind, and people who have accounts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import bcrypt
import pytest
from people import PASSWORD, limits_of

from stocklab.accounts import Accounts, NewAccount, User
from stocklab.db import Database
from stocklab.settings import Settings

Join = Callable[..., User]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", encryption_key="k" * 40)


@pytest.fixture
def accounts(database: Database, settings: Settings) -> Accounts:
    return Accounts(database, settings, limits_of(database))


@pytest.fixture(autouse=True)
def cheap_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """bcrypt at its least cost: 1 ms instead of 200. `dear_passwords` keeps the real cost."""
    if "dear_passwords" not in request.fixturenames:
        monkeypatch.setattr(bcrypt, "gensalt", partial(bcrypt.gensalt, rounds=4))


@pytest.fixture
def dear_passwords() -> None:
    """Passwords cost what they cost users."""


@pytest.fixture
def join(accounts: Accounts) -> Join:
    """``join("kim")`` opens the account kim@example.com with the password of these tests."""

    def open_account(name: str, **more: str) -> User:
        return accounts.users.sign_up(
            NewAccount(email=f"{name}@example.com", nickname=more.pop("nickname", name), password=PASSWORD, **more)
        )

    return open_account
