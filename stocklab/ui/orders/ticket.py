"""An order by hand: what is wanted, what it would come to, what speaks against it, and one button."""

from __future__ import annotations

import secrets
from decimal import Decimal, InvalidOperation
from typing import Final

import streamlit as st

from stocklab.brokers.values import PriceKind, Side
from stocklab.errors import InputError
from stocklab.live.account_board import AccountLine
from stocklab.live.accounts import AccountKind, LinkedAccount
from stocklab.live.instruments import Instrument
from stocklab.live.permission import Permission
from stocklab.live.ticket_preview import TicketPreview
from stocklab.live.tickets import ManualTicket
from stocklab.market.ticks import tick_size
from stocklab.market.upbit import coin_tick_size
from stocklab.trading.book import OUTSIDE
from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui.account.saying import SAID
from stocklab.ui.account.security import limited
from stocklab.ui.brokers.services import now
from stocklab.ui.brokers.words import QUOTES, kind_badge
from stocklab.ui.builder.fields import escape
from stocklab.ui.orders import services, words
from stocklab.ui.text import _

__all__ = ["ticket_form"]

_TICKET: Final = "ticket_name"


def ticket_form(owner_id: str, accounts: tuple[AccountLine, ...]) -> None:
    """The ticket."""
    open_ones = {line.account.id: line.account for line in accounts if line.account.linked and line.account.active}
    if not open_ones:
        blocks.empty(_("No account is open."), _("Link one first, or open it."), icon=":material/account_balance:")
        navigation.link("brokers", _("Broker accounts"), icon=":material/account_balance:")
        return
    names = {key: one.name for key, one in open_ones.items()}
    account = open_ones[
        st.selectbox(_("Account"), list(names), format_func=names.__getitem__, key="ticket_account_choice")
    ]
    blocks.badges([kind_badge(account)])
    instrument = _symbol()
    try:
        ticket = _ticket(owner_id, account, instrument)
    except InputError as error:
        st.warning(str(error), icon=":material/edit:")
        return
    if ticket is None or instrument is None:
        st.caption(_("Enter symbol, quantity and price: what the order would come to is shown here."))
        return
    preview = services.previews().show(owner_id, ticket, now(), look_up=services.instruments().get)
    _show(preview, instrument)
    _place(owner_id, account, ticket, preview)


def _symbol() -> Instrument | None:
    symbol = (st.text_input(_("Symbol"), max_chars=20, key="field_ticket_symbol", placeholder="005930") or "").strip()
    if not symbol:
        return None
    found = services.instruments().get(symbol.upper())
    if found is None:
        st.warning(_("No market data know this symbol."), icon=":material/search_off:")
    else:
        st.caption(f"{escape(found.name)} · {found.market}")
    return found


def _ticket(owner_id: str, account: LinkedAccount, instrument: Instrument | None) -> ManualTicket | None:
    """What is entered so far; None while something is missing. Raises InputError where it is no order."""
    sides = {side.value: _(words.SIDES[side]) for side in Side}
    kinds = {kind.value: _(words.KINDS[kind]) for kind in PriceKind}
    left, right = st.columns(2)
    with left:
        side = Side(st.radio(_("Side"), list(sides), format_func=sides.__getitem__, horizontal=True, key="ticket_side"))
        kind = PriceKind(
            st.radio(_("Price"), list(kinds), format_func=kinds.__getitem__, horizontal=True, key="ticket_kind")
        )
    by_money = account.coins and side is Side.BUY and kind is PriceKind.MARKET
    with right:
        label = _("Money (won)") if by_money else _("Quantity")
        size = _number(st.text_input(label, max_chars=24, key="field_ticket_size"))
        price = None
        if kind is PriceKind.LIMIT:
            price = _number(st.text_input(_("Limit price (won)"), max_chars=24, key="field_ticket_price"))
    sleeves = {OUTSIDE: _("No strategy")} | {
        one.id: one.name for one in services.traders().all(owner_id) if one.account_id == account.id and one.at_work
    }
    sleeve = st.selectbox(_("For"), list(sleeves), format_func=sleeves.__getitem__, key="ticket_sleeve_choice")
    if instrument is None or size is None or (kind is PriceKind.LIMIT and price is None):
        return None
    return ManualTicket(
        account_id=account.id,
        symbol=instrument.symbol,
        side=side,
        kind=kind,
        token=st.session_state.setdefault(_TICKET, secrets.token_hex(12)),
        quantity=None if by_money else size,
        money_krw=size if by_money else None,
        limit_price_krw=price,
        sleeve_id=sleeve,
    )


