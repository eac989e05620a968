"""Signal mode replayed: which candidates a close ordered, and why it passed over each of the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from stocklab.backtest import codes
from stocklab.research.explain.candidates import Candidates
from stocklab.research.explain.money import Money
from stocklab.research.explain.verdicts import Code, Fact, Verdict

__all__ = ["Bought", "buy_candidates", "sold_too_recently", "too_little"]


@dataclass(slots=True, kw_only=True)
class Bought:
    """What a close ordered.

    Attributes
    ----------
    orders : (symbol, shares), in order; one whose first share cash did not pay is the last, with its shares
    verdicts : symbol -> why, for every candidate the walk came to
    rest : the answer for the candidates it did not come to; None: it came to all
    places, countable : free places and cash to count on before the first purchase
    """

    places: int
    countable: int
    orders: list[tuple[int, int]] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    rest: Verdict | None = None


def buy_candidates(money: Money, found: Candidates) -> Bought:
    """Walk the candidates in order, as docs/simulator.md says under "Signal mode, every close"."""
    book, sizing = money.book, money.sizing
    done = Bought(places=money.places(same_auction=False), countable=money.countable())
    places, cash, new = done.places, done.countable, 0
    if places <= 0:
        done.rest = Verdict(
            code=Code.NO_FREE_PLACE, facts={"held": len(book.owned), "max_holdings": sizing.max_holdings}
        )
        return done
    ordered = [int(symbol) for symbol in found.ordered]
    scale = money.scale(ordered[: sizing.max_holdings])
    for place, symbol in enumerate(ordered, start=1):
        if places <= 0:
            done.rest = Verdict(code=Code.PLACES_TAKEN, facts={"free": done.places})
            return done
        if sizing.max_new_per_session is not None and new >= sizing.max_new_per_session:
            done.rest = Verdict(code=Code.MOST_NEW_REACHED, facts={"most": sizing.max_new_per_session})
            return done
        over = _passed_over(money, symbol)
        if over is not None:
            done.verdicts[symbol] = over
            continue
        amount = money.target(symbol, scale)
        if amount is None:
            done.verdicts[symbol] = Verdict(code=Code.WEIGHT_UNKNOWN)
            continue
        room = money.sector_room(symbol)
        spendable = amount if room is None else min(amount, room)
        price = money.unit_price(symbol)
        wanted = money.affordable(spendable, price)
        if wanted < 1:
            done.verdicts[symbol] = too_little(money, symbol, amount, room, price)
            continue
        shares = money.affordable(cash, price, wanted)
        facts: dict[str, Fact] = {
            "place": place,
            "shares": shares,
            "price_krw": price,
            "money_krw": spendable,
            "cash_krw": cash,
        }
        if shares < 1:
            done.orders.append((symbol, wanted))
            done.verdicts[symbol] = Verdict(code=Code.CASH, facts={**facts, "shares": wanted})
            done.rest = Verdict(code=Code.AFTER_CASH, facts={"symbol": money.view.panel.symbols[symbol]})
            return done
        done.orders.append((symbol, shares))
        done.verdicts[symbol] = Verdict(code=Code.BUY_ORDERED, facts=facts)
        cash -= money.place(symbol, shares, price)
        places -= 1
        new += 1
    return done


def _passed_over(money: Money, symbol: int) -> Verdict | None:
    """Why a candidate is not looked at further: held, sold too recently, unknown close, on order; None = it is."""
    book = money.book
    if symbol in book.owned:
        return Verdict(code=Code.KEPT)
    recent = sold_too_recently(money, symbol)
    if recent is not None:
        return recent
    if not money.knows_close(symbol):
        return Verdict(code=Code.CLOSE_UNKNOWN)
    if any(order.symbol == symbol and order.side == codes.BUY for order in book.live):
        return Verdict(code=Code.ALREADY_ORDERED)
    return None


def sold_too_recently(money: Money, symbol: int) -> Verdict | None:
    """The wait after a sale, while it lasts."""
    wait, sold = money.view.strategy.exit.reentry_wait_sessions, money.book.sold_on.get(symbol)
    if sold is None or money.t - sold >= wait:
        return None
    left = sold + wait - money.t
    return Verdict(
        code=Code.SOLD_TOO_RECENTLY, facts={"sold": money.view.day(sold), "wait": wait, "sessions_left": left}
    )


def too_little(money: Money, symbol: int, amount: int, room: int | None, price: int) -> Verdict:
    """Money for less than one share: of the position itself, or of what its sector has left."""
    if room is not None and room < amount and money.affordable(amount, price) >= 1:
        facts: dict[str, Fact] = {"room_krw": room, "price_krw": price, "sector": money.sector_name(symbol)}
        return Verdict(code=Code.SECTOR_FULL, facts=facts)
    return Verdict(code=Code.LESS_THAN_A_SHARE, facts={"money_krw": amount, "price_krw": price})
