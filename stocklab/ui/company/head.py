"""The top of a company page: who it is, what state it is in, and its last quote with its age."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from stocklab.data.company import Profile, Quote
from stocklab.market.memberships import SECTOR
from stocklab.ui import blocks, cached, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder import draft, state
from stocklab.ui.builder.fields import escape
from stocklab.ui.builder.sections import EXCLUSIONS
from stocklab.ui.text import N_, _, language
from stocklab.ui.watch.star import star_button

__all__ = ["actions", "headline", "quote_line", "states"]

KINDS: Final = {
    "common": N_("Common share"),
    "preferred": N_("Preferred share"),
    "spac": N_("SPAC"),
    "reit": N_("REIT"),
    "etf": N_("ETF"),
    "foreign": N_("Foreign company"),
    "coin": N_("Coin"),
}
_OLD_DAYS: Final = 7


def headline(found: Profile) -> None:
    """Name, code and labels."""
    st.subheader(f"{escape(found.name or found.symbol)} :gray[{escape(found.symbol)}]", anchor=False)
    labels = [blocks.badge(escape(words), icon) for words, icon in _facts(found)]
    labels += [blocks.badge(escape(name), "checklist", "blue") for kind, name in found.memberships if kind != SECTOR]
    labels += [blocks.badge(_(EXCLUSIONS[flag]), "flag", "orange") for flag in found.flags]
    if found.delisted_on is not None:
        words = _("Delisted {day}").format(day=fmt.day(found.delisted_on))
        labels.append(blocks.badge(words, "block", "red"))
    if found.quote is not None and found.basis is not None:
        labels.append(blocks.basis_badge(found.basis.value))
    if labels:
        blocks.badges(labels)


def _facts(found: Profile) -> list[tuple[str, str]]:
    facts = [(found.market, "storefront")] if found.market else []
    if found.kind and found.kind != "common":
        facts.append((_(KINDS[found.kind]), "category"))
    if found.sector:
        facts.append((found.sector, "factory"))
    return facts


def states(found: Profile) -> None:
    """What a reader must know before the numbers: no bars, delisted, halted, bars that end early, old data."""
    if found.delisted_on is not None:
        st.warning(
            _("Delisted on {day}: {reason}. What is shown is its history.").format(
                day=fmt.day(found.delisted_on), reason=escape(found.delisting_reason or _("no reason is recorded"))
            ),
            icon=":material/block:",
        )
    quote = found.quote
    if quote is None:
        return
    if found.is_stale:
        st.warning(
            _("Its prices end on {day}, those of the market on {last}; no delisting is recorded.").format(
                day=fmt.day(quote.session), last=fmt.day(found.last_session)
            ),
            icon=":material/event_busy:",
        )
    elif not quote.traded and found.delisted_on is None:
        st.warning(
            _("No trade on {day}: the last close is carried.").format(day=fmt.day(quote.session)),
            icon=":material/pause_circle:",
        )
    age = _age(quote.session)
    if age > _OLD_DAYS and found.delisted_on is None:
        st.warning(
            _("This price is {days} old. Load newer data before you act on it.").format(
                days=fmt.days(age, language(), digits=0)
            ),
            icon=":material/history:",
        )


def _age(session: date) -> int:
    return (cached.today() - session).days


def quote_line(found: Profile, quote: Quote) -> None:
    """Close, change, volume, value, market cap and the range of a year, and of when they are."""
    spoken = language()
    colour = fmt.sign_class(quote.change)
    with st.grid(5 if found.is_coin else 6, min_column_width=150, gap="xsmall"):
        with st.container(key=f"{colour}-company_close", height="stretch"):
            _metric(_("Last close"), price(quote.close_krw, spoken), note=_change(quote))
        _metric(_("Volume"), _volume(found, quote))
        estimated = _("Close × volume where no traded value is published.") if found.value_estimated else None
        _metric(_("Traded value"), fmt.krw(quote.value_krw, spoken), hint=estimated)
        if not found.is_coin:
            known_on = None if quote.market_cap_on in {None, quote.session} else fmt.day(quote.market_cap_on)
            _metric(_("Market cap"), fmt.krw(quote.market_cap_krw, spoken), note=known_on)
        _metric(_("52-week high"), price(quote.high_year_krw, spoken))
        _metric(_("52-week low"), price(quote.low_year_krw, spoken))
    age = _age(quote.session)
    words = _("Daily data: the close of {day} ({age}). Changes count from the base price, ranges are adjusted.")
    if found.is_coin:
        words = _("Daily data: the day from 09:00 on {day} ({age}), Korean time.")
    old = _("{days} ago").format(days=fmt.days(age, spoken, digits=0)) if age > 0 else _("today")
    st.caption(words.format(day=fmt.day(quote.session), age=old))


def _metric(name: str, value: str, *, note: str | None = None, hint: str | None = None) -> None:
    st.metric(name, value, delta=note, delta_color="off", delta_arrow="off", border=True, help=hint, height="stretch")


def price(value: float, spoken: str) -> str:
    """A price to the last digit; cheap coins with their decimals.

    >>> price(45950.0, "ko"), price(0.01234, "en")
    ('45,950원', '₩0.01234')
    """
    if value >= 100.0 or value == round(value):
        return fmt.krw_exact(value, "en" if spoken == "en" else "ko")
    number = f"{value:,.8f}".rstrip("0")
    return f"₩{number}" if spoken == "en" else f"{number}원"


def _change(quote: Quote) -> str | None:
    if quote.change is None or quote.change_krw is None:
        return None
    sign = "+" if quote.change_krw > 0 else "-" if quote.change_krw < 0 else ""
    amount = price(abs(quote.change_krw), language())
    return f"{sign}{amount} ({fmt.percent(quote.change, signed=True)})"


def _volume(found: Profile, quote: Quote) -> str:
    return f"{quote.volume:,.4f}".rstrip("0").rstrip(".") if found.is_coin else fmt.count(quote.volume)


def actions(found: Profile) -> None:
    """The star of the watch list; to the screener with its sector, and to the builder with this symbol."""
    with st.container(horizontal=True, gap="small", key="company_actions"):
        star_button(found.symbol)
        if found.sector and st.button(
            _("Screen its sector"), key="company_screen", icon=":material/filter_alt:", type="tertiary"
        ):
            document = draft.put(draft.blank_screen(), "universe.sectors", [found.sector])
            state.load_screen(document)
            navigation.go("screener")
        if found.quote is not None and st.button(
            _("Strategy with this symbol"), key="company_build", icon=":material/tune:", type="tertiary"
        ):
            document = draft.blank_document(found.name or found.symbol)
            if found.is_coin:
                document = draft.with_traded(document, coins=True)
            state.load_document(draft.put(document, "universe.symbols", [found.symbol]))
            navigation.go("builder")