def _number(text: str | None) -> Decimal | None:
    """Exactly what was typed; commas are allowed."""
    plain = (text or "").replace(",", "").strip()
    if not plain:
        return None
    try:
        found = Decimal(plain)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found <= 0:
        st.warning(_("{text} is no number above 0.").format(text=escape(plain)))
        return None
    return found


def _show(preview: TicketPreview, instrument: Instrument) -> None:
    quote = preview.quote
    source = "" if quote is None else _(QUOTES[quote.source.value])
    facts = {
        _("Last price"): words.won(None if quote is None else quote.price_krw) + (f" · {source}" if source else ""),
        _("Limits of the day"): f"{words.won(preview.lower_limit_krw)} ~ {words.won(preview.upper_limit_krw)}",
        _("Tick at this price"): _tick(preview, instrument),
        _("Worth"): words.won(preview.worth_krw),
        _("Commission"): words.won(preview.commission_krw),
        _("Tax"): words.won(preview.tax_krw),
        _("Cash afterwards"): words.won(preview.cash_after_krw),
        _("Can be sold now"): words.amount(preview.sellable),
    }
    with st.container(border=True, key="ticket_preview"):
        blocks.facts(facts)
        if not preview.price_known:
            st.caption(_("The price is not of now. The account's thread asks for one and may refuse the order by it."))
        for reason in preview.reasons:
            st.error(words.reason_words(reason), icon=":material/block:")


def _tick(preview: TicketPreview, instrument: Instrument) -> str:
    if preview.price_krw is None or not instrument.market:
        return words.won(None)
    day = cached.today()
    if instrument.market == "UPBIT":
        return words.won(coin_tick_size(preview.price_krw, day))
    return words.won(Decimal(tick_size(int(preview.price_krw), instrument.market, day)))


def _place(owner_id: str, account: LinkedAccount, ticket: ManualTicket, preview: TicketPreview) -> None:
    live = account.kind is AccountKind.LIVE
    typed, code = "", ""
    if live:
        if not identity.has_accounts():
            st.warning(
                _(
                    "Real money needs a code of the second step, and this home has no log-in: switch accounts on with "
                    "STOCKLAB_SINGLE_USER=false."
                ),
                icon=":material/lock:",
            )
            return
        st.warning(_("Real money. Type the name of the account, and a code of your second step."))
        typed = st.text_input(_("Name of the account"), max_chars=80, key="field_ticket_typed") or ""
        code = st.text_input(_("Code"), max_chars=16, autocomplete="one-time-code", key="field_ticket_code") or ""
    if not st.button(
        _("Place the order"), icon=":material/send:", type="primary", key="place", disabled=bool(preview.reasons)
    ):
        return
    with blocks.guarded():
        permission = _permission(owner_id, typed, code) if live else None
        kept = services.tickets().place(owner_id, ticket, now(), permission=permission)
        st.session_state.pop(_TICKET, None)
        st.session_state[SAID] = _("The order is written; the background process sends it.")
        navigation.go("orders", order=kept.order.order_id)


def _permission(owner_id: str, typed: str, code: str) -> Permission:
    """Raises AccountFault where the code is wrong, LimitReached after too many."""
    limited(owner_id)
    cached.lab().accounts.second_factor.check(owner_id, code)
    return Permission(owner_id=owner_id, typed=typed, second_step_at=now())
