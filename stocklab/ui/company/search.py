"""Which symbol is shown: the picker, the link, and where to begin."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.ui import cached
from stocklab.ui.builder.fields import bind
from stocklab.ui.company import lookups
from stocklab.ui.text import _

__all__ = ["beginnings", "chosen_symbol", "open_symbol"]

_PICKED: Final = "company_symbol"
_LINK: Final = "company_link"


def chosen_symbol() -> str | None:
    """The symbol of the link or of the picker; None where neither names one.

    A code of the link that the picker does not have is returned too: the page says that it is not known.
    """
    names = lookups.directory()
    asked = st.query_params.get("symbol", "").strip().upper() or None
    if asked != st.session_state.get(_LINK):  # a new link, or the page was opened anew
        st.session_state[_LINK] = asked
        bind(_PICKED, asked if asked in names else None)
    elif _PICKED not in st.session_state:
        bind(_PICKED, asked if asked in names else None)
    st.selectbox(
        _("Company or coin"),
        list(names),
        index=None,
        format_func=names.__getitem__,
        key=_PICKED,
        placeholder=_("Type a name or a code"),
        on_change=_to_link,
    )
    return st.session_state.get(_PICKED) or asked


def _to_link() -> None:
    """Callback: the choice becomes part of the link."""
    picked = st.session_state[_PICKED]
    st.session_state[_LINK] = picked
    if picked is None:
        st.query_params.pop("symbol", None)
    else:
        st.query_params["symbol"] = picked


def open_symbol(symbol: str) -> None:
    """Callback: show a symbol. (A link of a page to itself leaves its address as it was.)"""
    st.session_state[_PICKED] = symbol
    _to_link()


def beginnings() -> None:
    """The largest companies, one click away."""
    names = cached.names()
    symbols = lookups.largest()
    if not symbols:
        return
    st.markdown(f"**{_('The largest of the last session')}**")
    with st.container(horizontal=True, gap="small", key="company_beginnings"):
        for symbol in symbols:
            st.button(
                names.get(symbol) or symbol,
                key=f"company_open_{symbol}",
                type="tertiary",
                on_click=open_symbol,
                args=(symbol,),
            )
