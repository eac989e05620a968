"""What a holding gets later than its shares change: dividends on the day they are paid, bonus shares once they list."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from stocklab.backtest import codes
from stocklab.backtest.compiled import part
from stocklab.backtest.fills import add_order, cancel_purchases, close_order
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.money import cost_of
from stocklab.types import IntArray

__all__ = ["add_claim", "credit_rights", "entitle_dividends", "scale_unlisted", "settle_claims"]

UNITS_PER_KRW = 10_000  # of Entitlements.dividend_units


@part
def add_claim(book: Records, claims: Records, kind: int, position: Record, units: int, shares: int, due: int) -> None:
    """Remember what is due to a position at the opening of session ``due``."""
    claim = claims[book[0].n_claims]
    claim.kind = kind
    claim.symbol = position.symbol
    claim.shares = shares
    claim.units = units
    claim.due = due
    claim.since = position.entry_session
    book[0].n_claims += 1


@part
def settle_claims(
    book: Records,
    positions: Records,
    slot_of: IntArray,
    orders: Records,
    active: IntArray,
    claims: Records,
    actions: Records,
    withheld: IntArray,
    t: int,
) -> None:
    """Pay the dividends and list the bonus shares that are due at the opening of ``t``."""
    kept = 0
    for i in range(book[0].n_claims):
        claim = claims[i]
        if claim.due > t:
            if kept != i:
                claims[kept] = claim
            kept += 1
        elif claim.kind == codes.DIVIDEND:
            gross = claim.shares * claim.units // UNITS_PER_KRW
            tax = cost_of(gross, withheld[t - book[0].first_session])
            _write(book, actions, codes.DIVIDEND, claim.symbol, t, claim.shares, gross, tax, 0)
        else:
            _list(book, positions, slot_of, orders, active, claim, t)
    book[0].n_claims = kept


@part
def _write(
    book: Records, actions: Records, kind: int, symbol: int, t: int, shares: int, cash: int, tax: int, base: int
) -> None:
    action = actions[book[0].n_actions]
    action.session = t
    action.symbol = symbol
    action.kind = kind
    action.cash = cash
    action.tax = tax
    action.before = shares
    action.after = shares
    action.base_krw = base
    action.new = 1
    action.old = 1
    action.after_trade = book[0].n_trades
    book[0].n_actions += 1
    book[0].cash += cash - tax


@part
def _list(
    book: Records, positions: Records, slot_of: IntArray, orders: Records, active: IntArray, claim: Record, t: int
) -> None:
    """Bonus shares can be sold from now on; those of a position on its way out are sold at this opening."""
    slot = slot_of[claim.symbol]
    if slot < 0 or positions[slot].entry_session != claim.since:
        return
    position = positions[slot]
    position.unlisted -= min(claim.shares, position.unlisted)
    if position.leaving == 0:
        return
    if position.pending > 0:
        close_order(positions, slot_of, orders, position.pending - 1, codes.CANCELLED, codes.SUPERSEDED)
    cancel_purchases(book, positions, slot_of, orders, active, position.symbol)
    row = add_order(
        book, orders, active, t, position.symbol, codes.SELL, position.shares - position.unlisted, codes.MODE_OPEN,
        position.leaving - 1, position.leaving_rule, codes.NEVER,
    )  # fmt: skip
    orders[row].full_exit = 1
    position.pending = row + 1


@part
def entitle_dividends(
    book: Records,
    positions: Records,
    slot_of: IntArray,
    claims: Records,
    t: int,
    dividend_from: IntArray,
    dividend_symbol: IntArray,
    dividend_units: IntArray,
    dividend_paid: IntArray,
) -> None:
    """Whoever holds at the close before the ex-date ``t`` is paid later."""
    r = t - book[0].first_session
    for d in range(dividend_from[r], dividend_from[r + 1]):
        slot = slot_of[dividend_symbol[d]]
        if slot >= 0:
            position = positions[slot]
            due = max(dividend_paid[d], t + 1)  # the opening of the ex-date itself is settled already
            add_claim(book, claims, codes.DIVIDEND, position, dividend_units[d], position.shares, due)


@part
def credit_rights(book: Records, position: Record, actions: Records, t: int, base: int) -> None:
    """Subscription rights at their theoretical value: what the base price takes off the last close."""
    value = position.last_close - base
    if value > 0:
        _write(book, actions, codes.RIGHTS, position.symbol, t, position.shares, position.shares * value, 0, base)


@part
def scale_unlisted(book: Records, claims: Records, position: Record, new: int, old: int) -> None:
    """A split or consolidation changes bonus shares that are not listed yet like all others."""
    if position.unlisted == 0:
        return
    total = 0
    for i in range(book[0].n_claims):
        claim = claims[i]
        if claim.kind == codes.BONUS and claim.symbol == position.symbol and claim.since == position.entry_session:
            claim.shares = claim.shares * new // old
            total += claim.shares
    position.unlisted = total
