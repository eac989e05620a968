"""News and disclosures of all symbols, of some, or of the watch list; with filters that can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import streamlit as st

from stocklab.community import NewsLists, WatchList
from stocklab.data.sources.calls import KST
from stocklab.data.sources.dart_disclosures import DisclosureKind
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.company.news import GRAVE, KINDS, Line, listed
from stocklab.ui.news.saved_filters import saved_filters
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import N_, _

__all__ = ["news_page"]

_CATEGORIES: Final[Mapping[str, str]] = {"disclosures": N_("Disclosures"), "news": N_("News")}
_PERIODS: Final[Mapping[str, str]] = {
    "1": N_("Today"),
    "7": N_("One week"),
    "30": N_("One month"),
    "365": N_("One year"),
    "all": N_("All"),
}
_MOST_SYMBOLS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the filters say."""

    category: str
    kinds: tuple[str, ...]
    symbols: tuple[str, ...]
    days: str
    watched_only: bool

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "category": self.category,
            "kinds": list(self.kinds),
            "symbols": list(self.symbols),
            "days": self.days,
            "watched_only": self.watched_only,
        }


def news_page() -> None:
    """Filters, then a page of the list."""
    saved_filters(_restore, lambda: _chosen().document())
    chosen = _fields()
    symbols = _wanted(chosen)
    if symbols is not None and not symbols:
        blocks.empty(
            _("You watch nothing yet."), _("Add symbols to your watch list first."), icon=":material/star_border:"
        )
        return
    begun = places("news", chosen.document())
    if chosen.category == "news":
        following = _news(chosen, symbols, begun[-1])
    else:
        following = _disclosures(chosen, symbols, begun[-1])
    turn_pages("news", begun, following)


def _fields() -> Chosen:
    with st.container(border=True, key="news_filter"):
        st.segmented_control(
            _("Category"),
            list(_CATEGORIES),
            format_func=lambda code: _(_CATEGORIES[code]),
            required=True,
            key=_default("news_category", "disclosures"),
        )
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        left.selectbox(
            _("Within"),
            list(_PERIODS),
            format_func=lambda code: _(_PERIODS[code]),
            key=_default("news_period_choice", "30"),
        )
        known = cached.symbol_names()
        right.multiselect(
            _("Which symbols"),
            list(known),
            format_func=lambda symbol: known.get(symbol, symbol),
            max_selections=_MOST_SYMBOLS,
            placeholder=_("All symbols"),
            key=_default("news_symbols", []),
        )
        if st.session_state["news_category"] == "disclosures":
            st.multiselect(
                _("Kind of disclosure"),
                [kind.value for kind in DisclosureKind],
                format_func=lambda code: _(KINDS[DisclosureKind(code)]),
                placeholder=_("All kinds"),
                key=_default("news_kinds", []),
            )
        st.toggle(_("Only my watch list"), key=_default("news_watched", False))
    return _chosen()


def _default(key: str, value: Any) -> str:
    """The key, holding what was chosen before: on other pages, or before a widget was away."""
    kept = st.session_state.setdefault("news_kept", {})
    if key in st.session_state:
        kept[key] = st.session_state[key]
    else:
        st.session_state[key] = kept.get(key, value)
    return key


def _chosen() -> Chosen:
    kept: dict[str, Any] = st.session_state.get("news_kept", {})

    def value(key: str, default: Any) -> Any:
        return st.session_state.get(key, kept.get(key, default))

    return Chosen(
        category=value("news_category", "disclosures"),
        kinds=tuple(value("news_kinds", [])),
        symbols=tuple(value("news_symbols", [])),
        days=value("news_period_choice", "30"),
        watched_only=bool(value("news_watched", False)),
    )


def _restore(document: Mapping[str, Any]) -> None:
    """Callback: show a kept filter; what it names and is not known any more is left out."""
    kinds, names = {kind.value for kind in DisclosureKind}, cached.symbol_names()
    category, days = document.get("category"), document.get("days")
    values: dict[str, Any] = {
        "news_category": category if category in _CATEGORIES else "disclosures",
        "news_kinds": [kind for kind in document.get("kinds", []) if kind in kinds],
        "news_symbols": [symbol for symbol in document.get("symbols", []) if symbol in names][:_MOST_SYMBOLS],
        "news_period_choice": days if days in _PERIODS else "30",
        "news_watched": bool(document.get("watched_only")),
    }
    st.session_state["news_kept"] = dict(values)
    for key, value in values.items():
        st.session_state[key] = value


def _wanted(chosen: Chosen) -> tuple[str, ...] | None:
    """Symbols to ask for; None for all."""
    symbols = set(chosen.symbols)
    if chosen.watched_only:
        watched = WatchList(cached.lab().database).symbols(identity.owner_id())
        symbols = symbols & watched if symbols else set(watched)
        return tuple(sorted(symbols))
    return tuple(sorted(symbols)) or None


def _since(days: str) -> datetime | None:
    if days == "all":
        return None
    today = cached.today()
    first = today - timedelta(days=int(days) - 1)
    return datetime(first.year, first.month, first.day, tzinfo=KST)


def _disclosures(chosen: Chosen, symbols: tuple[str, ...] | None, before: Any) -> Any:
    since = _since(chosen.days)
    page = NewsLists(cached.lab().database).disclosures(
        symbols=symbols,
        kinds=[DisclosureKind(kind) for kind in chosen.kinds],
        since=None if since is None else since.date(),
        before=before,
    )
    lines = [
        Line(
            title=one.title,
            address=one.link,
            note=f"{_named(one.symbol)} · {fmt.day(one.published)}",
            kind=_(KINDS[one.kind]),
            grave=one.kind in GRAVE,
        )
        for one in page.disclosures
    ]
    _show(lines)
    return page.before


def _news(chosen: Chosen, symbols: tuple[str, ...] | None, before: Any) -> Any:
    page = NewsLists(cached.lab().database).news(symbols=symbols, since=_since(chosen.days), before=before)
    lines = [
        Line(
            title=one.title,
            address=one.link,
            note=f"{', '.join(map(_named, one.symbols))} · {_host(one.link)} · {fmt.moment(one.published)}",
        )
        for one in page.articles
    ]
    _show(lines)
    return page.before


def _show(lines: list[Line]) -> None:
    if lines:
        listed(lines)
        return
    blocks.empty(
        _("Nothing is stored for this choice."),
        _("Disclosures are read from DART each day once a key is set; news of a company are fetched on its page."),
        icon=":material/newspaper:",
    )


def _named(symbol: str) -> str:
    name = cached.names().get(symbol)
    return f"{name} ({symbol})" if name else symbol


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").removeprefix("www.")
