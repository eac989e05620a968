"""A paper account as a `Broker`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from stocklab.brokers.paper.acceptance import Means, bound_cash, bound_of, refuse, require_fit, require_means
from stocklab.brokers.paper.bars import close_session, open_session
from stocklab.brokers.paper.hours import Hours, close_of, day_of, hours_of_session, phase_at
from stocklab.brokers.paper.ledger import Ledger, end
from stocklab.brokers.paper.live import Look, fill_at
from stocklab.brokers.paper.models import CashCheck, Phase, paper_traits
from stocklab.brokers.paper.rows import broker_order, same_ticket, seoul_day
from stocklab.brokers.paper.tape import Facts, Seen, Tape, facts_of, opening_row, over_rows
from stocklab.brokers.values import (
    BrokerCash,
    BrokerHolding,
    BrokerName,
    BrokerOrder,
    BrokerTraits,
    OrderRef,
    OrderTicket,
    PlacedState,
    PriceKind,
    Quote,
    Receipt,
    Rejection,
    Side,
)
from stocklab.db import Database, DatabaseUnreachable, PaperHoldingRow, PaperOrderRow
from stocklab.errors import BrokerTemporary, OrderUnknown, OrderUnsent
from stocklab.market.panel import Panel

__all__ = ["PaperBroker"]

log = structlog.get_logger(__name__)
ZERO: Final = Decimal(0)
_STEP: Final = Decimal("0.00000001")
_DAY: Final = timedelta(days=1)
_NO_TIME: Final = timedelta(0)


class PaperBroker:
    """See `Broker`. Every question first moves the market on to now (`advance`).

    ``clock`` gives aware moments; ``coins`` says what the account trades.
    """

    traits: BrokerTraits

    def __init__(
        self,
        database: Database,
        owner_id: str,
        account_id: str,
        *,
        tape: Tape,
        clock: Callable[[], datetime],
        coins: bool = False,
    ) -> None:
        self.traits = paper_traits(live=tape.live, coins=coins)
        self._database = database
        self._owner = owner_id
        self._account_id = account_id
        self._tape = tape
        self._clock = clock
        self._coins = coins
        self._looked_at: datetime | None = None
        self._opened = self._settled = date.min

    # --- the market ------------------------------------------------------------------------------------------------

    def advance(self, now: datetime | None = None) -> int:
        """Move the market on to a moment: sessions that are over are settled, one in a transaction, then quotes are
        looked at. How many orders and sessions changed; asking twice changes nothing, and a kill between two
        transactions loses nothing.

        Raises
        ------
        BrokerTemporary, BrokerDenied
        """
        moment = self._clock() if now is None else now
        with _asking():
            changed = self._settle(moment)
            if self._tape.live and moment != self._looked_at:
                changed += self._meet_quotes(moment)
                self._looked_at = moment
        return changed

    def _settle(self, now: datetime) -> int:
        panel = self._tape.panel()
        if panel is None:
            return 0
        # What was booked once stays so: where nothing is due after it, the database need not be asked.
        over, today = self._due(panel, now)
        if not over and today is None:
            return 0
        with self._database.read() as session:
            account = Ledger(session, self._owner, self._account_id, lock=False).account
            self._opened, self._settled = account.opened_through, account.settled_through
        over, today = self._due(panel, now)
        for row in over:
            self._close_session(panel, row)
        if today is not None:
            with self._database.write() as session:
                self._open_session(Ledger(session, self._owner, self._account_id), panel, today)
            self._opened = panel.sessions[today].item()
        return len(over) + (today is not None)

    def _due(self, panel: Panel, now: datetime) -> tuple[range, int | None]:
        """Rows of the sessions to be settled, and of the one to be opened."""
        over = over_rows(panel, self._settled, now)
        return over, opening_row(panel, max(self._opened, self._settled), now)

    def _open_session(self, ledger: Ledger, panel: Panel, row: int) -> None:
        day: date = panel.sessions[row].item()
        if ledger.account.opened_through < day:
            at = hours_of_session(day, coins=self._coins).orders_from
            open_session(ledger, panel, row, at=at, live=self._tape.live)
            ledger.account.opened_through = day

    def _close_session(self, panel: Panel, row: int) -> None:
        day: date = panel.sessions[row].item()
        with self._database.write() as session:
            ledger = Ledger(session, self._owner, self._account_id)
            if ledger.account.settled_through >= day:
                return  # another process was faster
            self._open_session(ledger, panel, row)
            at = close_of(day, coins=self._coins)
            due = [] if self._tape.live else [order for order in ledger.open_orders() if order.day <= day]
            opens = hours_of_session(day, coins=self._coins).opens
            for order in due:
                if order.day < day and order.cancel_at is not None and order.cancel_at < opens:
                    end(order, order.cancel_at, "cancelled")
            due = [order for order in due if order.state == PlacedState.OPEN]
            close_session(ledger, panel, row, [one for one in due if one.day == day or self._coins], at=at)
            for order in due:
                self._end_of_session(order, day, at)
            ledger.account.settled_through = day
        self._settled = day
        log.info("paper_session_settled", session_day=day.isoformat(), orders=len(due))

    def _end_of_session(self, order: PaperOrderRow, day: date, at: datetime) -> None:
        """What is left of an order after the bar of its session: only a coin's limit order rests on."""
        if order.state != PlacedState.OPEN:
            return
        cancelled = order.cancel_at is not None and order.cancel_at < at
        if not self._coins or order.kind == PriceKind.MARKET or cancelled:
            end(order, at, order.reason if order.day == day or self._coins else "no bar of its session")

    def _meet_quotes(self, now: datetime) -> int:
        with self._database.read() as session:
            wanted = {
                order.symbol for order in Ledger(session, self._owner, self._account_id, lock=False).open_orders()
            }
        if not wanted:
            return 0
        seen = self._tape.look(wanted, now)
        panel, changed = self._tape.panel(), 0
        with self._database.write() as session:
            ledger = Ledger(session, self._owner, self._account_id)
            for order in ledger.open_orders():
                hours = hours_of_session(order.day, coins=self._coins)
                if order.symbol in seen:
                    facts = None if panel is None else facts_of(panel, order.symbol, now)
                    look = Look(seen=seen[order.symbol], facts=facts, hours=hours, coins=self._coins, at=now)
                    changed += fill_at(ledger, order, look)
                if order.state == PlacedState.OPEN and not self._coins and self._day_is_over(order, hours, now):
                    end(order, now, order.reason or "day over")
                    changed += 1
        return changed

    @staticmethod
    def _day_is_over(order: PaperOrderRow, hours: Hours, now: datetime) -> bool:
        """The closing price may come late; after ten minutes it does not come any more."""
        patience = (hours.closes - hours.auction_from) if order.phase == Phase.CLOSE else _NO_TIME
        return now >= hours.closes + patience

    # --- Broker ----------------------------------------------------------------------------------------------------

    def check(self) -> str:
        """See `Broker.check`: the end of the account's id stands for its number."""
        with _asking(), self._database.read() as session:
            account = Ledger(session, self._owner, self._account_id, lock=False).account
            return f"paper-****{account.account_id[-4:]}"

    def send(self, ticket: OrderTicket) -> Receipt:
        """See `Broker.send`. The same ticket once more, with its id, gets the receipt of the first."""
        now = self._clock()
        phase = phase_at(now, coins=self._coins)
        try:
            with self._database.read() as session:
                known = self._known(session, ticket)
            if known is not None:
                return known
            if phase is None:
                refuse(Rejection.CLOSED, "no session takes orders now")
            self.advance(now)
            seen, facts = self._look(ticket.symbol, now)
        except (DatabaseUnreachable, BrokerTemporary) as error:
            raise OrderUnsent(BrokerName.PAPER, str(error)) from error
        require_fit(ticket, seen.quote, facts, day_of(now, coins=self._coins), coins=self._coins)
        try:
            with self._database.write() as session:
                ledger = Ledger(session, self._owner, self._account_id)
                known = self._known(session, ticket)
                if known is not None:
                    return known
                row = self._accept(ledger, ticket, seen.quote, phase, now)
                session.flush()
                if self._tape.live:
                    hours = hours_of_session(row.day, coins=self._coins)
                    fill_at(ledger, row, Look(seen=seen, facts=facts, hours=hours, coins=self._coins, at=now))
                return _receipt_of(row)
        except DatabaseUnreachable as error:  # perhaps it failed after the commit
            raise OrderUnknown(BrokerName.PAPER, str(error)) from error

    def cancel(self, ref: OrderRef, *, symbol: str, side: Side) -> None:
        """See `Broker.cancel`. In bar mode what the session may have filled before the cancel is known with its bar:
        such an order stays open until then."""
        del symbol, side
        now = self._clock()
        try:
            self.advance(now)
            with self._database.write() as session:
                order = Ledger(session, self._owner, self._account_id).order(int(ref.number))
                if order is None or seoul_day(order) != ref.day:
                    refuse(Rejection.OTHER, "no such order")
                if order.state != PlacedState.OPEN:
                    refuse(Rejection.FINISHED, "the order has ended")
                if self._untouched(order, now):
                    end(order, now, "cancelled")
                elif order.cancel_at is None:
                    order.cancel_at = now
        except (DatabaseUnreachable, BrokerTemporary) as error:
            raise OrderUnknown(BrokerName.PAPER, str(error)) from error

    def day_orders(self, day: date) -> Sequence[BrokerOrder]:
        """See `Broker.day_orders`."""
        self.advance()
        days = (day - _DAY, day) if self._coins else (day,)  # days in Seoul begin inside those of coins
        of_day = or_(PaperOrderRow.day.in_(days), PaperOrderRow.state == PlacedState.OPEN.value)
        wanted = select(PaperOrderRow).where(
            PaperOrderRow.account_id == self._account_id, PaperOrderRow.owner_id == self._owner, of_day
        )
        with _asking(), self._database.read() as session:
            rows = session.scalars(wanted.order_by(PaperOrderRow.number)).all()
            return [broker_order(row) for row in rows if row.state == PlacedState.OPEN or seoul_day(row) == day]

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """See `Broker.find`."""
        self.advance()
        with _asking(), self._database.read() as session:
            row = self._by_client_id(session, client_order_id)
            return None if row is None else broker_order(row)

    def holdings(self) -> Sequence[BrokerHolding]:
        """See `Broker.holdings`. The average cost is without costs of trading."""
        self.advance()
        with _asking(), self._database.read() as session:
            ledger = Ledger(session, self._owner, self._account_id, lock=False)
            orders = ledger.open_orders()
            return [
                BrokerHolding(
                    symbol=row.symbol,
                    quantity=row.quantity,
                    sellable=_sellable(row, orders),
                    average_cost_krw=(row.cost_krw / row.quantity).quantize(_STEP),
                )
                for row in ledger.holdings().values()
                if row.quantity
            ]

    def cash(self) -> BrokerCash:
        """See `Broker.cash`."""
        self.advance()
        with _asking(), self._database.read() as session:
            ledger = Ledger(session, self._owner, self._account_id, lock=False)
            total = ledger.account.cash_krw
            return BrokerCash(total_krw=total, orderable_krw=_orderable(total, ledger.open_orders()))

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """See `Broker.quotes`. Where no live quotes are linked these are the last closes, marked so."""
        seen = self._tape.look(symbols, self._clock())
        return {symbol: one.quote for symbol, one in sorted(seen.items())}

    def close(self) -> None:
        """See `Broker.close`: the database is its owner's."""

    # --- inside ----------------------------------------------------------------------------------------------------

    def _known(self, session: Session, ticket: OrderTicket) -> Receipt | None:
        """The receipt of an order that was taken before."""
        row = self._by_client_id(session, ticket.client_order_id)
        if row is not None and not same_ticket(row, ticket):
            refuse(Rejection.DUPLICATE, "the order id was used for another order")
        return None if row is None else _receipt_of(row)

    def _accept(self, ledger: Ledger, ticket: OrderTicket, quote: Quote, phase: Phase, now: datetime) -> PaperOrderRow:
        account, orders = ledger.account, ledger.open_orders()
        bound = bound_of(ticket, quote, CashCheck(account.cash_check), account.commission_ppb)
        holding = ledger.holdings().get(ticket.symbol)
        means = Means(
            orderable_krw=_orderable(account.cash_krw, orders),
            sellable=ZERO if holding is None else _sellable(holding, orders),
        )
        require_means(ticket, bound, means)
        return ledger.add_order(
            PaperOrderRow(
                client_order_id=ticket.client_order_id,
                symbol=ticket.symbol,
                side=ticket.side.value,
                kind=ticket.kind.value,
                quantity=ticket.quantity,
                limit_price_krw=ticket.limit_price_krw,
                money_krw=ticket.money_krw,
                bound_krw=bound,
                day=day_of(now, coins=self._coins),
                phase=phase.value,
                state=PlacedState.OPEN.value,
                placed_at=now,
            )
        )

    def _look(self, symbol: str, now: datetime) -> tuple[Seen, Facts | None]:
        seen = self._tape.look([symbol], now).get(symbol)
        if seen is None:
            refuse(Rejection.SYMBOL, f"{symbol} is not on the market")
        panel = self._tape.panel()
        return seen, None if panel is None else facts_of(panel, symbol, now)

    def _untouched(self, order: PaperOrderRow, now: datetime) -> bool:
        """Whether an order that is open now was certainly not filled since: what quotes fill is known at once; by bars
        it has not met the market yet, or would meet it at the close alone."""
        if self._tape.live:
            return True
        today = day_of(now, coins=self._coins)
        hours = hours_of_session(today, coins=self._coins)
        if order.day < today:  # a coin's order of before, whose days are known up to now
            return self._settled >= today - _DAY and now < hours.opens
        if now >= hours.closes:
            return False
        if order.phase == Phase.OPEN:
            return now < hours.opens and not self._coins
        return order.phase == Phase.CLOSE or order.kind == PriceKind.LIMIT

    def _by_client_id(self, session: Session, client_order_id: str) -> PaperOrderRow | None:
        wanted = select(PaperOrderRow).where(
            PaperOrderRow.account_id == self._account_id,
            PaperOrderRow.owner_id == self._owner,
            PaperOrderRow.client_order_id == client_order_id,
        )
        return session.scalar(wanted)


@contextmanager
def _asking() -> Iterator[None]:
    """A database that does not answer is a broker that does not."""
    try:
        yield
    except DatabaseUnreachable as error:
        raise BrokerTemporary(BrokerName.PAPER, str(error)) from error


def _receipt_of(row: PaperOrderRow) -> Receipt:
    return Receipt(ref=broker_order(row).ref, accepted_at=row.placed_at)


def _orderable(cash: Decimal, orders: Iterable[PaperOrderRow]) -> Decimal:
    bound = bound_cash((one.bound_krw, one.filled_krw + one.costs_krw) for one in orders if one.side == Side.BUY)
    return max(cash - bound, ZERO)


def _sellable(row: PaperHoldingRow, orders: Iterable[PaperOrderRow]) -> Decimal:
    open_sales = [one for one in orders if one.symbol == row.symbol and one.side == Side.SELL]
    left = sum((one.quantity - one.filled_quantity for one in open_sales if one.quantity is not None), ZERO)
    return max(row.quantity - row.unlisted - left, ZERO)
