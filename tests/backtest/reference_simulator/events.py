"""Before the open: share changes, base prices moved without one, delistings."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reference_simulator.bars import Bars, Event
from reference_simulator.book import FOREVER, Book, Claim, Order, Position, Trade
from reference_simulator.market import down_to_tick, up_to_tick, withheld_rate
from reference_simulator.money import part_of

CLEAN_UP_SESSIONS = 10


def settle_claims(book: Book, bars: Bars, t: int) -> None:
    """Pay dividends that are due; bonus shares that list can be sold, those of a position on its way out at once."""
    due = [claim for claim in book.claims if claim.due <= t]
    book.claims = [claim for claim in book.claims if claim.due > t]
    for claim in due:
        if claim.kind == "dividend":
            gross = int(claim.shares * claim.krw)
            tax = part_of(gross, withheld_rate(bars.days[t]))
            book.receive(t, claim.symbol, "dividend", gross, tax)
            book.noted["event", "dividend paid"] += 1
        elif claim.position in book.positions:
            _list_bonus(book, claim, t)


def _list_bonus(book: Book, claim: Claim, t: int) -> None:
    position = claim.position
    assert position is not None
    position.unlisted -= min(claim.shares, position.unlisted)
    book.noted["event", "bonus shares listed"] += 1
    if position.leaving is None:
        return
    book.noted["event", "bonus shares of a sold position sold"] += 1
    if position.exit_order is not None:
        book.close_order(position.exit_order, "cancelled", "superseded")
    book.cancel_purchases(position.symbol)
    cause, rule = position.leaving
    order = book.add_order(
        session=t,
        symbol=position.symbol,
        side="sell",
        shares=position.sellable,
        mode="next_open",
        cause=cause,
        rule=rule,
        expires=FOREVER,
    )
    order.full_exit = True
    position.exit_order = order
    book.sent_in_session.add(order.number)


def entitle(book: Book, bars: Bars, t: int) -> None:
    """Who held at the close before an ex-date is paid later, whatever happens to the shares."""
    for dividend in bars.dividends(t):
        position = book.position(dividend.symbol)
        if position is not None:
            due = max(dividend.due, t + 1)
            claim = Claim(
                kind="dividend", symbol=dividend.symbol, shares=position.shares, krw=dividend.krw, due=due
            )  # fmt: skip
            book.claims.append(claim)


def apply_events(book: Book, bars: Bars, waiting: list[Any], t: int) -> None:
    """Raw prices only: adjusted bars carry their events already."""
    if not bars.raw:
        return
    events = bars.events(t)
    changed = {event.symbol for event in events}
    for position in book.positions:
        if position.symbol not in changed:
            _follow_base(book, position, bars, t)
    for event in events:
        for order in book.live():
            if order.symbol == event.symbol:
                _scale_order(book, bars, order, event, t)
        position = book.position(event.symbol)
        if position is not None:
            _scale_position(book, bars, position, event, t)
        for lot in waiting:
            if lot.symbol == event.symbol:
                lot.shares = lot.shares * event.new // event.old


def _follow_base(book: Book, position: Position, bars: Bars, t: int) -> None:
    """Rights issues and the like: triggers follow the base price, shares stay."""
    base = bars.bar(t, position.symbol).published_base
    if base > 0 and bars.listed(t, position.symbol) and position.last_close > 0 and base != position.last_close:
        if bars.with_rights(t, position.symbol):
            if position.last_close > base:
                value = position.shares * (position.last_close - base)
                book.receive(t, position.symbol, "rights", value)
                book.noted["event", "rights credited"] += 1
        else:
            book.noted["event", "base price moved without a share change"] += 1
        factor = Fraction(base, position.last_close)
        position.average *= factor
        position.high *= factor


def _scale_position(book: Book, bars: Bars, position: Position, event: Event, t: int) -> None:
    published = bars.bar(t, event.symbol).published_base
    base = published or position.last_close * event.old // event.new
    kind = "split" if event.new > event.old else "consolidation"
    book.noted["event", f"{kind} of a holding" + ("" if published else ", base unknown")] += 1
    shares, rest = divmod(position.shares * event.new, event.old)
    gained, position.shares = shares - position.shares, shares
    if event.until is None:
        for claim in book.claims:
            if claim.position is position:
                claim.shares = claim.shares * event.new // event.old
        position.unlisted = sum(claim.shares for claim in book.claims if claim.position is position)
    elif event.until > t and gained > 0:
        book.claims.append(Claim(kind="bonus", symbol=event.symbol, shares=gained, due=event.until, position=position))
        position.unlisted += gained
        book.noted["event", "bonus shares not listed yet"] += 1
    position.average = position.average * event.old / event.new
    position.high = position.high * event.old / event.new
    position.last_close = base
    book.receive(t, event.symbol, "fraction", rest * base // event.old)
    if shares == 0:
        book.drop(position, t)


def _scale_order(book: Book, bars: Bars, order: Order, event: Event, t: int) -> None:
    left = order.left * event.new // event.old
    if event.until is not None and order.side == "sell":
        left = order.left  # the new shares are not listed yet
        position = book.position(order.symbol)
        if order.full_exit and position is not None:
            position.leaving = (order.cause, order.rule)
    if left == 0:
        book.close_order(order, "cancelled", "consolidated")
        return
    order.ordered = order.filled + left
    book.noted["event", "live order scaled"] += 1
    if order.limit is not None:
        limit = max(order.limit * event.old // event.new, 1)
        bands = bars.bar(t, order.symbol).bands
        order.limit = up_to_tick(limit, bands) if order.side == "buy" else down_to_tick(limit, bands)


def settle_delistings(book: Book, bars: Bars, t: int) -> None:
    """Pay out what is gone: the last close, if it was clean-up trading or the reason pays it; else nothing."""
    for position in reversed(list(book.positions)):
        day = bars.delisted[position.symbol]
        if day is None or bars.days[t] < day or bars.listed(t, position.symbol):
            continue
        gone = next(place for place, session in enumerate(bars.days) if session >= day)
        if position.entered >= gone:
            continue
        for order in book.live():
            if order.symbol == position.symbol:
                book.close_order(order, "cancelled", "delisted")
        last_days = range(max(gone - CLEAN_UP_SESSIONS, 0), gone)
        cleaned_up = any(bars.traded(day, position.symbol) and bars.listed(day, position.symbol) for day in last_days)
        pays = bars.pays_last_close[position.symbol] or cleaned_up
        reason = "by its reason" if bars.pays_last_close[position.symbol] else "after trading to the end"
        book.noted["event", f"delisting paid {reason}" if pays else "delisting paid nothing"] += 1
        _pay_out(book, position, position.last_close if pays else 0, t)


def _pay_out(book: Book, position: Position, price: int, t: int) -> None:
    order = book.add_order(
        session=t,
        symbol=position.symbol,
        side="sell",
        shares=position.shares,
        mode="next_open",
        cause="delisting",
        expires=t,
    )
    order.filled = position.shares
    book.records.append(
        Trade(
            session=t,
            symbol=position.symbol,
            market=position.market,
            side="sell",
            shares=position.shares,
            price=price,
            amount=position.shares * price,
            commission=0,
            tax=0,
            slippage=0,
            cause="delisting",
            rule=None,
            order=order.number,
        )
    )
    book.cash += position.shares * price
    book.drop(position, t)
