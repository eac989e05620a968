"""A home where people log in, as tests of its pages use it."""

from __future__ import annotations

from collections.abc import Callable

from people import PASSWORD
from streamlit.testing.v1 import AppTest

from stocklab.accounts import NewAccount, User
from stocklab.portfolios import Lab


class House:
    """A home with accounts, seen through its pages (``pages(name, who=...)``) and through its services."""

    def __init__(self, pages: Callable[..., AppTest], lab: Lab) -> None:
        self.pages = pages
        self.lab = lab
        self.accounts = lab.accounts
        if self.accounts.users.is_empty():
            self.join("boss")

    def join(self, name: str) -> User:
        """A new account; the first of a home is its admin."""
        entered = NewAccount(email=f"{name}@example.com", nickname=name, password=PASSWORD)
        return self.accounts.users.sign_up(entered)

    def enter(self, user: User) -> dict[str, str]:
        """What the web server says about a browser in which the user has just logged in."""
        token = self.accounts.sessions.begin(user.id, address="198.51.100.1", agent="Firefox/140 Linux", confirmed=True)
        live = self.accounts.sessions.by_token(token)
        assert live is not None
        return {"uid": user.id, "sid": live.id}

    def boss(self) -> tuple[User, dict[str, str]]:
        """The admin, logged in."""
        admin = self.accounts.users.by_email("boss@example.com")
        assert admin is not None
        return admin, self.enter(admin)
