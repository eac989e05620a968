"""The page of risk: ladders of the accounts, value at risk, parts by holding, falls."""

from __future__ import annotations

import streamlit as st

from stocklab.live.book_risk import worth_of
from stocklab.ui import blocks, navigation
from stocklab.ui.positions import services as positions
from stocklab.ui.positions import words
from stocklab.ui.risk import falls, ladders, services, value
from stocklab.ui.text import _

__all__ = ["draw"]


def draw(owner_id: str) -> None:
    """The whole page."""
    book = positions.book(owner_id)
    if not book.accounts:
        blocks.empty(
            _("No account is linked yet."),
            _("Risk is measured on what your accounts hold."),
            icon=":material/crisis_alert:",
        )
        navigation.link("brokers", _("Link an account"), icon=":material/add_link:", link="1")
        return
    ladders.draw(book)
    if not book.positions:
        blocks.empty(_("Nothing is held, so that nothing can be lost."), icon=":material/savings:")
        return
    worth, unknown = worth_of(book, positions.instruments().get)
    if unknown:
        names = ", ".join(sorted({one.symbol for one in unknown}))
        st.warning(
            _("The market of {symbols} is unknown: no figure below speaks of it ({worth}).").format(
                symbols=names, worth=words.won(sum((one.worth_krw for one in unknown), start=words.ZERO))
            ),
            icon=":material/help:",
        )
    if any(one.quote is None for one in book.positions):
        st.caption(_("Holdings without a price count at cost."))
    found = services.measured(worth)
    value.draw(found.risk)
    falls.draw(found)
