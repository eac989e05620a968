"""News and disclosures of many symbols, a page at a time; and the filters an owner keeps for them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.community.texts import clean_text
from stocklab.data.sources.calls import KST
from stocklab.data.sources.dart_disclosures import Disclosure, DisclosureKind
from stocklab.db import Database, DisclosureRow, NewsFilterRow, NewsItemRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import behind

__all__ = ["MOST_FILTERS", "Article", "DisclosurePage", "NewsFilter", "NewsFilters", "NewsLists", "NewsPage"]

PAGE: Final = 20
MOST_FILTERS: Final = 20
_NAME_LENGTH: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article with every symbol it is about. ``title`` and ``link`` are text of strangers."""

    key: str
    symbols: tuple[str, ...]
    title: str
    link: str
    published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPage:
    """Articles, the newest first; ``before`` asks for the next page, None at the end."""

    articles: tuple[Article, ...]
    before: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosurePage:
    """Filings, the newest first; ``before`` asks for the next page, None at the end."""

    disclosures: tuple[Disclosure, ...]
    before: tuple[date, str] | None


class NewsLists:
    """Reading what `stocklab.operations.news.News` keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def news(
        self,
        *,
        symbols: Collection[str] | None = None,
        since: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = PAGE,
    ) -> NewsPage:
        """Articles of these symbols (all by default) since a moment. One about several symbols comes once."""
        item = NewsItemRow
        keys = select(item.published_at, item.key).group_by(item.published_at, item.key)
        if symbols is not None:
            keys = keys.where(item.symbol.in_(sorted(symbols)))
        if since is not None:
            keys = keys.where(item.published_at >= since)
        if before is not None:
            keys = keys.where(behind((item.published_at, item.key), before))
        keys = keys.order_by(item.published_at.desc(), item.key.desc()).limit(limit + 1)
        with self._database.read() as session:
            found = session.execute(keys).all()
            wanted = [row.key for row in found[:limit]]
            rows = session.scalars(select(item).where(item.key.in_(wanted)).order_by(item.symbol)).all()
        about: dict[str, list[NewsItemRow]] = {}
        for row in rows:
            about.setdefault(row.key, []).append(row)
        last = found[limit - 1] if len(found) > limit else None
        return NewsPage(
            articles=tuple(_article(about[row.key], row.published_at) for row in found[:limit]),
            before=None if last is None else (last.published_at, last.key),
        )

    def disclosures(
        self,
        *,
        symbols: Collection[str] | None = None,
        kinds: Collection[DisclosureKind] | None = None,
        since: date | None = None,
        before: tuple[date, str] | None = None,
        limit: int = PAGE,
    ) -> DisclosurePage:
        """Filings of these symbols and kinds (all by default) since a day."""
        row = DisclosureRow
        statement = select(row)
        if symbols is not None:
            statement = statement.where(row.symbol.in_(sorted(symbols)))
        if kinds:
            statement = statement.where(row.kind.in_(sorted(kind.value for kind in kinds)))
        if since is not None:
            statement = statement.where(row.published_on >= since)
        if before is not None:
            statement = statement.where(behind((row.published_on, row.filing_no), before))
        statement = statement.order_by(row.published_on.desc(), row.filing_no.desc()).limit(limit + 1)
        with self._database.read() as session:
            found = session.scalars(statement).all()
        last = found[limit - 1] if len(found) > limit else None
        return DisclosurePage(
            disclosures=tuple(_disclosure(one) for one in found[:limit]),
            before=None if last is None else (last.published_on, last.filing_no),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsFilter:
    """A choice on the news page with a name."""

    id: str
    name: str
    document: dict[str, Any]


class NewsFilters:
    """Filters by owner, at most `MOST_FILTERS` each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, owner_id: str) -> tuple[NewsFilter, ...]:
        """The owner's filters by name."""
        row = NewsFilterRow
        with self._database.read(owner_id) as session:
            rows = session.scalars(select(row).where(row.owner_id == owner_id).order_by(row.name))
            return tuple(NewsFilter(id=one.id, name=one.name, document=one.document) for one in rows)

    def save(self, owner_id: str, name: str, document: dict[str, Any]) -> None:
        """Keep a filter; one of the same name is replaced.

        Raises
        ------
        Refusal
            EMPTY, TOO_LONG: the name; TOO_MANY.
        """
        kept = clean_text(name, most=_NAME_LENGTH, one_line=True)
        row = NewsFilterRow
        try:
            with self._database.write(owner_id) as session:
                known = session.scalar(select(row).where(row.owner_id == owner_id, row.name == kept))
                if known is not None:
                    known.document = document
                    return
                count = session.scalar(select(func.count()).select_from(row).where(row.owner_id == owner_id)) or 0
                if count >= MOST_FILTERS:
                    raise Refusal(RefusalCode.TOO_MANY, f"At most {MOST_FILTERS} filters.", most=MOST_FILTERS)
                values = {"id": uuid.uuid4().hex, "owner_id": owner_id, "name": kept, "created_at": utc_now()}
                session.add(row(**values, document=document))
        except IntegrityError as error:
            raise Refusal(RefusalCode.DUPLICATE, "A filter of this name was saved a moment ago.") from error

    def delete(self, owner_id: str, filter_id: str) -> None:
        """Remove a filter; nothing where there is none."""
        with self._database.write(owner_id) as session:
            session.execute(
                delete(NewsFilterRow).where(NewsFilterRow.id == filter_id, NewsFilterRow.owner_id == owner_id)
            )


def _article(rows: list[NewsItemRow], published: datetime) -> Article:
    first = rows[0]
    return Article(
        key=first.key,
        symbols=tuple(row.symbol for row in rows),
        title=first.title,
        link=first.link,
        published=published.astimezone(KST),
    )


def _disclosure(row: DisclosureRow) -> Disclosure:
    return Disclosure(
        filing_no=row.filing_no,
        symbol=row.symbol,
        title=row.title,
        kind=DisclosureKind(row.kind),
        published=row.published_on,
        first_seen=row.first_seen_at.astimezone(KST),
    )
