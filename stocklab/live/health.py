"""How an account is doing, kept for the pages: written by its thread, read by everybody who owns it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import update

from stocklab.brokers.protocol import StreamEvent, StreamKind
from stocklab.db import AccountHealthRow, BrokerAccountRow, Database, LastQuoteRow
from stocklab.db.columns import utc_now
from stocklab.operations.inserting import insert_if_absent

if TYPE_CHECKING:
    from stocklab.live.desk import Desk
    from stocklab.trading.executor import Turn

__all__ = ["Health"]

_EVERY: Final = timedelta(seconds=5)
_LONGEST: Final = 500


class Health:
    """Keeps the row of one account."""

    def __init__(self, database: Database, owner_id: str, account_id: str) -> None:
        self._database = database
        self._owner = owner_id
        self._account = account_id
        self._kept: tuple[str, bool] | None = None
        self._kept_at: datetime | None = None
        self.denied = False
        self.socket = ""

    def checked(self, shown: str) -> None:
        """The broker took the keys, and named the account."""
        self.denied = False
        with self._database.write() as session:
            named = update(BrokerAccountRow).where(BrokerAccountRow.id == self._account).values(masked=shown[:40])
            session.execute(named)

    def trouble(self, text: str, now: datetime, *, denied: bool = False) -> None:
        """Nothing could be done. ``denied``: a person must act."""
        self.denied = denied
        self._keep(now, text[:_LONGEST], well=False, document={"denied": denied})

    def stream(self, event: StreamEvent) -> None:
        """What the socket said of itself."""
        if event.kind in (StreamKind.UP, StreamKind.DOWN, StreamKind.EVICTED):
            self.socket = event.kind.value

    def turned(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """What a round saw."""
        text = "" if turn.looked and turn.of_now else "; ".join(one.text for one in turn.notices)[:_LONGEST]
        counts = desk.connection.counts
        live = [one for one in desk.executor.known.values() if not one.order.state.final]
        source = desk.quotes_from
        self._keep(
            now,
            text,
            well=turn.looked and turn.of_now,
            document={
                "denied": False,
                "stopped": desk.executor.stopped,
                "calls": counts.calls,
                "failed": counts.failed,
                "seconds": round(counts.seconds, 3),
                "open": sum(one.order.state.at_broker for one in live),
                "in_doubt": sum(one.order.state.in_doubt for one in live),
                "quotes": None if source is None else source.value,
                "socket": self.socket,
                "quote_trouble": desk.board.trouble[:_LONGEST],
                "equity_krw": str(desk.equity_krw()),
                "cash_krw": str(desk.book.cash_krw),
                "stage": desk.stage.value,
                "day": str(desk.losses.day_return),
                "week": str(desk.losses.week_return),
                "drawdown": str(desk.losses.drawdown),
            },
        )
        self._keep_quotes(desk, now)

    def _keep(self, now: datetime, trouble: str, *, well: bool, document: dict[str, Any]) -> None:
        state = (trouble, well)
        if state == self._kept and self._kept_at is not None and now - self._kept_at < _EVERY:
            return
        self._kept, self._kept_at = state, now
        with self._database.write() as session:
            insert_if_absent(
                session,
                AccountHealthRow,
                account_id=self._account,
                owner_id=self._owner,
                trouble="",
                document={},
                updated_at=now,
            )
            values: dict[str, Any] = {
                "trouble": trouble,
                "document": document,
                "looked_at": now,
                "updated_at": utc_now(),
            }
            if well:
                values["well_at"] = now
            session.execute(
                update(AccountHealthRow).where(AccountHealthRow.account_id == self._account).values(**values)
            )

    def _keep_quotes(self, desk: Desk, now: datetime) -> None:
        if self._kept_at != now:
            return
        with self._database.write() as session:
            for symbol, quote in desk.board.all().items():
                values = {
                    "price_krw": quote.price_krw,
                    "source": quote.source.value,
                    "halted": quote.halted,
                    "at": quote.at,
                }
                insert_if_absent(session, LastQuoteRow, symbol=symbol, **values)
                session.execute(update(LastQuoteRow).where(LastQuoteRow.symbol == symbol).values(**values))
