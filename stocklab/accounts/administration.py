"""What admins see and do: accounts by page, who is let in, roles, plans, and figures by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from stocklab.accounts.names import folded
from stocklab.accounts.plans import Plans
from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.resets import Resets
from stocklab.accounts.second_factor import SecondFactor
from stocklab.accounts.sessions import Sessions
from stocklab.accounts.user import Role, User, require_admin, user_of
from stocklab.data.sources.calls import KST
from stocklab.db import ActiveDayRow, Database, JobRow, UserRow, UserSessionRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import behind
from stocklab.errors import AccountFault

__all__ = ["Administration", "DayFigures", "UserPage"]

_PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPage:
    """Accounts, newest first, and the cursor of the next page (None on the last)."""

    users: tuple[User, ...]
    following: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """A day in Seoul: accounts opened, accounts used, backtests asked for."""

    day: date
    new_users: int
    active_users: int
    backtests: int


class Administration:
    """Every method takes the id of who acts first, and refuses who is no admin."""

    def __init__(
        self,
        database: Database,
        *,
        sessions: Sessions,
        resets: Resets,
        second_factor: SecondFactor,
        plans: Plans,
        record: Record = record_nothing,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._resets = resets
        self._second_factor = second_factor
        self._plans = plans
        self._record = record

    def page(self, admin_id: str, *, search: str = "", after: tuple[datetime, str] | None = None) -> UserPage:
        """Twenty accounts, newest first; ``search`` is the beginning of an e-mail or nickname."""
        statement = select(UserRow).order_by(UserRow.created_at.desc(), UserRow.id.desc()).limit(_PAGE + 1)
        key = folded(search)
        if key:
            statement = statement.where(
                or_(_begins(UserRow.email_key, key), _begins(UserRow.nickname_key, key), UserRow.id == key)
            )
        if after is not None:
            statement = statement.where(behind((UserRow.created_at, UserRow.id), after))
        with self._database.read() as session:
            require_admin(session, admin_id)
            rows = list(session.scalars(statement))
        users = tuple(user_of(row) for row in rows[:_PAGE])
        more = len(rows) > _PAGE
        return UserPage(users=users, following=(users[-1].created_at, users[-1].id) if more else None)

    def get(self, admin_id: str, user_id: str) -> User:
        """One account."""
        with self._database.read() as session:
            require_admin(session, admin_id)
            return user_of(_target(session, user_id))

    def activity(self, admin_id: str, *, days: int = 30, today: date | None = None) -> tuple[DayFigures, ...]:
        """The last days, the newest first: three statements, however many days."""
        last = utc_now().astimezone(KST).date() if today is None else today
        wanted = [last - timedelta(days=back) for back in range(days)]
        active = select(*(_count(ActiveDayRow.day == day) for day in wanted))
        with self._database.read() as session:
            require_admin(session, admin_id)
            new_users = session.execute(_by_day(UserRow.created_at, wanted)).one()
            backtests = session.execute(_by_day(JobRow.created_at, wanted, JobRow.kind == "backtest")).one()
            users = session.execute(active).one()
        return tuple(
            DayFigures(day=day, new_users=new, active_users=used, backtests=ran)
            for day, new, used, ran in zip(wanted, new_users, users, backtests, strict=True)
        )

    def set_active(self, admin_id: str, user_id: str, *, active: bool) -> None:
        """Switch an account off, which ends its sessions, or on again.

        Raises
        ------
        AccountFault
            It is one's own account, or there is none.
        """
        with self._database.write() as session:
            row = self._other(session, admin_id, user_id)
            row.is_active = active
            if not active:
                session.execute(delete(UserSessionRow).where(UserSessionRow.user_id == user_id))
            self._record(
                "admin.active", actor_id=admin_id, subject=user_id, details={"active": active}, session=session
            )
        self._sessions.forget()

    def ban(self, admin_id: str, user_id: str, *, until: datetime | None) -> None:
        """Close an account until a moment; None lets it in again."""
        with self._database.write() as session:
            self._other(session, admin_id, user_id).banned_until = until
            details: dict[str, Any] = {"until": None if until is None else until.isoformat()}
            self._record("admin.ban", actor_id=admin_id, subject=user_id, details=details, session=session)
        self._sessions.forget()

    def set_role(self, admin_id: str, user_id: str, role: Role) -> None:
        """Make a member an admin or the reverse; not oneself, so that one admin always stays."""
        with self._database.write() as session:
            self._other(session, admin_id, user_id).role = role.value
            self._record("admin.role", actor_id=admin_id, subject=user_id, details={"role": role}, session=session)
        self._sessions.forget()

    def set_plan(self, admin_id: str, user_id: str, plan: str) -> None:
        """Give an account another plan of the settings."""
        with self._database.write() as session:
            require_admin(session, admin_id)
            if plan not in self._plans.known:
                raise AccountFault("unknown_plan", f"There is no plan {plan!r}.")
            _target(session, user_id).plan = plan
            self._record("admin.plan", actor_id=admin_id, subject=user_id, details={"plan": plan}, session=session)

    def reset_token(self, admin_id: str, user_id: str) -> str:
        """A token for a one-time link to set a new password, good for a day; the admin hands it over."""
        with self._database.read() as session:
            require_admin(session, admin_id)
        return self._resets.begin(user_id, by=admin_id)

    def drop_second_factor(self, admin_id: str, user_id: str) -> None:
        """Turn off the second factor of a person who lost it; their sessions end."""
        with self._database.read() as session:
            require_admin(session, admin_id)
            _target(session, user_id)
        self._second_factor.drop(user_id, by=admin_id)
        self._sessions.end_all(user_id)

    def _other(self, session: Session, admin_id: str, user_id: str) -> UserRow:
        require_admin(session, admin_id)
        if admin_id == user_id:
            raise AccountFault("not_oneself", "This cannot be done to one's own account.")
        return _target(session, user_id)


def _target(session: Session, user_id: str) -> UserRow:
    row = session.get(UserRow, user_id)
    if row is None:
        raise AccountFault("unknown_account", "There is no such account.")
    return row


def _begins(column: Any, text: str) -> Any:
    """A text begins so, as a range that the index of the unique column answers."""
    return and_(column >= text, column < text + "\U0010ffff")


def _by_day(column: Any, days: list[date], *more: Any) -> Any:
    counts = []
    for day in days:
        begins = datetime.combine(day, time(), tzinfo=KST)
        counts.append(_count(column >= begins, column < begins + timedelta(days=1), *more))
    return select(*counts)


def _count(*conditions: Any) -> Any:
    """How many rows meet the conditions: a range of an index; one walk would weigh every row for each day."""
    return select(func.count()).where(*conditions).scalar_subquery()
