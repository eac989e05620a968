"""Target mode replayed: what a rebalancing chose, sold, moved and bought, and what it still waits to buy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from stocklab.backtest import codes
from stocklab.market.costs import BILLION
from stocklab.research.explain.buying import sold_too_recently, too_little
from stocklab.research.explain.candidates import Candidates
from stocklab.research.explain.certain import certain
from stocklab.research.explain.money import Money
from stocklab.research.explain.order_book import Book, Live, Lot, Owned
from stocklab.research.explain.verdicts import Code, Fact, Verdict
from stocklab.strategy.document import FillMode

__all__ = ["Moved", "Waited", "buy_waiting", "rebalance"]

_MODES: Final = {
    FillMode.NEXT_OPEN: codes.MODE_OPEN,
    FillMode.NEXT_CLOSE: codes.MODE_CLOSE,
    FillMode.LIMIT: codes.MODE_LIMIT,
    FillMode.VWAP_PROXY: codes.MODE_VWAP,
}


@dataclass(slots=True, kw_only=True)
class Moved:
    """What a rebalancing decided, before it bought.

    Attributes
    ----------
    chosen : symbols that may be held after it, in order
    verdicts : symbol -> why a candidate was passed over, or what was done with what was held
    sales : (symbol, shares) ordered, in order
    lots : what is to be bought
    rest : the answer for candidates it did not come to; None: it came to all
    """

    chosen: list[int] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    sales: list[tuple[int, int]] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)
    rest: Verdict | None = None


@dataclass(slots=True, kw_only=True)
class Waited:
    """What was bought of the lots: (symbol, shares) in order, and the answer for each lot."""

    places: int
    countable: int
    orders: list[tuple[int, int]] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)


def rebalance(money: Money, found: Candidates, may_sell: dict[int, bool], listed: dict[int, bool]) -> Moved:
    """Choose, sell and note what to buy, as docs/simulator.md says under "Target mode, at a rebalancing".

    Sales are added to the book of ``money``.

    Parameters
    ----------
    may_sell : held symbol -> whether the minimum holding period is over in the next session
    listed : held symbol -> whether it is listed
    """
    done = Moved()
    _choose(money, found, done)
    scale = money.scale(done.chosen)
    amounts: dict[int, int] = {}
    targets: dict[int, tuple[int, int | None]] = {}
    for symbol in done.chosen:
        amount = certain(money.target(symbol, scale), "a symbol of unknown weight was chosen")
        cap, sector = money.sector_cap, money.sectors[symbol]
        room = None
        if cap is not None and sector >= 0:
            room = max(cap - sum(won for key, won in amounts.items() if money.sectors[key] == sector), 0)
        targets[symbol] = amount, room
        amounts[symbol] = amount if room is None else min(amount, room)
    for position in list(money.book.owned.values()):
        if position.symbol not in amounts:
            _leave(money, position, may_sell[position.symbol], listed[position.symbol], done)
    for symbol in done.chosen:
        _move(money, symbol, targets[symbol], may_sell.get(symbol, False), done)
    return done


def _choose(money: Money, found: Candidates, done: Moved) -> None:
    book, traded = money.book, money.view.panel.fields["traded"][money.t]
    most = money.sizing.max_holdings
    room = most - sum(not traded[symbol] for symbol in book.owned)
    for symbol in (int(each) for each in found.ordered):
        if len(done.chosen) >= room:
            code = Code.PLACES_TAKEN if room > 0 else Code.NO_FREE_PLACE
            facts: dict[str, Fact] = {"free": room} if room > 0 else {"held": len(book.owned), "max_holdings": most}
            done.rest = Verdict(code=code, facts=facts)
            return
        position = book.owned.get(symbol)
        if position is not None and position.pending:
            done.verdicts[symbol] = Verdict(code=Code.KEPT_LEAVING)
            continue
        recent = sold_too_recently(money, symbol) if position is None else None
        if recent is not None:
            done.verdicts[symbol] = recent
            continue
        if not money.knows_close(symbol):
            done.verdicts[symbol] = Verdict(code=Code.CLOSE_UNKNOWN)
            continue
        if money.weight(symbol) is None:
            done.verdicts[symbol] = Verdict(code=Code.WEIGHT_UNKNOWN)
            continue
        if position is not None and not traded[symbol]:
            room += 1  # its place is its own
        done.chosen.append(symbol)


def _leave(money: Money, position: Owned, may_sell: bool, listed: bool, done: Moved) -> None:
    """A position that was not chosen."""
    symbol = position.symbol
    if position.pending:
        done.verdicts[symbol] = Verdict(code=Code.KEPT_LEAVING)
    elif not listed:
        done.verdicts[symbol] = Verdict(code=Code.KEPT_NOT_LISTED)
    elif not may_sell:
        done.verdicts[symbol] = Verdict(code=Code.KEPT_MIN_HOLDING, facts={"cause": "rebalance"})
    else:
        sellable = position.shares - position.unlisted
        if sellable > 0:
            _sell(money, position, sellable, done)
        code = Code.SELL_ORDERED if sellable > 0 else Code.KEPT_UNLISTED
        done.verdicts[symbol] = Verdict(
            code=code, facts={"cause": "rebalance", "shares": sellable or position.unlisted}
        )


def _sell(money: Money, position: Owned, shares: int, done: Moved) -> None:
    done.sales.append((position.symbol, shares))
    full = shares == position.shares
    _drop_purchases(money.book, position.symbol)
    money.book.owned[position.symbol] = replace(position, pending=True)
    money.book.live.append(
        Live(
            symbol=position.symbol,
            side=codes.SELL,
            ordered=shares,
            left=shares,
            mode=_MODES[money.execution.sell],
            full_exit=full,
            reserved=0,
        )
    )


def _drop_purchases(book: Book, symbol: int) -> None:
    book.live = [order for order in book.live if order.symbol != symbol or order.side != codes.BUY]


def _move(money: Money, symbol: int, target: tuple[int, int | None], may_sell: bool, done: Moved) -> None:
    """Towards the target (won, and what its sector has left): sell what is too much, note what is too little."""
    whole, room = target
    amount = whole if room is None else min(whole, room)
    close, price = money.close(symbol), money.unit_price(symbol)
    position = money.book.owned.get(symbol)
    held = 0 if position is None else position.shares
    facts: dict[str, Fact] = {"money_krw": amount, "value_krw": held * close, "price_krw": price}
    band = money.base * round(money.view.strategy.rebalancing.drift_band * BILLION) // BILLION
    if position is not None and abs(held * close - amount) <= band:
        done.verdicts[symbol] = Verdict(code=Code.KEPT_IN_BAND, facts={**facts, "band_krw": band})
        return
    most, least = amount // close, money.affordable(amount, price)
    if position is not None and held > most:
        sold = min(held - most, held - position.unlisted)
        if may_sell and sold > 0:
            _sell(money, position, sold, done)
            done.verdicts[symbol] = Verdict(code=Code.TRIM_ORDERED, facts={**facts, "shares": sold})
        elif may_sell:
            done.verdicts[symbol] = Verdict(code=Code.KEPT_UNLISTED, facts={**facts, "shares": position.unlisted})
        else:
            done.verdicts[symbol] = Verdict(code=Code.KEPT_MIN_HOLDING, facts={"cause": "rebalance"})
    elif held < least:
        done.lots.append(Lot(symbol=symbol, shares=least - held, amount=amount - held * close, since=money.t))
    elif position is None:
        done.verdicts[symbol] = too_little(money, symbol, whole, room, price)
    else:
        done.verdicts[symbol] = Verdict(code=Code.KEPT_CHOSEN, facts=facts)


def buy_waiting(money: Money, lots: list[Lot]) -> Waited:
    """Buy of the lots what cash and places allow, best first; the answer for each."""
    done = Waited(places=money.places(same_auction=True), countable=money.countable())
    places, cash = done.places, done.countable
    most_new = money.sizing.max_new_per_session
    new = most_new if most_new is not None else money.view.panel.n_symbols + 1
    for lot in lots:
        symbol, wanted = lot.symbol, lot.shares
        position = money.book.owned.get(symbol)
        if money.book.sold_on.get(symbol, -1) > lot.since or (position is not None and position.pending):
            done.verdicts[symbol] = Verdict(code=Code.WAIT_ENDED)
            continue
        facts: dict[str, Fact] = {"shares": wanted, "since": money.view.day(lot.since), "cash_krw": cash}
        if not money.knows_close(symbol):
            done.verdicts[symbol] = Verdict(code=Code.WAITING, facts={**facts, "reason": "no_price"})
            continue
        if position is None and places <= 0:
            done.verdicts[symbol] = Verdict(code=Code.WAITING, facts={**facts, "reason": "max_holdings"})
            continue
        if position is None and new <= 0:
            done.verdicts[symbol] = Verdict(code=Code.WAITING, facts={**facts, "reason": "max_new"})
            continue
        price = money.unit_price(symbol)
        wanted = money.affordable(lot.amount, price, wanted)
        ordered = money.affordable(cash, price, wanted)
        facts |= {"shares": ordered, "wanted": wanted, "price_krw": price, "money_krw": lot.amount}
        if ordered > 0:
            done.orders.append((symbol, ordered))
            code = Code.BUY_ORDERED if position is None else Code.MORE_ORDERED
            done.verdicts[symbol] = Verdict(code=code, facts=facts)
            cash -= money.place(symbol, ordered, price)
            if position is None:
                places -= 1
                new -= 1
        elif wanted > 0:
            done.verdicts[symbol] = Verdict(code=Code.WAITING, facts={**facts, "shares": wanted, "reason": "cash"})
        else:
            done.verdicts[symbol] = Verdict(code=Code.PRICE_ROSE, facts=facts)
    return done
