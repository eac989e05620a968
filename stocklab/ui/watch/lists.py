"""Symbols with their last close and how old it is: those watched, and those looked at last."""

from __future__ import annotations

import html
from datetime import date

import streamlit as st

from stocklab.community import MOST_WATCHED, NOTE_LENGTH, RecentSymbols, WatchList
from stocklab.errors import StockLabError
from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.community.words import allowed, literal
from stocklab.ui.company import lookups
from stocklab.ui.company.head import price
from stocklab.ui.text import _, language

__all__ = ["recent_list", "watch_list"]


def watch_list() -> None:
    """The owner's symbols, with notes, and a field to add one."""
    service, owner_id = WatchList(cached.lab().database), identity.owner_id()
    _add_field(service, owner_id)
    watched = service.list(owner_id)
    if not watched:
        blocks.empty(
            _("You watch nothing yet."),
            _("Add a symbol above, or use the star on the page of a company."),
            icon=":material/star_border:",
        )
        return
    st.caption(_("{count} of at most {most} symbols.").format(count=len(watched), most=MOST_WATCHED))
    for one in watched:
        with st.container(border=True, gap="xsmall", key=f"watched_{one.symbol}"):
            _line(one.symbol, note=one.note)
            with st.container(horizontal=True, gap="small"):
                with st.popover(_("Note"), icon=":material/edit_note:", type="tertiary", key=f"note_{one.symbol}"):
                    note = st.text_input(
                        _("Note"), value=one.note, max_chars=NOTE_LENGTH, key=f"note_text_{one.symbol}"
                    )
                    if st.button(_("Save"), key=f"note_save_{one.symbol}"):
                        service.note(owner_id, one.symbol, note or "")
                        st.rerun()
                if st.button(_("Remove"), key=f"unwatch_{one.symbol}", icon=":material/star:", type="tertiary"):
                    service.remove(owner_id, one.symbol)
                    st.rerun()


def recent_list() -> None:
    """What the owner looked at last."""
    service, owner_id = RecentSymbols(cached.lab().database), identity.owner_id()
    seen = service.list(owner_id)
    if not seen:
        blocks.empty(
            _("You looked at no company yet."),
            _("The pages of companies you open are listed here."),
            icon=":material/history:",
        )
        return
    if st.button(_("Clear the list"), key="recent_clear", icon=":material/delete_sweep:", type="tertiary"):
        service.clear(owner_id)
        st.rerun()
    for one in seen:
        with st.container(border=True, gap="xsmall", key=f"recent_{one.symbol}"):
            _line(one.symbol, note=_("Looked at {moment}").format(moment=fmt.moment(one.seen_at)))


def _add_field(service: WatchList, owner_id: str) -> None:
    known = lookups.directory() if cached.lab().store.current_id() is not None else {}
    with st.container(horizontal=True, vertical_alignment="bottom", key="watch_add"):
        chosen = st.selectbox(
            _("Add a symbol"),
            list(known),
            index=None,
            format_func=lambda symbol: known.get(symbol, symbol),
            placeholder=_("Name or code"),
            key="watch_new",
            disabled=not known,
        )
        if st.button(_("Add"), key="watch_add_button", icon=":material/add:", disabled=chosen is None) and chosen:
            with allowed():
                service.add(owner_id, chosen)
                st.rerun()


def _line(symbol: str, *, note: str) -> None:
    name = cached.names().get(symbol) or symbol
    navigation.link("company", f"{literal(name)} ({literal(symbol)})", symbol=symbol)
    st.html(
        f'<div class="lab-post-line"><span>{_quote(symbol)}</span><span class="by">{html.escape(note)}</span></div>'
    )


def _quote(symbol: str) -> str:
    """Last close, its change and its age; why there is none."""
    try:
        found = lookups.profile(symbol)
    except StockLabError:
        return html.escape(_("The loaded data do not know this symbol."))
    quote = found.quote
    if quote is None:
        return html.escape(_("No prices are loaded."))
    change = "" if quote.change is None else f" {fmt.percent(quote.change, signed=True)}"
    words = (
        f'<b class="lab-{fmt.sign_class(quote.change)}">{html.escape(price(quote.close_krw, language()) + change)}</b>'
    )
    return f"{words} · {html.escape(_aged(quote.session))}"


def _aged(session: date) -> str:
    age = (cached.today() - session).days
    old = _("{days} ago").format(days=fmt.days(age, language(), digits=0)) if age > 0 else _("today")
    return _("Close of {day} ({age})").format(day=fmt.day(session), age=old)
