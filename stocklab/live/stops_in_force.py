"""What the frame of every page asks: whether an owner trades anywhere, and which stops are on. One statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, literal, or_, select

from stocklab.db import BrokerAccountRow, Database, KillSwitchRow, as_system
from stocklab.live.switches import Switch
from stocklab.trading.journal import EVERYTHING, account_scope

__all__ = ["StopsInForce", "StopsOf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopsOf:
    """Linked accounts of an owner, the stop over everybody if it is on, and the stops that are on, by account id."""

    accounts: int = 0
    everything: Switch | None = None
    stopped: tuple[tuple[str, Switch], ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @property
    def since(self) -> datetime | None:
        """Since when the first of the owner's own stops is on."""
        return min((one.changed_at for _account, one in self.stopped), default=None)

    @property
    def all_stopped(self) -> bool:
        """Whether each linked account is stopped."""
        return self.accounts > 0 and len(self.stopped) == self.accounts


class StopsInForce:
    """Answers for pages. Stops over one strategy are shown where strategies are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, owner_id: str) -> StopsOf:
        """The stops over an owner's linked accounts."""
        scope = literal(account_scope("")).concat(BrokerAccountRow.id)
        over = and_(KillSwitchRow.thrown, or_(KillSwitchRow.scope == EVERYTHING, KillSwitchRow.scope == scope))
        wanted = (
            select(BrokerAccountRow.id, BrokerAccountRow.name, KillSwitchRow)
            .outerjoin(KillSwitchRow, over)
            .where(BrokerAccountRow.owner_id == owner_id, BrokerAccountRow.sealed.is_not(None))
            .order_by(BrokerAccountRow.created_at, BrokerAccountRow.id)
        )
        with self._database.read(owner_id) as session, as_system(session):
            rows = session.execute(wanted).all()
        names = {row[0]: row[1] for row in rows}
        switches = [(row[0], _view(row[2])) for row in rows if row[2] is not None]
        return StopsOf(
            accounts=len(names),
            everything=next((one for _account, one in switches if one.scope == EVERYTHING), None),
            stopped=tuple((account, one) for account, one in switches if one.scope != EVERYTHING),
            names=tuple(names.items()),
        )

    def over_everybody(self) -> Switch | None:
        """The stop over all accounts of everybody, if it is on: for admins, whom the caller has asked for."""
        wanted = select(KillSwitchRow).where(KillSwitchRow.scope == EVERYTHING, KillSwitchRow.thrown)
        with self._database.read() as session:
            row = session.scalar(wanted)
            return None if row is None else _view(row)


def _view(row: KillSwitchRow) -> Switch:
    return Switch(scope=row.scope, thrown=row.thrown, reason=row.reason, changed_at=row.changed_at)
