"""Stops, trailing stops and targets: added over a holding, changed, paused, removed, and those that fired."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import streamlit as st

from stocklab.live.guards import AT_WORK, GuardState, GuardView
from stocklab.live.owned_book import OwnedBook, Position
from stocklab.trading.guarding import GuardKind
from stocklab.trading.pricing import is_live
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.brokers.services import now as clock
from stocklab.ui.builder.fields import escape
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.positions import services, words
from stocklab.ui.text import _

__all__ = ["draw"]

_PRICE: Final = "price"
_PERCENT: Final = "percent"


def draw(owner_id: str, book: OwnedBook) -> None:
    """The section."""
    st.subheader(_("Stops and targets"), anchor=False)
    st.caption(
        _(
            "The broker keeps no stop order: these are watched here, while the background process runs. "
            "Only a price of now fires one; a delayed price warns at most."
        )
    )
    if book.positions:
        _new(owner_id, book)
    begun = places("guards", owner_id)
    page = services.guards().page(owner_id, after=begun[-1])
    if not page.items and len(begun) == 1:
        blocks.empty(_("No stop and no target yet."), icon=":material/shield:")
    held = {(one.account_id, one.sleeve_id, one.symbol): one for one in book.positions}
    now = clock()
    for guard in page.items:
        _card(owner_id, book, guard, held.get((guard.account_id, guard.sleeve_id, guard.symbol)), now)
    turn_pages("guards", begun, page.after)


def _new(owner_id: str, book: OwnedBook) -> None:
    accounts = {one.account.id: one.account.name for one in book.accounts}
    choices = {
        f"{one.account_id}/{one.sleeve_id}/{one.symbol}": f"{services.instruments().name_of(one.symbol)} · "
        f"{accounts[one.account_id]} · {words.sleeve_name(book, one.sleeve_id)}"
        for one in book.positions
    }
    with st.expander(_("Add a stop or a target"), icon=":material/add_moderator:"):
        chosen = st.selectbox(_("Holding"), list(choices), format_func=choices.__getitem__, key="field_guard_holding")
        kind = st.segmented_control(
            _("Kind"),
            list(GuardKind),
            format_func=lambda one: _(words.KINDS[one]),
            default=GuardKind.STOP,
            required=True,
            key="field_guard_kind",
        )
        level, fraction = _level(GuardKind(kind or GuardKind.STOP), "new", None)
        if st.button(_("Add"), icon=":material/add:", key="guard_add"):
            account_id, sleeve_id, symbol = chosen.split("/", 2)
            with blocks.guarded():
                services.guards().add(
                    owner_id,
                    account_id,
                    sleeve_id=sleeve_id,
                    symbol=symbol,
                    kind=GuardKind(kind or GuardKind.STOP),
                    level_krw=level,
                    fraction=fraction,
                )
                rerun_saying(_("It is watched from the next price on."))


def _level(kind: GuardKind, key: str, now: GuardView | None) -> tuple[Decimal | None, Decimal | None]:
    """A price or a fraction, as chosen; a trailing stop has a fraction alone."""
    names = {_PERCENT: _("Percent"), _PRICE: _("Price")}
    way: str | None = _PERCENT
    if kind is not GuardKind.TRAILING:
        way = st.segmented_control(
            _("Level by"),
            list(names),
            format_func=names.__getitem__,
            default=_PRICE if now is not None and now.level_krw is not None else _PERCENT,
            required=True,
            key=f"field_guard_way_{key}",
        )
    if way == _PRICE:
        price = float(now.level_krw) if now is not None and now.level_krw is not None else 0.0
        typed = st.number_input(_("Price (won)"), 0.0, value=price, key=f"field_guard_price_{key}", format="%.8g")
        return Decimal(repr(typed)), None
    percent = float(now.fraction * 100) if now is not None and now.fraction is not None else 10.0
    label = _("Below the highest price (%)") if kind is GuardKind.TRAILING else _("Away from the average cost (%)")
    typed = st.number_input(label, 0.0, 1000.0, percent, step=1.0, key=f"field_guard_percent_{key}", format="%.2f")
    return None, Decimal(f"{typed:.2f}") / 100


def _card(owner_id: str, book: OwnedBook, guard: GuardView, held: Position | None, now: datetime) -> None:
    with st.container(border=True, key=f"guard_{guard.id}"):
        name = escape(services.instruments().name_of(guard.symbol))
        account = next((one.account.name for one in book.accounts if one.account.id == guard.account_id), "")
        st.markdown(f"**{name}** · {_(words.KINDS[guard.kind])} {_shown(guard)} · {_(words.STATES[guard.state])}")
        whose = [escape(account), escape(words.sleeve_name(book, guard.sleeve_id))]
        if guard.fired_at is not None:
            whose.append(_("fired at {moment}").format(moment=fmt.moment(guard.fired_at)))
        if guard.high_krw is not None:
            whose.append(_("highest price {price}").format(price=words.won(guard.high_krw)))
        st.caption(" · ".join(whose))
        if guard.state.value not in AT_WORK:
            return
        if held is None:
            st.warning(_("Nothing of it is held: it cannot fire."), icon=":material/warning:")
        elif held.quote is None or not is_live(held.quote, now, words.LIVE_AGE):
            st.warning(_("No live price: it cannot fire now."), icon=":material/warning:")
        _actions(owner_id, guard)


def _shown(guard: GuardView) -> str:
    if guard.level_krw is not None:
        return words.won(guard.level_krw)
    fraction = float(guard.fraction or 0)
    return fmt.percent(fraction if guard.kind is GuardKind.TARGET else -fraction, signed=True)


def _actions(owner_id: str, guard: GuardView) -> None:
    guards = services.guards()
    with st.container(horizontal=True), blocks.guarded():
        if guard.state is GuardState.PAUSED:
            if st.button(_("Watch again"), key=f"guard_resume_{guard.id}", icon=":material/play_arrow:"):
                guards.resume(owner_id, guard.id)
                rerun_saying(_("It is watched again."))
        elif st.button(_("Pause"), key=f"guard_pause_{guard.id}", icon=":material/pause:"):
            guards.pause(owner_id, guard.id)
            rerun_saying(_("It is paused: nothing fires."))
        if st.button(_("Remove"), key=f"guard_delete_{guard.id}", icon=":material/delete:"):
            guards.delete(owner_id, guard.id)
            rerun_saying(_("It is removed."))
    with st.expander(_("Change the level")):
        level, fraction = _level(guard.kind, guard.id, guard)
        if st.button(_("Save"), key=f"guard_save_{guard.id}", icon=":material/save:"):
            with blocks.guarded():
                guards.edit(owner_id, guard.id, level_krw=level, fraction=fraction)
                rerun_saying(_("The new level holds."))
