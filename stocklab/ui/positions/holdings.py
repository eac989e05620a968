"""Figures of the whole book, and of each account what its strategies hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import streamlit as st

from stocklab.live.owned_book import OwnedAccount, OwnedBook, Position
from stocklab.trading.book import Sleeve
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.brokers import services as accounts
from stocklab.ui.brokers.words import kind_badge
from stocklab.ui.builder.fields import escape
from stocklab.ui.positions import services, words
from stocklab.ui.text import _

__all__ = ["draw"]

ZERO = Decimal(0)


def draw(book: OwnedBook) -> None:
    """All accounts."""
    _sums(book)
    now = accounts.now()
    for account in book.accounts:
        with st.container(border=True, key=f"positions_{account.account.id}"):
            st.markdown(f"**{escape(account.account.name)}**")
            blocks.badges([kind_badge(account.account)])
            _account(book, account, now)


def _sums(book: OwnedBook) -> None:
    def total(name: str) -> Decimal:
        return sum((getattr(one, name) for one in book.accounts), ZERO)

    shown = {
        _("Equity"): words.won(total("equity_krw")),
        _("Holdings"): words.won(total("worth_krw")),
        _("Cash"): words.won(total("cash_krw")),
        _("Unrealised profit"): words.won(total("unrealised_krw"), signed=True),
        _("Realised profit"): words.won(total("realised_krw"), signed=True),
    }
    with st.container(horizontal=True, key="position_sums"):
        for label, value in shown.items():
            st.metric(label, value, border=True, width="content")


def _account(book: OwnedBook, account: OwnedAccount, now: datetime) -> None:
    heads = [_("Strategy"), _("Equity"), _("Cash"), _("Unrealised profit"), _("Realised profit")]
    sleeves = sorted(account.sleeves.items(), key=lambda one: words.sleeve_name(book, one[0]))
    rows = [_sleeve(book, account, name, sleeve) for name, sleeve in sleeves]
    blocks.table(heads, rows, stacked=True)
    if not account.positions:
        st.caption(_("Nothing is held there."))
        return
    if any(one.quote is None for one in account.positions):
        st.warning(
            _("Some holdings have no price. They count at cost, and their profit is unknown."), icon=":material/help:"
        )
    heads = [
        _("Holding"),
        _("Strategy"),
        _("Quantity"),
        _("Average cost"),
        _("Last price"),
        _("Worth"),
        _("Unrealised profit"),
        _("Weight"),
    ]
    whole = account.equity_krw
    blocks.table(heads, [_position(book, one, whole, now) for one in account.positions], stacked=True)


def _sleeve(book: OwnedBook, account: OwnedAccount, name: str, sleeve: Sleeve) -> Sequence[str]:
    held = [one for one in account.positions if one.sleeve_id == name]
    return [
        words.sleeve_name(book, name),
        words.won(sleeve.cash_krw + sum((one.worth_krw for one in held), ZERO)),
        words.won(sleeve.cash_krw),
        words.won(sum((one.unrealised_krw or ZERO for one in held), ZERO), signed=True),
        words.won(sleeve.realised_krw, signed=True),
    ]


def _position(book: OwnedBook, one: Position, whole: Decimal, now: datetime) -> Sequence[str]:
    name, profit = services.instruments().name_of(one.symbol), one.unrealised_krw
    gained = float(profit / one.cost_krw) if profit is not None and one.cost_krw > 0 else None
    return [
        one.symbol if name == one.symbol else f"{name} ({one.symbol})",
        words.sleeve_name(book, one.sleeve_id),
        words.quantity(one.quantity),
        words.won(one.average_krw),
        words.price(one.quote, now),
        words.won(one.worth_krw),
        fmt.DASH if profit is None else f"{words.won(profit, signed=True)} ({fmt.percent(gained, signed=True)})",
        fmt.percent(float(one.worth_krw / whole) if whole > 0 else None, digits=1),
    ]
