"""A person's wish for news of a company: the newest one, and how its result is put into a line and read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stocklab.db import IntentState
from stocklab.operations.intents import INTENT_KINDS, Intent, Intents

__all__ = [
    "DISCLOSURE_JOBS",
    "NEWS_INTENT",
    "NewsCounts",
    "newest_news_intent",
    "news_line",
    "read_news_line",
    "work_ahead",
]

NEWS_INTENT: Final = "news"
DISCLOSURE_JOBS: Final = ("disclosures", "disclosures_morning")
_LOOKED_THROUGH: Final = 200
_COUNT: Final = re.compile(r"([\d,]+) new (articles|filings)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsCounts:
    """What a fetch added: articles about the company, filings of all companies; None where the source is off."""

    articles: int | None = None
    filings: int | None = None


def news_line(counts: NewsCounts) -> str:
    """The result in a line.

    >>> news_line(NewsCounts(articles=3, filings=1200))
    '3 new articles, 1,200 new filings of all companies'
    """
    parts = [] if counts.articles is None else [f"{counts.articles:,} new articles"]
    parts += [] if counts.filings is None else [f"{counts.filings:,} new filings of all companies"]
    return ", ".join(parts)


def read_news_line(line: str) -> NewsCounts:
    """The counts in such a line; None where it does not say.

    >>> read_news_line("1,200 new filings of all companies")
    NewsCounts(articles=None, filings=1200)
    """
    found = {name: int(digits.replace(",", "")) for digits, name in _COUNT.findall(line)}
    return NewsCounts(articles=found.get("articles"), filings=found.get("filings"))


def newest_news_intent(intents: Intents, symbol: str) -> Intent | None:
    """The wish for news of a symbol that is still open, else the newest; None when there was none lately."""
    own = [
        one
        for one in intents.list(limit=_LOOKED_THROUGH)
        if one.kind == NEWS_INTENT and one.document.get("symbol") == symbol
    ]
    return next((one for one in own if one.state.live), own[0] if own else None)


def work_ahead(intents: Intents, wish: Intent) -> Intent | None:
    """What a waiting wish waits for: the one being carried out, else the one that is next, of those that take turns
    with it; None when it is the next.
    """
    resource = INTENT_KINDS[wish.kind].resource
    turns = [
        one
        for one in intents.list(live=True)
        if one.id != wish.id and one.kind in INTENT_KINDS and INTENT_KINDS[one.kind].resource == resource
    ]
    taken = next((one for one in turns if one.state is IntentState.TAKEN), None)
    earlier = [one for one in turns if (one.created_at, one.id) < (wish.created_at, wish.id)]
    return taken or min(earlier, key=lambda one: (one.created_at, one.id), default=None)
