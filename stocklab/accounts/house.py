"""`Accounts`: the services of accounts of one home, put together."""

from __future__ import annotations

from functools import cached_property

from stocklab.accounts.administration import Administration
from stocklab.accounts.feedback import Feedback
from stocklab.accounts.leaving import Leaving
from stocklab.accounts.log_in import LogIn
from stocklab.accounts.mail import can_mail, send_mail
from stocklab.accounts.notices import Notices
from stocklab.accounts.plans import Plans
from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.resets import Resets
from stocklab.accounts.second_factor import SecondFactor
from stocklab.accounts.sessions import Sessions
from stocklab.accounts.tokens import Tokens
from stocklab.accounts.users import Users
from stocklab.db import Database
from stocklab.operations.rate_limits import RateLimits
from stocklab.operations.sealing import Sealer, open_sealer
from stocklab.settings import Settings

__all__ = ["Accounts"]


class Accounts:
    """Everything about accounts.

    Attributes
    ----------
    users, sessions, resets, tokens, plans, feedback, notices, leaving, limits
        The parts; all may be used from several threads. What needs the secret of the home (``second_factor``,
        ``log_in``, ``administration``) is made at its first use.
    """

    def __init__(
        self, database: Database, settings: Settings, limits: RateLimits, record: Record = record_nothing
    ) -> None:
        self._database = database
        self._settings = settings
        self._record = record
        self.limits = limits
        self.users = Users(database, record)
        self.sessions = Sessions(database, record)
        self.resets = Resets(database, record)
        self.tokens = Tokens(database, record)
        self.plans = Plans(database, limits, settings)
        self.feedback = Feedback(database)
        self.notices = Notices(database)
        self.leaving = Leaving(database, self.users, self.sessions, record)

    @cached_property
    def _sealer(self) -> Sealer:
        return open_sealer(self._settings)

    @cached_property
    def second_factor(self) -> SecondFactor:
        """Codes of authenticator apps."""
        return SecondFactor(self._database, self._sealer, self._record)

    @cached_property
    def log_in(self) -> LogIn:
        """Password and second step."""
        return LogIn(self._database, self.second_factor, self.limits, self._sealer, self._record)

    @cached_property
    def administration(self) -> Administration:
        """What admins see and do."""
        return Administration(
            self._database,
            sessions=self.sessions,
            resets=self.resets,
            second_factor=self.second_factor,
            plans=self.plans,
            record=self._record,
        )

    @property
    def can_mail(self) -> bool:
        """Whether people can be sent a link to set a new password."""
        return can_mail(self._settings)

    def mail(self, *, to: str, subject: str, text: str) -> None:
        """Send one mail; raises as `send_mail`."""
        send_mail(self._settings, to=to, subject=subject, text=text)

    def reset_link(self, token: str) -> str:
        """The address of a reset token; only the path where ``STOCKLAB_PUBLIC_URL`` is not set."""
        return f"{self._settings.public_url.rstrip('/')}/auth/reset?token={token}"

    def tidy(self) -> None:
        """Housekeeping: sessions that ran out."""
        self.sessions.tidy()
