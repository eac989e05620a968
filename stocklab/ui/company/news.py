"""News of a company, from whoever provides it: nobody (off), nothing found, or lines with their source and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.ui import format as fmt
from stocklab.ui import text
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["NewsLine", "news_section", "provide_news"]

NewsOf = Callable[[str, str], Sequence["NewsLine"]]
_SHOWN: Final = 20
_provider: list[NewsOf] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsLine:
    """One headline; ``address`` is where it can be read."""

    title: str
    address: str
    source: str
    published_at: datetime


def provide_news(news_of: NewsOf | None) -> None:
    """Say who finds news: a function of (symbol, name) -> lines, newest first. None: nobody, the section is off."""
    _provider[:] = [] if news_of is None else [news_of]


def news_section(symbol: str, name: str) -> None:
    """The newest lines, or why there are none."""
    if not _provider:
        st.caption(_("News is off: no source of news is set up."))
        return
    try:
        lines = _provider[0](symbol, name)
    except StockLabError as error:
        st.warning(text.for_error(error))
        return
    if not lines:
        st.caption(_("No news of this company is stored."))
    for line in lines[:_SHOWN]:
        title = escape(line.title)
        if urlsplit(line.address).scheme in ("http", "https"):
            title = f"[{title}]({line.address.replace(')', '%29').replace(' ', '%20')})"
        st.markdown(f"{title}  \n:gray[:small[{escape(line.source)} · {fmt.moment(line.published_at)}]]")
