"""News and disclosures: polled without gaps or repeats, kept with the moment they were first seen, read by symbol."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from stocklab.data.sources.calls import KST
from stocklab.data.sources.dart_disclosures import Disclosure, DisclosureKind, disclosures_of_day
from stocklab.data.sources.naver_news import NaverNews, NewsItem
from stocklab.data.sources.opendart import DartClient
from stocklab.db import Database
from stocklab.db.news_models import DisclosureRow, NewsItemRow

__all__ = ["News"]

log = structlog.get_logger(__name__)

_DAYS_BACK: Final = 7  # after a longer pause older filings are not fetched as news
_OVERLAP: Final = timedelta(days=2)  # articles get an earlier time when the press corrects them
_FIRST_PAGES: Final = 1
_MOST_PAGES: Final = 10
_CHUNK: Final = 500


@dataclass(slots=True)
class News:
    """The service. Titles it returns are text of strangers: data to be escaped or quoted, never instructions."""

    database: Database
    _closed: set[date] = field(default_factory=set)

    def poll_disclosures(self, dart: DartClient, now: datetime) -> int:
        """Read what was filed since the last poll; the number of new filings of listed companies.

        Asked again at once it asks one page and adds nothing. A day that is over is read whole once in a process, so
        that what came late in the evening is there.

        Raises
        ------
        SourceError
            See `disclosures_of_day`; days read before stay stored.
        """
        today = now.astimezone(KST).date()
        added = 0
        for day in self._open_days(today):
            over = day < today
            if over and day in self._closed:
                continue
            known = self._receipts(day)
            found = disclosures_of_day(dart, day, is_known=known.__contains__, now=now, complete=over)
            added += self._keep_disclosures(found)
            if over:
                self._closed.add(day)
        log.info("disclosures_polled", new=added)
        return added

    def poll_news(
        self, naver: NaverNews, symbol: str, name: str, *, aliases: Sequence[str] = (), first_pages: int = _FIRST_PAGES
    ) -> int:
        """Read articles about a company that appeared since the last poll; their number.

        Raises
        ------
        SourceError
            See `NaverNews.about`; nothing was stored.
        """
        with self.database.read() as session:
            newest = session.scalar(select(func.max(NewsItemRow.published_at)).where(NewsItemRow.symbol == symbol))
            recent: set[str] = set()
            if newest is not None:
                rows = select(NewsItemRow.key).where(
                    NewsItemRow.symbol == symbol, NewsItemRow.published_at >= newest - 2 * _OVERLAP
                )
                recent = set(session.scalars(rows))
        found = naver.about(
            symbol,
            name,
            aliases=aliases,
            is_known=recent.__contains__,
            since=newest - _OVERLAP if newest is not None else None,
            most_pages=first_pages if newest is None else _MOST_PAGES,
        )
        added = self._insert(
            NewsItemRow,
            [
                {
                    "key": item.key,
                    "symbol": item.symbol,
                    "title": item.title,
                    "link": item.link,
                    "published_at": item.published,
                    "first_seen_at": item.first_seen,
                }
                for item in found
            ],
        )
        log.info("news_polled", symbol=symbol, new=added)
        return added

    def news(self, symbol: str, *, limit: int = 50) -> list[NewsItem]:
        """Articles about a symbol, the newest first."""
        rows = select(NewsItemRow).where(NewsItemRow.symbol == symbol)
        rows = rows.order_by(NewsItemRow.published_at.desc(), NewsItemRow.key).limit(limit)
        with self.database.read() as session:
            return [
                NewsItem(
                    symbol=row.symbol,
                    key=row.key,
                    title=row.title,
                    link=row.link,
                    published=row.published_at.astimezone(KST),
                    first_seen=row.first_seen_at.astimezone(KST),
                )
                for row in session.scalars(rows)
            ]

    def disclosures(
        self,
        *,
        symbols: Collection[str] | None = None,
        kinds: Collection[DisclosureKind] | None = None,
        since: date | None = None,
        limit: int = 100,
    ) -> list[Disclosure]:
        """Filings, the newest first: of these symbols and kinds, since a day; all by default."""
        rows = select(DisclosureRow)
        if symbols is not None:
            rows = rows.where(DisclosureRow.symbol.in_(sorted(symbols)))
        if kinds is not None:
            rows = rows.where(DisclosureRow.kind.in_(sorted(kind.value for kind in kinds)))
        if since is not None:
            rows = rows.where(DisclosureRow.published_on >= since)
        rows = rows.order_by(
            DisclosureRow.published_on.desc(), DisclosureRow.first_seen_at.desc(), DisclosureRow.filing_no.desc()
        ).limit(limit)
        with self.database.read() as session:
            return [
                Disclosure(
                    filing_no=row.filing_no,
                    symbol=row.symbol,
                    title=row.title,
                    kind=DisclosureKind(row.kind),
                    published=row.published_on,
                    first_seen=row.first_seen_at.astimezone(KST),
                )
                for row in session.scalars(rows)
            ]

    def _open_days(self, today: date) -> list[date]:
        """From the last day with a stored filing, at most a week back, to today; the oldest first."""
        with self.database.read() as session:
            last = session.scalar(select(func.max(DisclosureRow.published_on)))
        first = max(last or today, today - timedelta(days=_DAYS_BACK))
        first = min(first, today - timedelta(days=1)) if last is not None else today
        return [first + timedelta(days=number) for number in range((today - first).days + 1)]

    def _receipts(self, day: date) -> set[str]:
        with self.database.read() as session:
            return set(session.scalars(select(DisclosureRow.filing_no).where(DisclosureRow.published_on == day)))

    def _keep_disclosures(self, found: Iterable[Disclosure]) -> int:
        return self._insert(
            DisclosureRow,
            [
                {
                    "filing_no": one.filing_no,
                    "symbol": one.symbol,
                    "title": one.title,
                    "kind": one.kind.value,
                    "published_on": one.published,
                    "first_seen_at": one.first_seen,
                }
                for one in found
            ],
        )

    def _insert(self, table: type[DisclosureRow | NewsItemRow], rows: list[dict[str, Any]]) -> int:
        """Add rows; one that is there stays as it was first seen. The number added."""
        insert = postgresql.insert if self.database.backend == "postgresql" else sqlite.insert
        statement = insert(table).on_conflict_do_nothing().returning(table.symbol)
        added = 0
        with self.database.write() as session:
            for first in range(0, len(rows), _CHUNK):
                added += len(session.execute(statement, rows[first : first + _CHUNK]).all())
        return added
